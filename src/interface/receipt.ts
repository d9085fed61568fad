/**
 * The receipt of an answer: SHA-256 over what was asked, of which model, and what came of it. The canister, its clients
 * and whoever works the answer out again make the same bytes of it.
 *
 *   | n u32 | bytes [n] |     seven times, numbers little-endian:
 *
 *   1  "stepwise receipt 1"                      4  the options: UTF-8 of JSON, names sorted, without the seed
 *   2  SHA-256 of the pack, 32 bytes             5  the seed of a draw, u64; nothing where nothing was drawn
 *   3  ids of the prompt, u32 each               6  ids of the answer, u32 each, a stop token included
 *   7  texts that there was a choice of: nothing, or UTF-8 of a JSON list
 */
import { fromHex } from './hex.ts';

export interface ReceiptFields {
  /** SHA-256 of the pack, in hexadecimal. */
  model: string;
  prompt_ids: ArrayLike<number>;
  /** As JSON. */
  options: string;
  seed: bigint | undefined;
  token_ids: ArrayLike<number>;
  /** As JSON; empty where there was no choice. */
  choices: string;
}

const NAME = 'stepwise receipt 1';
const NOTHING = new Uint8Array(0);

/** The model of the receipt before, which is nearly always that of the next one, too. */
let known: { model: string; bytes: Uint8Array } = { model: '', bytes: NOTHING };
function modelBytes(model: string): Uint8Array {
  if (known.model !== model) known = { model, bytes: fromHex(model) };
  return known.bytes;
}

/** The bytes that the receipt is the SHA-256 of. @param utf8 makes bytes of a text */
export function receiptBytes(fields: ReceiptFields, utf8: (text: string) => Uint8Array): Uint8Array {
  const { model, prompt_ids, options, seed, token_ids, choices } = fields;
  const parts = [
    utf8(NAME),
    modelBytes(model),
    wordsOf(prompt_ids),
    utf8(options),
    seed === undefined ? NOTHING : new Uint8Array(BigUint64Array.of(seed).buffer),
    wordsOf(token_ids),
    choices ? utf8(choices) : NOTHING,
  ];
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + 4 + length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length, true);
    bytes.set(part, at + 4);
    at += 4 + part.length;
  }
  return bytes;
}

/** Little-endian, as all machines are that run this. */
const wordsOf = (ids: ArrayLike<number>): Uint8Array => new Uint8Array(new Uint32Array(ids).buffer);

/** What a place of the tree of receipts is called there: its number, four bytes, the most significant first. */
export const placeLabel = (place: number): Uint8Array =>
  Uint8Array.of(place >>> 24, (place >>> 16) & 255, (place >>> 8) & 255, place & 255);
