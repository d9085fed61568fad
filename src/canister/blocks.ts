/**
 * Blocks of stable memory that are ours, beside Azle's maps: what is large lies there as one piece, read straight into the arena, where a map would copy it twice and
 * read its own nodes besides. assembly/blocks.ts keeps them apart from Azle's.
 */
import { certifiedDataSet } from 'azle';
import { HEADER_BYTES, MAGIC, RESULT } from '../tensor/assembly/protocol.ts';
import {
  BLOCK_BYTES,
  COMMAND_OWNED,
  COMMAND_READ,
  COMMAND_TAKE,
  COMMAND_WRITE,
  NO_ROOM,
  TAKEN,
} from './assembly/blocks-protocol.ts';

/** Numbers of the blocks that bytes lie in, in order; the last one need not be full. */
export type Blocks = readonly number[];

function send(mailbox: Uint8Array, command: number, a = 0, bytes = 0, address = 0): number {
  const words = new Uint32Array(mailbox.buffer, mailbox.byteOffset, HEADER_BYTES / 4);
  words[0] = MAGIC;
  words[1] = command;
  words[2] = a;
  words[3] = bytes;
  words[4] = address;
  words[5] = address / 2 ** 32;
  certifiedDataSet(mailbox);
  return words[RESULT]!;
}

const header = (): Uint8Array => new Uint8Array(HEADER_BYTES);

/**
 * Blocks for so many bytes, of those that are ours and not in use, or else new ones.
 * @throws RangeError where stable memory has no room for them
 */
export function allotBlocks(bytes: number, inUse: Iterable<Blocks>): number[] {
  const owned = send(header(), COMMAND_OWNED);
  const used = new Set([...inUse].flat());
  const count = Math.ceil(bytes / BLOCK_BYTES);
  const free: number[] = [];
  for (let block = 0; block < owned && free.length < count; block++) if (!used.has(block)) free.push(block);
  const more = count - free.length;
  if (more > 0) {
    const result = send(header(), COMMAND_TAKE, more);
    if (result === NO_ROOM) throw new RangeError(`stable memory: expected room for ${more} blocks of 8 MiB, got none`);
    if (result !== TAKEN) throw new Error("stable memory: expected a memory manager's first page, got another");
    for (let block = owned; block < owned + more; block++) free.push(block);
  }
  return free;
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
    const within = (offset + from) % BLOCK_BYTES;
    const length = Math.min(BLOCK_BYTES - within, bytes - from);
    move(blocks[Math.floor((offset + from) / BLOCK_BYTES)]! * BLOCK_BYTES + within, from, length);
    from += length;
  }
}

/** Copies bytes of blocks to memory at `pointer`. */
export function readToArena(blocks: Blocks, offset: number, bytes: number, pointer: number): void {
  byBlock(blocks, offset, bytes, (address, from, length) =>
    send(header(), COMMAND_READ, pointer + from, length, address),
  );
}

/** Bytes of blocks behind HEADER_BYTES of room, as a mailbox has them. */
export function readMailbox(blocks: Blocks, offset: number, bytes: number): Uint8Array {
  const mailbox = new Uint8Array(HEADER_BYTES + bytes);
  byBlock(blocks, offset, bytes, (address, from, length) => {
    inPlace(mailbox, from, (part) => send(part, COMMAND_READ, 0, length, address));
  });
  return mailbox;
}

/** Puts the bytes behind HEADER_BYTES of room into blocks. */
export function writeMailbox(blocks: Blocks, offset: number, mailbox: Uint8Array): void {
  byBlock(blocks, offset, mailbox.length - HEADER_BYTES, (address, from, length) => {
    inPlace(mailbox, from, (part) => send(part, COMMAND_WRITE, 0, length, address));
  });
}

/** The mailbox from byte `from` of its payload on: its header goes over bytes before that, and these are put back. */
function inPlace(mailbox: Uint8Array, from: number, use: (part: Uint8Array) => void): void {
  const before = mailbox.slice(from, from + HEADER_BYTES);
  use(mailbox.subarray(from));
  mailbox.set(before, from);
}
