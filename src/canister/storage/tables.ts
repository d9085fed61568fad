/**
 * The block of stable memory in which tables of slots lie (src/service/slot-table.ts), read with one copy after an
 * upgrade. The layout is for ever:
 *
 *   0                    6 MiB                          7.25 MiB
 *   +--------------------+------------------------------+--------------+
 *   | sessions, 49,152   | uses of encodings, 20,480    | bills, a row |
 *   | slots of 128 bytes | slots of 64 bytes            | of 16 bytes  |
 *   +--------------------+------------------------------+--------------+
 *
 * The row of a session's slot has its bill: instructions f64, fees in thousands of cycles u32, messages u32. What it
 * was before there were such rows, or another session had the slot, may stand in it: a record of a session says whether
 * its bill is here (session-record.ts).
 */
import type { Bill } from '../../service/bill.ts';
import { SESSION_SLOT_BYTES } from '../../service/session-index.ts';
import { SlotTable, type Storage } from '../../service/slot-table.ts';
import { USE_SLOT_BYTES } from '../../service/use-order.ts';
import { HEADER_BYTES } from '../../tensor/assembly/protocol.ts';
import { addressOf, type Blocks, readMailbox, writeMailbox } from './blocks.ts';
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

const BILLS = 7.25 * MiB;
const BILL_BYTES = 16;
/** A row has fees in so many cycles, and rounds them up. */
const FEE_UNIT = 1000;
const MOST = 2 ** 32 - 1;

/** Where in our blocks the instructions of a slot's bill stand. */
export const billAddress = (slot: number): number => addressOf(tableBlocks(), BILLS + slot * BILL_BYTES);

export function writeBill(slot: number, { instructions, fees, messages }: Bill): void {
  const bytes = new Uint8Array(BILL_BYTES);
  new Float64Array(bytes.buffer, 0, 1)[0] = instructions;
  new Uint32Array(bytes.buffer, 8).set([Math.min(Math.ceil(fees / FEE_UNIT), MOST), Math.ceil(messages)]);
  storageAt(BILLS).write(slot * BILL_BYTES, bytes);
}

export function readBill(slot: number): Bill {
  const bytes = storageAt(BILLS)
    .read(slot * BILL_BYTES, BILL_BYTES)
    .slice();
  const [fees, messages] = new Uint32Array(bytes.buffer, 8);
  return { instructions: new Float64Array(bytes.buffer)[0]!, fees: fees! * FEE_UNIT, messages: messages! };
}
