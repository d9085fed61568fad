/** Storage of a table in Node. */
import { SlotTable, type Storage } from '../../src/service/slot-table.ts';

export class Memory implements Storage {
  readonly bytes: Uint8Array;
  writes = 0;
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }
  read = (at: number, bytes: number): Uint8Array => this.bytes.slice(at, at + bytes);
  write(at: number, bytes: Uint8Array): void {
    this.writes += 1;
    this.bytes.set(bytes, at);
  }
}

/** Tables one after the other over the same memory, as an upgrade makes them. */
export function tablesOver(slotBytes: number, capacity: number): () => SlotTable {
  const memory = new Memory(slotBytes * capacity);
  return () => new SlotTable(memory, slotBytes, capacity);
}
