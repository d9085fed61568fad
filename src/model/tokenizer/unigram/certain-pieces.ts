// What of the search can be known beforehand, so that most words need none: where every path has a boundary, and which
// pieces are always whole between two such places. Exact: the ids are those of the full search.
// Measured in the canister: a search without it costs 22,000 instructions a byte of text, with it a third.

import { characterBytes } from '../../../text/utf8.ts';
import { BASE_SHIFT, HAS_VALUE, LABEL_MASK, MARK, VALUE_SHIFT } from './double-array.ts';

/**
 * By how much a certain piece beats every other way. The search adds float32 scores within 8192 of zero, each addition
 * off by at most 0.00025; a piece of up to 64 bytes is at most 64 additions apart from its rivals.
 */
const MARGIN = 0.05;
const MAX_CERTAIN_BYTES = 64;

/** [256 * 256] as in TokenizerData. @param pieces every piece that may match, as bytes of the search. */
export function findCuts(pieces: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const cuts = new Uint8Array(65536).fill(1);
  for (const bytes of pieces) {
    for (let i = 1; i < bytes.length; i++) cuts[bytes[i - 1]! * 256 + bytes[i]!] = 0;
  }
  // Never inside a character, which may be unknown and then is one step.
  for (let a = 0x80; a < 0xf8; a++) cuts.fill(0, a * 256 + 0x80, a * 256 + 0xc0);
  return cuts;
}

/** Sets MARK in `units` on each piece that beats every other way to cut up its bytes by more than the margin. */
export function markCertainPieces(
  units: Int32Array,
  pieces: Uint8Array[],
  scores: Float32Array,
  unkScore: number,
): void {
  for (const bytes of pieces) {
    if (bytes.length > MAX_CERTAIN_BYTES) continue;
    const end = bytes.length;
    const best = new Float64Array(end + 1).fill(Number.NEGATIVE_INFINITY);
    best[0] = 0;
    let whole = 0; // the slot of the piece itself
    for (let start = 0; start < end; start++) {
      const here = best[start]!;
      if (here === Number.NEGATIVE_INFINITY) continue;
      let unit = units[0]!;
      for (let at = start; at < end; at++) {
        const slot = (unit >> BASE_SHIFT) ^ bytes[at]!;
        unit = units[slot]!;
        if ((unit & LABEL_MASK) !== bytes[at]) break;
        if ((unit & HAS_VALUE) === 0) continue;
        if (start === 0 && at === end - 1) whole = slot;
        else best[at + 1] = Math.max(best[at + 1]!, here + scores[units[unit >> BASE_SHIFT]! >> VALUE_SHIFT]!);
      }
      const next = Math.min(start + characterBytes(bytes[start]!), end);
      if (start > 0 || next < end) best[next] = Math.max(best[next]!, here + unkScore);
    }
    const score = scores[units[units[whole]! >> BASE_SHIFT]! >> VALUE_SHIFT]!;
    if (score > best[end]! + MARGIN) units[whole]! |= MARK;
  }
}
