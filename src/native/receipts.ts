// The tree of receipts: a place's hash changes, and with it all forks above it (receipts-protocol.ts). Here and not in
// TypeScript, since 15 hashes with their reads and writes would cost the interpreter more than an answer's token.
// Source: interface specification, "Certification": a fork's hash is SHA-256 of 0x10 "ic-hashtree-fork" and both hashes.
import { HEADER_BYTES } from '../tensor/assembly/protocol';
import { hashBlocks, swap } from '../tensor/assembly/sha256';
import { know, readOurs, writeOurs } from './blocks';
import {
  AT, BESIDE, COMMAND_RECEIPT, CONSTANTS, COUNT, COUNT_AT, EMPTY, HASH, LEVELS, MESSAGE, NEXT, PAGE_LEVELS, PLACE, RECEIPT, RECEIPTS, SECONDS, STATE, TIMES, TOP_PAGE,
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

/** hash = the fork of left and right, which stand in the message behind the 17 bytes of the domain. */
function hashFork(payload: usize): void {
  const state = <usize>load<u32>(payload, STATE);
  store<u64>(state, 0xbb67ae856a09e667);
  store<u64>(state, 0xa54ff53a3c6ef372, 8);
  store<u64>(state, 0x9b05688c510e527f, 16);
  store<u64>(state, 0x5be0cd191f83d9ab, 24);
  hashBlocks(state, payload + MESSAGE, 128, <usize>load<u32>(payload, CONSTANTS));
  for (let i: usize = 0; i < 32; i += 4) store<u32>(payload + HASH + i, swap(load<u32>(state + i)));
}

/** A command of receipts-protocol.ts. */
export function receipts(mailbox: usize): void {
  know();
  const payload = mailbox + HEADER_BYTES;
  const base = load<u64>(payload, AT);
  const isSet = load<u32>(mailbox, 4) == COMMAND_RECEIPT;
  let index = load<u32>(payload, PLACE);
  for (let level: u32 = 0; level < <u32>LEVELS; level++) {
    const beside = payload + BESIDE + (<usize>level << 5);
    nodeTo(beside, payload, level, index ^ 1);
    if (isSet) {
      writeOurs(nodeAt(base, level, index), payload + HASH, 32);
      const left = payload + MESSAGE + 17;
      memory.copy(left + ((index & 1) << 5), payload + HASH, 32);
      memory.copy(left + (((index & 1) ^ 1) << 5), beside, 32);
      hashFork(payload);
    }
    index >>= 1;
  }
  if (!isSet) return;
  writeOurs(nodeAt(base, LEVELS, 0), payload + HASH, 32);
  const place = load<u32>(payload, PLACE);
  const page = base + (<u64>(place >> PAGE_LEVELS) << 16);
  const inPage = <u64>(place & ((1 << PAGE_LEVELS) - 1));
  writeOurs(page + TIMES + (inPage << 2), payload + SECONDS, 4);
  writeOurs(page + RECEIPTS + (inPage << 5), payload + RECEIPT, 32);
  writeOurs(base + (<u64>TOP_PAGE << 16) + COUNT_AT, payload + COUNT, 4);
}
