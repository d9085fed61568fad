/** Sessions put into a canister's stable memory as its table of them has them, where to start as many takes minutes. */
import { encodeSlot, SESSION_SLOT_BYTES } from '../../src/service/session-index.ts';
import { tableHeader } from '../../src/service/slot-table.ts';
import { controller, type Installed } from './llm.ts';

const ID_AT = 66;

/**
 * Adds sessions that are over, of the controller, to those that the canister has.
 * @param last the session that was started last @throws Error where it is not found
 */
export function storeOver({ replica, canisterId }: Installed, last: string, count: number): void {
  const { stable } = replica.canister(canisterId)!;
  const memory = stable.committed();
  const at = find(memory.pages, last) - ID_AT;
  // the table's header says how many slots are used: the last one is that session's
  let table = at - SESSION_SLOT_BYTES;
  let used = 2;
  while (new DataView(memory.read(table, 4).buffer).getUint32(0, true) !== used) {
    table -= SESSION_SLOT_BYTES;
    used += 1;
  }
  const since = new DataView(memory.read(at + 112, 8).buffer).getFloat64(0, true);
  for (let i = 0; i < count; i++) {
    const slot = { owner: controller.toText(), standing: 'over', promised: 0, since } as const;
    const id = i.toString(16).padStart(32, '0');
    memory.write(table + (used + i) * SESSION_SLOT_BYTES, encodeSlot({ ...slot, id, born: 1000 + i, order: 1000 + i }));
  }
  memory.write(table, tableHeader(used + count));
  stable.replace(memory);
}

function find(pages: ReadonlyMap<number, Uint8Array>, id: string): number {
  for (const [page, bytes] of pages) {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = view.indexOf(id); at >= 0; at = view.indexOf(id, at + 1))
      if (at % SESSION_SLOT_BYTES === ID_AT) return page * bytes.length + at;
  }
  throw new Error(`expected the slot of session ${id} in stable memory, got none`);
}
