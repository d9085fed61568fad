/**
 * Receipts of finished answers, as leaves of a hash tree of which the canister's certified data has the root. There is
 * room for the last LEAVES of them: a new one takes the next place, round and round. The tree lies in a block of stable
 * memory and is changed by native code (src/native/receipts.ts); nothing of it is kept in the heap but its root.
 */

import { placeLabel, type ReceiptFields, receiptBytes } from '../../interface/receipt.ts';
import {
  AT,
  BESIDE,
  COMMAND_RECEIPT,
  COMMAND_RECEIPT_PATH,
  CONSTANTS,
  COUNT,
  COUNT_AT,
  EMPTY,
  HASH,
  LEAVES,
  LEVELS,
  MESSAGE,
  NEXT,
  PAGE_LEVELS,
  PAYLOAD_BYTES,
  PLACE,
  RECEIPT,
  RECEIPTS,
  SECONDS,
  STATE,
  TIMES,
  TOP_PAGE,
} from '../../native/receipts-protocol.ts';
import { HEADER_BYTES } from '../../tensor/assembly/protocol.ts';
import { now } from '../runtime/time.ts';
import { sha256, unit } from '../runtime/unit.ts';
import { addressOf, type Blocks, readMailbox } from '../storage/blocks.ts';
import { utf8 } from '../storage/bytes.ts';
import { readRecord } from '../storage/stable.ts';
import { certifyReceipts, DOMAINS, fork, hash, labeled, leaf, pruned } from './certified.ts';

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

let mailbox: Uint8Array | undefined;

/** What both commands want to know, in a mailbox that is kept. */
function request(place: number): { mailbox: Uint8Array; view: DataView } {
  if (!mailbox) {
    mailbox = new Uint8Array(HEADER_BYTES + PAYLOAD_BYTES);
    const payload = mailbox.subarray(HEADER_BYTES);
    // the message that a fork's hash is of: the domain, two hashes, then FIPS 180-4's padding
    payload.set(DOMAINS.fork, MESSAGE);
    payload[MESSAGE + 81] = 0x80;
    new DataView(payload.buffer, payload.byteOffset).setUint32(MESSAGE + 124, 81 * 8);
    emptyTrees()
      .slice(0, LEVELS)
      .forEach((tree, level) => {
        payload.set(tree, EMPTY + 32 * level);
      });
  }
  const view = new DataView(mailbox.buffer, HEADER_BYTES);
  const { state, constants } = sha256();
  view.setBigUint64(AT, BigInt(addressOf(receiptBlocks(), 0)), true);
  view.setUint32(PLACE, place, true);
  view.setUint32(STATE, state, true);
  view.setUint32(CONSTANTS, constants, true);
  return { mailbox, view };
}

const leafOf = (place: number, receipt: Uint8Array): Uint8Array =>
  hash('labeled', placeLabel(place), hash('leaf', receipt));

export const receiptOf = (fields: ReceiptFields): Uint8Array =>
  sha256().digest(sha256().begin(), receiptBytes(fields, utf8));

/** Takes the next place for a receipt, and certifies the tree with it. @returns its number */
export function addReceipt(fields: ReceiptFields): number {
  const number = counted();
  const receipt = receiptOf(fields);
  const place = placeOf(number);
  const { mailbox, view } = request(place);
  view.setUint32(NEXT, Math.min(number + 1, LEAVES), true);
  view.setUint32(SECONDS, Math.floor(now() / 1000), true);
  view.setUint32(COUNT, number + 1, true);
  mailbox.set(leafOf(place, receipt), HEADER_BYTES + HASH);
  mailbox.set(receipt, HEADER_BYTES + RECEIPT);
  unit.bulk(mailbox, COMMAND_RECEIPT);
  count = number + 1;
  certifyReceipts(mailbox.slice(HEADER_BYTES + HASH, HEADER_BYTES + HASH + 32));
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
  const { mailbox, view } = request(place);
  view.setUint32(NEXT, Math.min(counted(), LEAVES), true);
  unit.bulk(mailbox, COMMAND_RECEIPT_PATH);
  let tree = labeled(placeLabel(place), leaf(receipt));
  for (let level = 0; level < LEVELS; level++) {
    const at = HEADER_BYTES + BESIDE + 32 * level;
    const beside = pruned(mailbox.slice(at, at + 32));
    tree = (place >> level) & 1 ? fork(beside, tree) : fork(tree, beside);
  }
  return tree;
}
