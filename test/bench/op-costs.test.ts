/** What ops take, metered, against what they are thought to take at most. */
import { expect, it } from 'vitest';
import { MeteredUnit } from '../../bench/metered-unit.ts';
import { Arena } from '../../src/tensor/arena.ts';
import { ACCUMULATOR_BYTES } from '../../src/tensor/assembly/protocol.ts';
import { CACHE_CHUNK, CACHE_KEYS, ROW_CACHES, ROW_POSITION, ROW_WORDS } from '../../src/tensor/assembly/row-table.ts';
import { kvChunk, kvPositionBytes, weightBytes } from '../../src/tensor/layout.ts';
import { attentionInstructions, linearInstructions } from '../../src/tensor/op-costs.ts';
import { matrixAt, Recorder, type Rows } from '../../src/tensor/recorder.ts';

/** Pages of scratch, of the program and of the mailbox, however large an op is. */
const BESIDES = 4_000_000;
const MOST = { rows: 64, cols: 1040, keys: 2048 };

const unit = await MeteredUnit.create();
const arena = new Arena(unit);
const allocate = (bytes: number): number => arena.allocate(bytes);
const rowsOf = (rows: number, cols: number): Rows => ({ at: allocate(rows * cols * 4), rows, cols, width: cols });

it('is never more', () => {
  const r = new Recorder({
    quantized: allocate(MOST.rows * MOST.cols * 2),
    quantizedScales: allocate(MOST.rows * 4),
    sums: allocate(ACCUMULATOR_BYTES),
    scores: allocate(16 * MOST.keys * 4),
    long: allocate(16 * MOST.keys * 4),
    unpacked: allocate(1 << 20),
  });
  const thought: [what: string, instructions: number][] = [];
  for (const kind of ['int8', 'int4', 'float32'] as const) {
    const [outputs, inputs] = [1024, 1040];
    const w = matrixAt(kind, 'w', allocate(weightBytes(kind, outputs, inputs)), outputs, inputs);
    for (const rows of kind === 'float32' ? [1, 5] : [1, 3, 9, 15, 16, 33, 64]) {
      r.linear(rowsOf(rows, outputs), rowsOf(rows, inputs), w);
      thought.push([`${kind}, ${rows} rows`, outputs * linearInstructions(kind, rows, inputs)]);
    }
  }
  for (const kind of ['int16', 'float32'] as const) {
    for (const [rows, keys, sequences, dKv] of [
      [1, 2048, 1, 64],
      [33, 1000, 1, 128],
      [8, 1000, 8, 64],
      [64, 100, 1, 16],
    ] as const) {
      const [chunk, heads, group] = [kvChunk(kind), 2, 2];
      const bytes = Math.ceil(keys / chunk) * chunk * kvPositionBytes(kind, heads, dKv);
      const caches = Array.from({ length: sequences }, () => allocate(bytes));
      const words = new Uint32Array(rows * ROW_WORDS);
      for (let i = 0; i < rows; i++) {
        words[i * ROW_WORDS + ROW_POSITION] = keys - 1;
        words[i * ROW_WORDS + ROW_CACHES] = caches[i % sequences]!;
        words[i * ROW_WORDS + ROW_CACHES + CACHE_KEYS] = keys;
        words[i * ROW_WORDS + ROW_CACHES + CACHE_CHUNK] = chunk;
      }
      const at = allocate(words.byteLength);
      unit.write(at, new Uint8Array(words.buffer));
      const cols = heads * group * dKv;
      const kv = { kind, cache: 0, heads, dKv, layer: 0, layers: 1 };
      r.attention('attention', rowsOf(rows, cols), rowsOf(rows, cols), { at, rows }, kv, { group });
      const each = attentionInstructions(kind, { rows, keys, sequences }, dKv);
      thought.push([`${kind}, ${rows} rows, ${keys} keys of ${dKv}`, heads * group * each]);
    }
  }
  const program = r.finish();
  const at = allocate(program.words.byteLength);
  unit.write(at, new Uint8Array(program.words.buffer));
  unit.opByOp = true;
  unit.run(at, program.ops[0]!.from, program.words.length, []);
  const costs = unit.take();
  const ops = program.ops.flatMap(({ name }, i) => (name === 'quantize' ? [] : [costs[i]!.cost.total]));
  expect(ops.length).toBe(thought.length);
  for (const [i, took] of ops.entries()) {
    const [what, instructions] = thought[i]!;
    expect(took, what).toBeLessThan(instructions + BESIDES);
    // nor is it thought to be so much that ops are in more parts than they have to be
    expect(took, what).toBeGreaterThan(instructions / 3);
  }
});
