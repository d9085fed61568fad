/**
 * Blocks of stable memory that are ours, beside Azle's maps: what is large lies there as one piece, read straight into
 * the arena, where a map would copy it twice and read its own nodes besides. src/native/blocks.ts keeps them apart from
 * Azle's.
 */

import {
  BLOCK_BYTES,
  COMMAND_OWNED,
  COMMAND_PAGE,
  COMMAND_READ,
  COMMAND_RESERVE,
  COMMAND_TAKE,
  COMMAND_WRITE,
  NO_ROOM,
  TAKEN,
} from '../../native/blocks-protocol.ts';
import { HEADER_BYTES } from '../../tensor/assembly/protocol.ts';
import type { StablePiece } from '../../tensor/recorder.ts';
import { unit } from '../runtime/unit.ts';

/** Numbers of the blocks that bytes lie in, in order; the last one need not be full. */
export type Blocks = readonly number[];

/**
 * Blocks for so many bytes, of those that are ours and not in use, or else new ones.
 * @throws RangeError where stable memory has no room for them
 */
export function allotBlocks(bytes: number, inUse: Iterable<Blocks>): number[] {
  const owned = unit.command(COMMAND_OWNED);
  // not a set, which QuickJS is slow with (model/generation/distinct.ts)
  const used = new Uint8Array(owned);
  for (const blocks of inUse) for (const block of blocks) used[block] = 1;
  const count = Math.ceil(bytes / BLOCK_BYTES);
  const free: number[] = [];
  for (let block = 0; block < owned && free.length < count; block++) if (!used[block]) free.push(block);
  const more = count - free.length;
  if (more > 0) {
    const result = unit.command(COMMAND_TAKE, more);
    if (result === NO_ROOM) throw new RangeError(`stable memory: expected room for ${more} blocks of 8 MiB, got none`);
    if (result !== TAKEN) throw new Error("stable memory: expected a memory manager's first page, got another");
    for (let block = owned; block < owned + more; block++) free.push(block);
  }
  return free;
}

/**
 * Makes sure that Azle's maps can take so many bytes more: where stable memory does not grow they panic, and nobody
 * would learn why.
 * @throws NoStableRoom where it does not
 */
export function reserveFor(bytes: number): void {
  const result = unit.command(COMMAND_RESERVE, 1 + Math.floor(bytes / BLOCK_BYTES));
  if (result === NO_ROOM) {
    throw new NoStableRoom(
      `stable memory: expected room for ${bytes} bytes, got none; the subnet or the canister has no more; delete a model, or try again later`,
    );
  }
}

export class NoStableRoom extends RangeError {}

/** Why a method that writes a little is not begun; what does not fit later on traps, which undoes the message. */
export function lacksStableRoom(method: string): string | undefined {
  try {
    reserveFor(0);
    return undefined;
  } catch (error) {
    if (error instanceof NoStableRoom) return `${method}: ${error.message}`;
    throw error;
  }
}

/** Calls `move` for each run of bytes that lie in one block: where it is in our blocks, and where among the bytes. */
function byBlock(
  blocks: Blocks,
  offset: number,
  bytes: number,
  move: (address: number, from: number, length: number) => void,
): void {
  if (offset + bytes > blocks.length * BLOCK_BYTES)
    throw new RangeError(`blocks: expected at most ${blocks.length * BLOCK_BYTES} bytes, got ${offset + bytes}`);
  for (let from = 0; from < bytes; ) {
    const length = Math.min(BLOCK_BYTES - ((offset + from) % BLOCK_BYTES), bytes - from);
    move(addressOf(blocks, offset + from), from, length);
    from += length;
  }
}

/** Where a byte of blocks is among all that are ours. */
export const addressOf = (blocks: Blocks, offset: number): number =>
  blocks[Math.floor(offset / BLOCK_BYTES)]! * BLOCK_BYTES + (offset % BLOCK_BYTES);

/** Where bytes of blocks are in stable memory, a piece for each block. */
export function stablePieces(blocks: Blocks, offset: number, bytes: number): StablePiece[] {
  const pieces: StablePiece[] = [];
  byBlock(blocks, offset, bytes, (address, _, length) => {
    const page = unit.command(COMMAND_PAGE, Math.floor(address / BLOCK_BYTES));
    pieces.push({ page, offset: address % BLOCK_BYTES, bytes: length });
  });
  return pieces;
}

/** Copies bytes of blocks to memory at `pointer`. */
export function readToArena(blocks: Blocks, offset: number, bytes: number, pointer: number): void {
  byBlock(blocks, offset, bytes, (address, from, length) => {
    unit.command(COMMAND_READ, pointer + from, length, address, address / 2 ** 32);
  });
}

/** Bytes of blocks behind HEADER_BYTES of room, as a mailbox has them. */
export function readMailbox(blocks: Blocks, offset: number, bytes: number): Uint8Array {
  const mailbox = new Uint8Array(HEADER_BYTES + bytes);
  inPlace(blocks, offset, mailbox, COMMAND_READ);
  return mailbox;
}

/** Puts the bytes behind HEADER_BYTES of room into blocks. */
export const writeMailbox = (blocks: Blocks, offset: number, mailbox: Uint8Array): void =>
  inPlace(blocks, offset, mailbox, COMMAND_WRITE);

/** Each run of the payload is a mailbox where it lies: its header goes over bytes before it, and these are put back. */
function inPlace(blocks: Blocks, offset: number, mailbox: Uint8Array, command: number): void {
  byBlock(blocks, offset, mailbox.length - HEADER_BYTES, (address, from, length) => {
    const before = mailbox.slice(from, from + HEADER_BYTES);
    unit.bulk(mailbox.subarray(from, from + HEADER_BYTES + length), command, 0, address, address / 2 ** 32);
    mailbox.set(before, from);
  });
}
