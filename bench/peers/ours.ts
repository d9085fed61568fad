/** A chain as a program of our unit, on kernels without metering or with it, weights int8 or float32. */
import { buildKernels } from '../../src/node/build/kernels.ts';
import { Arena } from '../../src/tensor/arena.ts';
import { ACCUMULATOR_BYTES } from '../../src/tensor/assembly/protocol.ts';
import { inOrder, placeFloat32, placeInt8 } from '../../src/tensor/layout.ts';
import type { Machine } from '../../src/tensor/machine.ts';
import { Recorder, type Rows, type Weights } from '../../src/tensor/recorder.ts';
import { kernelsInNode, Unit } from '../../src/tensor/unit.ts';
import { MeteredUnit } from '../metered-unit.ts';
import { type Chain, chainInput, chainWeights } from './chains.ts';

export async function runOurs(
  chain: Chain,
  rows: number,
  { weights, metered }: { weights: 'float32' | 'int8'; metered: boolean },
): Promise<() => Float32Array> {
  const machine: Machine = metered
    ? await MeteredUnit.create()
    : new Unit(kernelsInNode((await buildKernels()) as Uint8Array<ArrayBuffer>));
  const arena = new Arena(machine);
  const put = (bytes: Uint8Array): number => {
    const at = arena.allocate(bytes.length);
    machine.write(at, bytes);
    return at;
  };
  const widest = Math.max(chain.inputs, ...chain.nodes.map((n) => (n.kind === 'linear' ? n.inputs : n.cols)));
  const recorder = new Recorder({
    quantized: arena.allocate(rows * widest * 2),
    quantizedScales: arena.allocate(rows * 4),
    sums: arena.allocate(ACCUMULATOR_BYTES),
    scores: arena.allocate(16),
  });
  const matrix = (name: string, outputs: number, inputs: number, addends: number): Weights => {
    const w = chainWeights(name, outputs, inputs, addends);
    const placed = (weights === 'int8' ? placeInt8 : placeFloat32)(w, inputs, inOrder(outputs), inOrder(inputs));
    const at = put(new Uint8Array(placed.buffer as ArrayBuffer));
    const common = { label: name, at, outputs, inputs };
    return weights === 'int8'
      ? { kind: 'int8', scales: at + outputs * inputs, ...common }
      : { kind: 'float32', ...common };
  };
  const found = new Map<string, Rows>();
  const fresh = (name: string, cols: number): Rows => {
    const made = { at: arena.allocate(rows * cols * 4), rows, cols, width: cols };
    found.set(name, made);
    return made;
  };
  machine.write(
    fresh('x', chain.inputs).at as number,
    new Uint8Array(chainInput(rows, chain.inputs).buffer as ArrayBuffer),
  );
  for (const n of chain.nodes) {
    const x = found.get(n.x)!;
    if (n.kind === 'relu') recorder.activate(n.out, fresh(n.out, n.cols), x, 'relu');
    else {
      const out = fresh(n.out, n.outputs);
      n.weights.forEach((name, i) => {
        recorder.linear(out, x, matrix(name, n.outputs, n.inputs, n.weights.length), { accumulate: i > 0 });
      });
    }
  }
  const program = recorder.finish();
  const pointer = put(new Uint8Array(program.words.buffer));
  const y = found.get('y')!;
  return () => {
    machine.run(pointer, program.ops[0]!.from, program.words.length, []);
    return new Float32Array(machine.read(y.at as number, rows * chain.outputs * 4).buffer);
  };
}
