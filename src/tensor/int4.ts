/**
 * Float32 weights to int4: q * multiplier * scale, with q of -8 … 7, a whole multiplier of 1 … 15, or its negative, for
 * each group of columns, and a float32 scale for each row. As q * multiplier is an int8, a matrix stands for an int8
 * one exactly, and its sums stay integers along a row. Not calibrated: what is made least is the squared error of the
 * weights.
 */
import { INT4_GROUP, INT4_MULTIPLIER_MAX } from './assembly/protocol.ts';
import { int4Groups, matrixParts, type Placement, placeFloat32, spanRow, spans } from './layout.ts';

/** The largest weight of a group comes to -8, or a little more than -8 can hold, if that makes the others finer. */
const LARGEST = [-7.5, -8, -8.5, -9];

const nearestInt4 = (x: number): number => Math.max(-8, Math.min(7, Math.round(x)));

/** Sum of squares of what is lost of a group with this scale; or a part of it that is more than `most`. */
function loss(group: Float32Array, scale: number, most: number): number {
  const inverse = 1 / scale;
  let sum = 0;
  for (let i = 0; i < group.length && sum <= most; i++) {
    const lost = group[i]! - nearestInt4(group[i]! * inverse) * scale;
    sum += lost * lost;
  }
  return sum;
}

/** The scale with which the integers that `scale` makes of a group come nearest to it. */
function refined(group: Float32Array, scale: number): number {
  let [qw, qq] = [0, 0];
  for (let i = 0; i < group.length; i++) {
    const q = nearestInt4(group[i]! / scale);
    qw += q * group[i]!;
    qq += q * q;
  }
  return qw / qq;
}

/** The scale with which a group loses least. */
function leastLossy(group: Float32Array, scales: readonly number[]): number {
  let [best, lowest] = [scales[0]!, Number.POSITIVE_INFINITY];
  for (const scale of scales) {
    const lost = loss(group, scale, lowest);
    if (lost < lowest) [best, lowest] = [scale, lost];
  }
  return best;
}

/** A good scale of any sign; 0 for a group of zeros. */
function groupScale(group: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < group.length; i++) if (Math.abs(group[i]!) > Math.abs(largest)) largest = group[i]!;
  if (largest === 0) return 0;
  const first = leastLossy(
    group,
    LARGEST.map((l) => largest / l),
  );
  return leastLossy(group, [first, refined(group, first)]);
}

/** What a row becomes: its scale, the groups' multipliers, and the integers. */
export function quantiseRow(row: Float32Array): { scale: number; multipliers: Int8Array; values: Int8Array } {
  const groups = Array.from({ length: int4Groups(row.length) }, (_, g) =>
    row.subarray(g * INT4_GROUP, Math.min(row.length, (g + 1) * INT4_GROUP)),
  );
  const wanted = groups.map(groupScale);
  const scale = Math.fround(Math.max(...wanted.map(Math.abs)) / INT4_MULTIPLIER_MAX);
  const multipliers = new Int8Array(groups.length);
  const values = new Int8Array(row.length);
  if (scale === 0) return { scale, multipliers, values };
  groups.forEach((group, g) => {
    const near = Math.round(Math.abs(wanted[g]!) / scale);
    const around = [near, near - 1, near + 1].filter((m) => m >= 1 && m <= INT4_MULTIPLIER_MAX);
    const unit = wanted[g]! < 0 ? -scale : scale;
    const found = leastLossy(
      group,
      (around.length ? around : [1]).map((m) => m * unit),
    );
    multipliers[g] = Math.round(found / scale);
    const inverse = 1 / found;
    for (let i = 0; i < group.length; i++) values[g * INT4_GROUP + i] = nearestInt4(group[i]! * inverse);
  });
  return { scale, multipliers, values };
}

/** source float32 [any, sourceCols] -> int4 as in the picture of layout.ts. */
export function placeInt4(source: Float32Array, sourceCols: number, rows: Placement, cols: Placement): Uint8Array {
  const inputs = cols.length;
  const groups = int4Groups(inputs);
  const parts = matrixParts('int4', rows.length, inputs);
  const bytes = new Uint8Array(parts.bytes);
  const multipliers = new Int8Array(bytes.buffer, parts.multipliers, rows.length * groups);
  const scales = new Float32Array(bytes.buffer, parts.scales, rows.length);
  const placed = placeFloat32(source, sourceCols, rows, cols);
  for (let r = 0; r < rows.length; r++) {
    const row = quantiseRow(placed.subarray(r * inputs, (r + 1) * inputs));
    scales[r] = row.scale;
    const octet = r >> 3;
    row.multipliers.forEach((m, g) => {
      multipliers[(octet * groups + g) * 8 + (r & 7)] = m;
    });
    const later = (r & 4) !== 0;
    for (const span of spans(inputs)) {
      const at = spanRow('int4', rows.length, span, r);
      for (let c = 0; c < span.columns; c++) {
        const q = row.values[span.from + c]!;
        bytes[at + (c >> 1) * 8 + (c & 1)]! += later ? q << 4 : q + 8;
      }
    }
  }
  return bytes;
}
