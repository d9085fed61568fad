/**
 * A table of slots of equal size in stable memory. A slot is written as it changes, so nothing has to be saved before
 * an upgrade; after one, the whole table is read with one copy. What a slot holds is its user's: its first byte is 0
 * where the slot is free.
 *
 *   slot 0: u32, how many slots were ever used, this one included | slot 1 | slot 2 | …
 */

/** Where the bytes lie. Offsets are from the table's beginning; what is read is aligned to 8 bytes. */
export interface Storage {
  read(offset: number, bytes: number): Uint8Array;
  write(offset: number, bytes: Uint8Array): void;
}

export class SlotTable {
  private readonly storage: Storage;
  readonly slotBytes: number;
  private readonly capacity: number;
  private free: number[] = [];
  private used = 1;

  /** @param capacity slots that there is room for, the first one included */
  constructor(storage: Storage, slotBytes: number, capacity: number) {
    this.storage = storage;
    this.slotBytes = slotBytes;
    this.capacity = capacity;
  }

  /** Reads the table. @returns its bytes, and the slots in use */
  open(): { bytes: Uint8Array; taken: number[] } {
    const { storage, slotBytes } = this;
    const header = storage.read(0, 8);
    this.used = Math.max(new DataView(header.buffer, header.byteOffset).getUint32(0, true), 1);
    const bytes = storage.read(0, this.used * slotBytes);
    const taken: number[] = [];
    this.free = [];
    for (let slot = 1; slot < this.used; slot++) (bytes[slot * slotBytes] === 0 ? this.free : taken).push(slot);
    return { bytes, taken };
  }

  /** A free slot, which is taken once it is written; undefined where the table is full. */
  take(): number | undefined {
    const slot = this.free.pop();
    if (slot !== undefined) return slot;
    if (this.used >= this.capacity) return undefined;
    this.used += 1;
    this.storage.write(0, tableHeader(this.used));
    return this.used - 1;
  }

  write(slot: number, bytes: Uint8Array): void {
    this.storage.write(slot * this.slotBytes, bytes);
  }

  giveBack(slot: number): void {
    // all of it: what was there may be somebody's
    this.write(slot, new Uint8Array(this.slotBytes));
    this.free.push(slot);
  }
}

/** Eight bytes that a table of so many used slots begins with. */
export const tableHeader = (used: number): Uint8Array => new Uint8Array(Uint32Array.of(used, 0).buffer);

/** ASCII that stands in a slot. */
export const asciiAt = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode.apply(null, bytes.subarray(at, at + length) as unknown as number[]);

/** Writes ASCII, or other characters below 256. */
export function putAscii(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}
