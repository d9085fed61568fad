/** The digits that training never saw (training/train.py says how they are chosen): 1,996 of them. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { PIXELS } from '../net.ts';

export interface Example {
  digit: number;
  pixels: Uint8Array;
}

const bytes = gunzipSync(readFileSync(new URL('held-out.bin.gz', import.meta.url)));
export const heldOut: Example[] = Array.from({ length: bytes.length / (PIXELS + 1) }, (_, i) => {
  const at = i * (PIXELS + 1);
  return { digit: bytes[at]!, pixels: new Uint8Array(bytes.subarray(at + 1, at + 1 + PIXELS)) };
});

/** The digit that is likeliest. */
export const likeliest = (probabilities: ArrayLike<number>): number =>
  Array.from(probabilities).reduce((best, p, i, all) => (p > all[best]! ? i : best), 0);
