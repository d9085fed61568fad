/**
 * Keys and values and attention over them, in plain TypeScript: the meaning of assembly/ops/{append-kv,attention-*}.ts.
 */
import { KEY_RANGE, WEIGHT_SUM } from '../assembly/protocol.ts';
import { CACHE_CHUNK, CACHE_KEYS, ROW_POSITION, ROW_WORDS } from '../assembly/row-table.ts';
import { type KvKind, kvPositionBytes } from '../layout.ts';
import type { OpArgs } from '../ops.ts';
import type { Memory } from './memory.ts';
import { nearest, quantized, sumOf } from './numbers.ts';

const { fround } = Math;

/** The largest magnitude of q and k, so that K products of two stay under 2^31. */
const keyMax = (dKv: number): number => Math.floor(Math.sqrt(KEY_RANGE / dKv));

/** What says which part of which cache. */
type Place = Pick<OpArgs<'appendQ16'>, 'table' | 'cache' | 'heads' | 'dKv' | 'layer' | 'layers'>;

/** A row of the table, and where the layer's part of the chunk of a position is in its cache. */
function rowOf(m: Memory, kind: KvKind, { table, cache, heads, dKv, layer, layers }: Place, row: number) {
  const words = m.words(table + row * ROW_WORDS * 4, ROW_WORDS);
  const chunk = words[cache + CACHE_CHUNK]!;
  const partAt = (position: number): number =>
    words[cache]! + (Math.floor(position / chunk) * layers + layer) * chunk * kvPositionBytes(kind, heads, dKv);
  return { position: words[ROW_POSITION]!, keys: words[cache + CACHE_KEYS]!, chunk, partAt };
}
type Row = ReturnType<typeof rowOf>;

/** Where a position's key and value of head h are, int16. */
function placesQ16({ chunk, partAt }: Row, { dKv }: Place, position: number, h: number) {
  const keys = partAt(position) + h * chunk * kvPositionBytes('int16', 1, dKv);
  const values = keys + chunk * dKv * 2;
  const keyScales = values + chunk * dKv * 2;
  const n = position % chunk;
  return {
    /** Index in i16 of the key's column d, of the value's column d. */
    key: (d: number) => (keys + (n >> 2) * dKv * 8 + (d >> 1) * 16 + (n & 3) * 4) / 2 + (d & 1),
    value: (d: number) => (values + (d >> 2) * chunk * 8 + (n >> 1) * 16 + (d & 3) * 4) / 2 + (n & 1),
    /** Index in f32 of the two scales. */
    keyScale: keyScales / 4 + n,
    valueScale: keyScales / 4 + chunk + n,
  };
}

/** Where a position's key and value are, float32 of all heads. */
function placesF32({ chunk, partAt }: Row, { heads, dKv }: Place, position: number) {
  const key = partAt(position) + (position % chunk) * heads * dKv * 4;
  return { key, value: key + chunk * heads * dKv * 4 };
}

export function appendQ16(m: Memory, a: OpArgs<'appendQ16'>): void {
  for (let i = 0; i < a.rows; i++) {
    const row = rowOf(m, 'int16', a, i);
    for (let h = 0; h < a.heads; h++) {
      const at = placesQ16(row, a, row.position, h);
      const column = i * a.rowBytes + h * a.dKv * 4;
      const key = quantized(m.floats(a.k + column, a.dKv), keyMax(a.dKv));
      const value = quantized(m.floats(a.v + column, a.dKv), 32767);
      key.values.forEach((q, d) => {
        m.i16[at.key(d)] = q;
      });
      value.values.forEach((q, d) => {
        m.i16[at.value(d)] = q;
      });
      m.f32[at.keyScale] = key.scale;
      m.f32[at.valueScale] = value.scale;
    }
  }
}

export function appendF32(m: Memory, a: OpArgs<'appendF32'>): void {
  for (let i = 0; i < a.rows; i++) {
    const row = rowOf(m, 'float32', a, i);
    const { key, value } = placesF32(row, a, row.position);
    m.floats(key, a.heads * a.dKv).set(m.floats(a.k + i * a.rowBytes, a.heads * a.dKv));
    m.floats(value, a.heads * a.dKv).set(m.floats(a.v + i * a.rowBytes, a.heads * a.dKv));
  }
}

/** What the score of a key gets by its distance from the row. */
function biasOf(m: Memory, { bias, reach }: Pick<OpArgs<'attentionQ16'>, 'bias' | 'reach'>, h: number) {
  return (distance: number): number => m.f32[bias / 4 + h * (2 * reach + 1) + reach + distance]!;
}

/** Positions of the keys that a row sees. */
function seenBy({ keys }: Row, window: number): number[] {
  const first = window > 0 ? Math.max(0, keys - window) : 0;
  return Array.from({ length: keys - first }, (_, j) => first + j);
}

export function attentionF32(m: Memory, a: OpArgs<'attentionF32'>): void {
  const { dKv } = a;
  for (let i = a.firstRow; i < Math.min(a.rows, a.lastRow); i++) {
    const row = rowOf(m, 'float32', a, i);
    const seen = seenBy(row, a.window);
    const places = seen.map((j) => placesF32(row, a, j));
    for (let h = a.firstHead; h < a.lastHead; h++) {
      const column = Math.floor(h / a.group) * dKv * 4;
      const query = m.floats(a.q + i * a.rowBytes + h * dKv * 4, dKv);
      const bias = biasOf(m, a, h);
      const scores = places.map(({ key }, j) => {
        const k = m.floats(key + column, dKv);
        const dot = query.reduce((sum, x, d) => sum + x * k[d]!, 0);
        return a.bias ? dot + bias(seen[j]! - row.position) : dot;
      });
      const largest = Math.max(...scores);
      const weights = scores.map((s) => Math.exp(s - largest));
      const total = sumOf(weights);
      const mixed = Float64Array.from({ length: dKv }, (_, d) =>
        sumOf(places.map(({ value }, j) => (weights[j]! / total) * m.f32[(value + column) / 4 + d]!)),
      );
      m.floats(a.out + i * a.rowBytes + h * dKv * 4, dKv).set(mixed);
    }
  }
}

export function attentionQ16(m: Memory, a: OpArgs<'attentionQ16'>): void {
  const { dKv } = a;
  for (let i = a.firstRow; i < Math.min(a.rows, a.lastRow); i++) {
    const row = rowOf(m, 'int16', a, i);
    const seen = seenBy(row, a.window);
    for (let h = a.firstHead; h < a.lastHead; h++) {
      const column = i * a.rowBytes + h * dKv * 4;
      const query = quantized(m.floats(a.q + column, dKv), keyMax(dKv));
      const places = seen.map((j) => placesQ16(row, a, j, Math.floor(h / a.group)));
      const bias = biasOf(m, a, h);
      const scores = places.map(({ key, keyScale }, j) => {
        const dot = query.values.reduce((sum, x, d) => sum + x * m.i16[key(d)]!, 0); // under 2^31 by keyMax
        const score = fround(fround(fround(dot) * m.f32[keyScale]!) * query.scale);
        return a.bias ? fround(score + bias(seen[j]! - row.position)) : score;
      });
      const largest = Math.max(...scores);
      const e = scores.map((s) => Math.exp(s - largest));
      const scaled = e.map((x, j) => x * m.f32[places[j]!.valueScale]!);
      const weight = sumOf(scaled);
      const weights = scaled.map((w) => (weight > 0 ? nearest((w * WEIGHT_SUM) / weight) : 0));
      for (let d = 0; d < dKv; d++) {
        const mixed = weights.reduce((sum, w, j) => sum + w * m.i16[places[j]!.value(d)]!, 0);
        m.f32[(a.out + column) / 4 + d] = (mixed * weight) / WEIGHT_SUM / sumOf(e);
      }
    }
  }
}
