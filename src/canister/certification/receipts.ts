/**
 * Receipts of finished answers, as leaves of a hash tree of which the canister's certified data has the root. There is
 * room for the last LEAVES of them: a new one takes the next place, round and round. The tree lies in a block of stable
 * memory and is changed by native code (src/native/receipts.ts); nothing of it is kept in the heap but its root.
 */

import { placeLabel, type ReceiptFields, receiptBytes } from '../../interface/receipt.ts';
import {
  AT,
  BESIDE,
  BESIDE_RECEIPTS,
  BYTES,
  COMMAND_RECEIPT,
  COMMAND_RECEIPT_PATH,
  CONSTANTS,
  COUNT,
  COUNT_AT,
  EMPTY,
  FORK_MESSAGE,
  HASH,
  LEAF_MESSAGE,
  LEAVES,
  LEVELS,
  NEXT,
  PADDING,
  PAGE_LEVELS,
  PAYLOAD_BYTES,
  PLACE,
  PLACE_LABEL,
  PLACE_MESSAGE,
  RECEIPTS,
  RECEIPTS_HASH,
  SECONDS,
  TIMES,
  TOP_PAGE,
  TREE_MESSAGE,
} from '../../native/receipts-protocol.ts';
import { HEADER_BYTES } from '../../tensor/assembly/protocol.ts';
import { padded, CONSTANTS as SHA256_CONSTANTS } from '../../tensor/sha256.ts';
import { now } from '../runtime/time.ts';
import { sha256, unit } from '../runtime/unit.ts';
import { addressOf, type Blocks, readMailbox } from '../storage/blocks.ts';
import { join, utf8 } from '../storage/bytes.ts';
import { readRecord } from '../storage/stable.ts';
import {
  besideReceipts,
  certifyReceipts,
  certifyReceiptsBy,
  DOMAINS,
  fork,
  hash,
  labeled,
  leaf,
  pruned,
  receiptsLabel,
} from './certified.ts';

/** Texts that came before, most of them with every receipt: without these, one takes 0.23 M instructions more. */
const kept = new Map<string, Uint8Array>();
const MOST_KEPT = 8;
const MOST_KEPT_CHARACTERS = 2_000;
function keptUtf8(text: string): Uint8Array {
  const known = kept.get(text);
  if (known) return known;
  const bytes = utf8(text);
  if (kept.size === MOST_KEPT) kept.clear();
  if (text.length <= MOST_KEPT_CHARACTERS) kept.set(text, bytes);
  return bytes;
}

const PAGE = 65_536;
const TOP = TOP_PAGE * PAGE;
/** Behind the nodes below it: 64 roots of pages, and the forks over them but the last. */
const ROOT_AT = TOP + 126 * 32;

let blocks: Blocks | undefined;

/** The block that the tree lies in, which packs may not have. */
export function receiptBlocks(): Blocks {
  blocks ??= readRecord<number[]>('receipts') ?? [];
  return blocks;
}

const read = (offset: number, bytes: number): Uint8Array =>
  readMailbox(receiptBlocks(), offset, bytes).subarray(HEADER_BYTES);

/** How many receipts there were; the number of the next one. */
let count: number | undefined;
function counted(): number {
  count ??= new DataView(read(TOP + COUNT_AT, 4).slice().buffer).getUint32(0, true);
  return count;
}

let empty: Uint8Array[] | undefined;
/** Hashes of trees without leaves, of 0 to LEVELS levels. */
function emptyTrees(): Uint8Array[] {
  if (!empty) {
    empty = [hash('empty')];
    while (empty.length <= LEVELS) empty.push(hash('fork', empty.at(-1)!, empty.at(-1)!));
  }
  return empty;
}

/** The hash of the tree. */
const root = (): Uint8Array => (counted() === 0 ? emptyTrees()[LEVELS]! : read(ROOT_AT, 32).slice());

/** Certifies the tree as it is in stable memory. Called when the program begins. */
export const certifyStoredReceipts = (): void => certifyReceipts(root());

let fixed: Uint8Array | undefined;

/** What stands in every payload: messages that nodes' hashes are of, hashes of empty trees, SHA-256's constants. */
function fixedPayload(): Uint8Array {
  if (fixed) return fixed;
  const payload = new Uint8Array(PAYLOAD_BYTES);
  const { leaf, labeled, fork } = DOMAINS;
  payload.set(padded(join(leaf, new Uint8Array(32))), LEAF_MESSAGE);
  payload.set(padded(join(labeled, new Uint8Array(PLACE_LABEL + 32))), PLACE_MESSAGE);
  payload.set(padded(join(labeled, receiptsLabel, new Uint8Array(32))), TREE_MESSAGE);
  payload.set(padded(join(fork, new Uint8Array(64))), FORK_MESSAGE);
  payload.set(join(...emptyTrees().slice(0, LEVELS)), EMPTY);
  payload.set(new Uint8Array(SHA256_CONSTANTS.buffer), CONSTANTS);
  fixed = payload;
  return fixed;
}

/**
 * A command's mailbox.
 * @param place of the receipt
 * @param taken places that count
 * @param bytes room behind the payload
 */
function request(place: number, taken: number, bytes = 0): { mailbox: Uint8Array; view: DataView } {
  const mailbox = new Uint8Array(HEADER_BYTES + PAYLOAD_BYTES + bytes);
  mailbox.set(fixedPayload(), HEADER_BYTES);
  const view = new DataView(mailbox.buffer, HEADER_BYTES);
  view.setBigUint64(AT, BigInt(addressOf(receiptBlocks(), 0)), true);
  view.setUint32(PLACE, place, true);
  view.setUint32(NEXT, taken, true);
  return { mailbox, view };
}

export const receiptOf = (fields: ReceiptFields): Uint8Array =>
  sha256().digest(sha256().begin(), receiptBytes(fields, keptUtf8));

/** Takes the next place for a receipt, and certifies the tree with it. @returns its number */
export function addReceipt(fields: ReceiptFields): number {
  const number = counted();
  const bytes = receiptBytes(fields, keptUtf8);
  const { mailbox, view } = request(placeOf(number), Math.min(number + 1, LEAVES), bytes.length + PADDING);
  view.setUint32(SECONDS, Math.floor(now() / 1000), true);
  view.setUint32(COUNT, number + 1, true);
  view.setUint32(BYTES, bytes.length, true);
  const [model, pages] = besideReceipts();
  mailbox.set(model!, HEADER_BYTES + BESIDE_RECEIPTS);
  mailbox.set(pages!, HEADER_BYTES + BESIDE_RECEIPTS + 32);
  mailbox.set(bytes, HEADER_BYTES + PAYLOAD_BYTES);
  unit.bulk(mailbox, COMMAND_RECEIPT);
  count = number + 1;
  const hashAt = (at: number): Uint8Array => mailbox.slice(HEADER_BYTES + at, HEADER_BYTES + at + 32);
  certifyReceiptsBy(hashAt(RECEIPTS_HASH), hashAt(HASH));
  return number;
}

/** Where a receipt is, by its number. */
export const placeOf = (number: number): number => number % LEAVES;

/** Whether the place of a receipt is still its own. */
export const isKept = (number: number): boolean => number < counted() && counted() - number <= LEAVES;

/**
 * The number of a receipt by its 32 bytes, and when it was made, in seconds since 1970; undefined where there is none.
 */
export function findReceipt(receipt: Uint8Array): { number: number; seconds: number } | undefined {
  const taken = Math.min(counted(), LEAVES);
  const [first] = new Uint32Array(receipt.slice().buffer);
  const inPage = 1 << PAGE_LEVELS;
  for (let page = 0; page * inPage < taken; page++) {
    const bytes = read(page * PAGE + RECEIPTS, 32 * inPage).slice();
    const words = new Uint32Array(bytes.buffer);
    const until = 8 * Math.min(inPage, taken - page * inPage);
    for (let at = words.indexOf(first!); at >= 0 && at < until; at = words.indexOf(first!, at + 1)) {
      if (at % 8 !== 0 || receipt.some((byte, i) => bytes[4 * at + i] !== byte)) continue;
      const place = page * inPage + at / 8;
      const seconds = read(page * PAGE + TIMES + (at / 8) * 4, 4).slice();
      // the last number that has this place
      const number = place + LEAVES * Math.floor((counted() - 1 - place) / LEAVES);
      return { number, seconds: new DataView(seconds.buffer).getUint32(0, true) };
    }
  }
  return undefined;
}

/** The tree below "receipts" that shows one of them, in CBOR. */
export function receiptWitness(number: number, receipt: Uint8Array): Uint8Array {
  const place = placeOf(number);
  const { mailbox } = request(place, Math.min(counted(), LEAVES));
  unit.bulk(mailbox, COMMAND_RECEIPT_PATH);
  let tree = labeled(placeLabel(place), leaf(receipt));
  for (let level = 0; level < LEVELS; level++) {
    const at = HEADER_BYTES + BESIDE + 32 * level;
    const beside = pruned(mailbox.slice(at, at + 32));
    tree = (place >> level) & 1 ? fork(beside, tree) : fork(tree, beside);
  }
  return tree;
}
