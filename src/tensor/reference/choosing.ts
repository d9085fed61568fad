/**
 * The ops that choose a token, in plain TypeScript over one row of logits or probabilities: the meaning of
 * assembly/ops/{argmax,penalize,softmax, top-k,top-p,draw}.ts. Part of the reference (reference.ts), with no thought
 * for speed.
 */
import type { OpArgs } from '../ops.ts';
import type { Memory } from './memory.ts';

const { fround } = Math;

export function penalize(logits: Float32Array, ids: Uint32Array, penalty: number): void {
  for (const id of ids) logits[id] = logits[id]! < 0 ? logits[id]! * penalty : logits[id]! / penalty;
}

export function mask(logits: Float32Array, ids: Uint32Array): void {
  for (const id of ids) logits[id] = Number.NEGATIVE_INFINITY;
}

/** e^(x - largest), and their sum; the difference is rounded to float32, as torch has it. */
function weights(logits: Float32Array): { values: Float64Array; largest: number; total: number } {
  const largest = logits.reduce((m, x) => Math.max(m, x), Number.NEGATIVE_INFINITY);
  const values = Float64Array.from(logits, (x) => Math.exp(fround(x - largest)));
  return { values, largest, total: values.reduce((sum, e) => sum + e, 0) };
}

export function softmax(row: Float32Array): void {
  const { values, total } = weights(row);
  row.set(values.map((e) => e / total));
}

export function logSoftmax(row: Float32Array): void {
  const { largest, total } = weights(row);
  row.set(row.map((x) => fround(x - largest) - Math.log(total)));
}

const keepFrom = (row: Float32Array, least: number, fill: number): void =>
  row.set(row.map((x) => (x < least ? fill : x)));

export function topK(logits: Float32Array, k: number): void {
  const least = logits.slice().sort().at(-Math.min(k, logits.length))!;
  keepFrom(logits, least, Number.NEGATIVE_INFINITY);
}

export function topP(p: Float32Array, cut: number): void {
  const rising = p.slice().sort();
  let mass = 0;
  const least = rising.find((x) => {
    mass += x;
    return mass > cut;
  });
  keepFrom(p, least ?? rising.at(-1)!, 0);
}

/** @param random an integer of [0, 2^32) */
export function draw(p: Float32Array, random: number): number {
  const wanted = p.reduce((sum, x) => sum + x, 0) * (random / 2 ** 32);
  let sum = 0;
  // -1, where nothing may be chosen, becomes id 0
  return Math.max(
    0,
    p.findIndex((x) => {
      sum += x;
      return sum > wanted;
    }),
  );
}

/** Ids by falling logit, the first id first of equal ones. */
const ranked = (row: Float32Array): number[] =>
  Array.from(row.keys()).sort((a, b) => (row[a] === row[b] ? a - b : row[b]! > row[a]! ? 1 : -1));

/** k ids and their logits, falling; those at -infinity are id 0. */
export function best(logits: Float32Array, k: number): { ids: number[]; values: number[] } {
  const ids = ranked(logits).slice(0, k);
  const values = Array.from({ length: k }, (_, i) => logits[ids[i] ?? -1] ?? Number.NEGATIVE_INFINITY);
  return { ids: values.map((x, i) => (x === Number.NEGATIVE_INFINITY ? 0 : ids[i]!)), values };
}

type Choosing = 'argmax' | 'penalize' | 'mask' | 'softmax' | 'logSoftmax' | 'topK' | 'topP' | 'draw' | 'best';

/** The same as ops, on rows in memory. */
export const onRows: { [N in Choosing]: (m: Memory, a: OpArgs<N>) => void } = {
  argmax(m, { out, outBytes, logits, rows, rowBytes, count }) {
    for (let i = 0; i < rows; i++) {
      const row = m.floats(logits + i * rowBytes, count);
      m.u32[(out + i * outBytes) / 4] = row.reduce((best, v, id) => (v > row[best]! ? id : best), 0);
    }
  },
  penalize: (m, a) => penalize(m.rest(a.logits), m.words(a.ids, a.idCount), a.penalty),
  mask: (m, a) => mask(m.rest(a.logits), m.words(a.ids, a.idCount)),
  softmax: (m, a) => softmax(m.floats(a.row, a.count)),
  logSoftmax: (m, a) => logSoftmax(m.floats(a.row, a.count)),
  topK: (m, a) => topK(m.floats(a.row, a.count), a.k),
  topP: (m, a) => topP(m.floats(a.row, a.count), a.cut),
  draw: (m, a) => m.u32.set([draw(m.floats(a.row, a.count), a.random)], a.out / 4),
  best(m, { out, row, count, k }) {
    const { ids, values } = best(m.floats(row, count), k);
    m.u32.set(ids, out / 4);
    m.f32.set(values, out / 4 + k);
  },
};
