// The tree of receipts: a place's hash changes, and with it all nodes above it up to what is certified
// (receipts-protocol.ts). Here and not in TypeScript, since these 20 hashes would cost the interpreter more than a
// token. Source: interface specification, "Certification": a fork's hash is SHA-256 of 0x10 "ic-hashtree-fork" and both
// hashes.
import { HEADER_BYTES } from '../tensor/assembly/protocol';
import { hashBlocks, swap } from '../tensor/assembly/sha256';
import { know, readOurs, writeOurs } from './blocks';
import {
  AT, BESIDE, BESIDE_RECEIPTS, BYTES, CERTIFIED_LEVELS, COMMAND_RECEIPT, CONSTANTS, COUNT, COUNT_AT, EMPTY, FORK_DOMAIN, FORK_MESSAGE, HASH, LABELED_DOMAIN, LEAF_DOMAIN,
  LEAF_MESSAGE, LEAF_MESSAGE_BYTES, LEVELS, MESSAGE_BYTES, NEXT, PAGE_LEVELS, PAYLOAD_BYTES, PLACE, PLACE_LABEL, PLACE_MESSAGE, RECEIPT, RECEIPTS, RECEIPTS_HASH, SECONDS,
  STATE, TIMES, TOP_PAGE, TREE_LABEL, TREE_MESSAGE,
} from './receipts-protocol';

/** Where the node `index` of a level is: level 0 are the places, level 15 is the root. */
function nodeAt(base: u64, level: u32, index: u32): u64 {
  let page: u32 = TOP_PAGE;
  let inPage = level - PAGE_LEVELS;
  let levels: u32 = LEVELS - PAGE_LEVELS;
  let at = index;
  if (level < <u32>PAGE_LEVELS) {
    page = index >> (PAGE_LEVELS - level);
    at = index & ((1 << (PAGE_LEVELS - level)) - 1);
    inPage = level;
    levels = PAGE_LEVELS;
  }
  // nodes of the levels below: 2^levels + 2^(levels - 1) + … of them
  const before: u32 = (2 << levels) - (2 << (levels - inPage));
  return base + ((<u64>page) << 16) + ((<u64>(before + at)) << 5);
}

/** A hash to `to`, as it stands in stable memory; of a tree without places that were taken, the known one. */
function nodeTo(to: usize, payload: usize, level: u32, index: u32): void {
  if (<u64>index << level >= load<u32>(payload, NEXT)) memory.copy(to, payload + EMPTY + (<usize>level << 5), 32);
  else readOurs(nodeAt(load<u64>(payload), level, index), to, 32);
}

/** The hash in hand becomes that of a message of whole blocks. */
function hashMessage(payload: usize, message: usize, bytes: u32): void {
  const state = payload + STATE;
  store<u64>(state, 0xbb67ae856a09e667);
  store<u64>(state, 0xa54ff53a3c6ef372, 8);
  store<u64>(state, 0x9b05688c510e527f, 16);
  store<u64>(state, 0x5be0cd191f83d9ab, 24);
  hashBlocks(state, message, bytes, payload + CONSTANTS);
  for (let i: usize = 0; i < 32; i += 4) store<u32>(payload + HASH + i, swap(load<u32>(state + i)));
}

/** Pads a message of zeros behind (FIPS 180-4, section 5.1.1). Gives its bytes in whole blocks. */
function pad(message: usize, bytes: u32): u32 {
  const whole = (bytes + 9 + 63) & ~63;
  store<u8>(message + bytes, 0x80);
  store<u64>(message + whole - 8, bswap<u64>(<u64>bytes << 3));
  return whole;
}

/**
 * The hash in hand becomes that of the node of it alone, whose message and what of it comes before the hash are given.
 */
function hashOver(payload: usize, message: usize, before: usize, bytes: u32): void {
  memory.copy(payload + message + before, payload + HASH, 32);
  hashMessage(payload, payload + message, bytes);
}

/**
 * The hash in hand becomes that of the fork of it and what stands beside it. isRight: it is the right one of the two.
 */
function hashFork(payload: usize, beside: usize, isRight: u32): void {
  const left = payload + FORK_MESSAGE + FORK_DOMAIN;
  memory.copy(left + (isRight << 5), payload + HASH, 32);
  memory.copy(left + ((isRight ^ 1) << 5), beside, 32);
  hashMessage(payload, payload + FORK_MESSAGE, MESSAGE_BYTES);
}

/** A command of receipts-protocol.ts. */
export function receipts(mailbox: usize): void {
  know();
  const payload = mailbox + HEADER_BYTES;
  if (load<u32>(mailbox, 4) == COMMAND_RECEIPT) add(payload);
  else readPath(payload);
}

function readPath(payload: usize): void {
  const place = load<u32>(payload, PLACE);
  for (let level: u32 = 0; level < <u32>LEVELS; level++)
    nodeTo(payload + BESIDE + (<usize>level << 5), payload, level, (place >> level) ^ 1);
}

function add(payload: usize): void {
  const base = load<u64>(payload, AT);
  const place = load<u32>(payload, PLACE);
  const message = payload + PAYLOAD_BYTES;
  hashMessage(payload, message, pad(message, load<u32>(payload, BYTES)));
  memory.copy(payload + RECEIPT, payload + HASH, 32);
  hashOver(payload, LEAF_MESSAGE, LEAF_DOMAIN, LEAF_MESSAGE_BYTES);
  store<u32>(payload + PLACE_MESSAGE + LABELED_DOMAIN, bswap(place));
  hashOver(payload, PLACE_MESSAGE, LABELED_DOMAIN + PLACE_LABEL, MESSAGE_BYTES);
  readPath(payload);
  for (let level: u32 = 0; level < <u32>LEVELS; level++) {
    const index = place >> level;
    writeOurs(nodeAt(base, level, index), payload + HASH, 32);
    hashFork(payload, payload + BESIDE + (<usize>level << 5), index & 1);
  }
  writeOurs(nodeAt(base, LEVELS, 0), payload + HASH, 32);
  const page = base + (<u64>(place >> PAGE_LEVELS) << 16);
  const inPage = <u64>(place & ((1 << PAGE_LEVELS) - 1));
  writeOurs(page + TIMES + (inPage << 2), payload + SECONDS, 4);
  writeOurs(page + RECEIPTS + (inPage << 5), payload + RECEIPT, 32);
  writeOurs(base + (<u64>TOP_PAGE << 16) + COUNT_AT, payload + COUNT, 4);
  certify(payload);
}

/** From the root of the tree to what the canister certifies: receipts stand to the right of all else. */
function certify(payload: usize): void {
  hashOver(payload, TREE_MESSAGE, LABELED_DOMAIN + TREE_LABEL, MESSAGE_BYTES);
  memory.copy(payload + RECEIPTS_HASH, payload + HASH, 32);
  for (let level: u32 = 0; level < <u32>CERTIFIED_LEVELS; level++)
    hashFork(payload, payload + BESIDE_RECEIPTS + (<usize>level << 5), 1);
}
