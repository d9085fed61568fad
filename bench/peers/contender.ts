/**
 * Contenders in one process: `contender.ts NAME…` runs each case with each of them in turn, again and again, so that
 * what else the machine does disturbs all alike. Prints one JSON line with the time of every run, and a few numbers of
 * what came out. run.ts starts these.
 */
import { join } from 'node:path';
import { t5ShapeNamed } from '../../src/node/model/shapes.ts';
import { type Chain, chainInput, decodeChain, encodeChain } from './chains.ts';
import { onnxOf } from './onnx.ts';
import { runOurs } from './ours.ts';

const { config } = t5ShapeNamed('flan-t5-small');

/** As a decode step has it, one row; as the encoder has it, a row for each prompt token. */
export const cases: Record<string, { chain: Chain; rows: number }> = {
  'decode step': { chain: decodeChain(config), rows: 1 },
  'encode 64': { chain: encodeChain(config), rows: 64 },
  'encode 128': { chain: encodeChain(config), rows: 128 },
};

/**
 * Long enough for V8 to have optimised what it runs; then so long, and at least so often. By the processor's time: on a
 * busy machine a second of the clock may be one run, and that of code that is not optimised yet.
 */
const [WARM_UP_MS, MEASURE_MS, LEAST_RUNS] = [1500, 1500, 8];
/** So long is a turn: what a short run finds in the cache is mostly its own, as when tokens follow each other. */
const TURN_MS = 150;

type Run = () => Promise<Float32Array> | Float32Array;

/** What of onnxruntime's common API is used here. */
interface Ort {
  env: { wasm: { numThreads: number } };
  Tensor: new (type: string, data: Float32Array, dims: number[]) => { data: Float32Array };
  InferenceSession: {
    create(
      model: Uint8Array,
      options: object,
    ): Promise<{ run(feeds: object): Promise<Record<string, { data: Float32Array }>> }>;
  };
}

async function onnxruntime(
  module: string,
  provider: string,
  chain: Chain,
  rows: number,
  weights: 'float32' | 'int8',
): Promise<Run> {
  const ort = (await import(module)) as Ort & { default?: Ort };
  const { env, Tensor, InferenceSession } = ort.InferenceSession ? ort : ort.default!;
  if (provider === 'wasm') env.wasm.numThreads = 1;
  const options = {
    executionProviders: [provider],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  };
  const session = await InferenceSession.create(onnxOf(chain, rows, weights), options);
  const x = new Tensor('float32', chainInput(rows, chain.inputs), [rows, chain.inputs]);
  return async () => (await session.run({ x }))['y']!.data;
}

const contenderOf: Record<string, (chain: Chain, rows: number) => Promise<Run>> = {
  'Stepwise int8': (chain, rows) => runOurs(chain, rows, { weights: 'int8', metered: false }),
  'Stepwise int8, metered': (chain, rows) => runOurs(chain, rows, { weights: 'int8', metered: true }),
  'Stepwise float32': (chain, rows) => runOurs(chain, rows, { weights: 'float32', metered: false }),
  'onnxruntime-web int8': (chain, rows) => onnxruntime('onnxruntime-web', 'wasm', chain, rows, 'int8'),
  'onnxruntime-web float32': (chain, rows) => onnxruntime('onnxruntime-web', 'wasm', chain, rows, 'float32'),
  'onnxruntime-node int8': (chain, rows) => onnxruntime('onnxruntime-node', 'cpu', chain, rows, 'int8'),
  'onnxruntime-node float32': (chain, rows) => onnxruntime('onnxruntime-node', 'cpu', chain, rows, 'float32'),
};
export const contenders = Object.keys(contenderOf);

export interface Result {
  /** Wall time of each run. */
  milliseconds: number[];
  /** Time of the processor that the process had in each run: the same on an idle machine, one thread each. */
  cpuMilliseconds: number[];
  /** The first outputs of the last row. */
  sample: number[];
}

function cpuMillisecondsSince(start?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

async function measure(runs: readonly Run[], { chain, rows }: (typeof cases)[string]): Promise<Result[]> {
  const results = runs.map((): Result => ({ milliseconds: [], cpuMilliseconds: [], sample: [] }));
  for (const run of runs) {
    const begun = process.cpuUsage();
    while (cpuMillisecondsSince(begun) < WARM_UP_MS) await run();
  }
  const from = process.cpuUsage();
  while (cpuMillisecondsSince(from) < MEASURE_MS * runs.length || results[0]!.milliseconds.length < LEAST_RUNS) {
    for (const [i, run] of runs.entries()) {
      const turn = process.cpuUsage();
      let y: Float32Array;
      do {
        const [start, cpu] = [performance.now(), process.cpuUsage()];
        y = await run();
        results[i]!.cpuMilliseconds.push(cpuMillisecondsSince(cpu));
        results[i]!.milliseconds.push(performance.now() - start);
      } while (cpuMillisecondsSince(turn) < TURN_MS);
      const last = (rows - 1) * chain.outputs;
      results[i]!.sample = Array.from(y.subarray(last, last + 64));
    }
  }
  return results;
}

const [script, ...names] = process.argv.slice(1);
if (script === join(import.meta.dirname, 'contender.ts')) {
  const results: Record<string, Result[]> = {};
  for (const [name, given] of Object.entries(cases)) {
    const runs = await Promise.all(names.map((contender) => contenderOf[contender]!(given.chain, given.rows)));
    results[name] = await measure(runs, given);
  }
  console.log(JSON.stringify(results));
}
