/**
 * The block of stable memory in which tables of slots lie (src/service/slot-table.ts), read with one copy after an upgrade. The layout is for ever:
 *
 *   0                    6 MiB                          7.25 MiB
 *   +--------------------+------------------------------+--------------+
 *   | sessions, 49,152   | uses of encodings, 20,480    | not used yet |
 *   | slots of 128 bytes | slots of 64 bytes            |              |
 *   +--------------------+------------------------------+--------------+
 */
import { SESSION_SLOT_BYTES } from '../service/session-index.ts';
import { SlotTable, type Storage } from '../service/slot-table.ts';
import { USE_SLOT_BYTES } from '../service/use-order.ts';
import { HEADER_BYTES } from '../tensor/assembly/protocol.ts';
import { type Blocks, readMailbox, writeMailbox } from './blocks.ts';
import { readRecord } from './stable.ts';

const MiB = 2 ** 20;
/** More than `max_active`, `max_queued` and `max_finished` come to at the most. */
const SESSION_SLOTS = 49_152;
const USE_SLOTS = 20_480;

let blocks: Blocks | undefined;

/** The blocks that tables lie in, which packs may not have. */
export function tableBlocks(): Blocks {
  blocks ??= readRecord<number[]>('tables') ?? [];
  return blocks;
}

const storageAt = (offset: number): Storage => ({
  read: (at, bytes) => readMailbox(tableBlocks(), offset + at, bytes).subarray(HEADER_BYTES),
  write(at, bytes) {
    const mailbox = new Uint8Array(HEADER_BYTES + bytes.length);
    mailbox.set(bytes, HEADER_BYTES);
    writeMailbox(tableBlocks(), offset + at, mailbox);
  },
});

export const sessionTable = (): SlotTable => new SlotTable(storageAt(0), SESSION_SLOT_BYTES, SESSION_SLOTS);
export const useTable = (): SlotTable => new SlotTable(storageAt(6 * MiB), USE_SLOT_BYTES, USE_SLOTS);
