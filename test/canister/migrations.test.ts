/** Every layout of stable memory, brought to the present one. */
import { Principal } from '@dfinity/principal';
import { describe, expect, it } from 'vitest';
import { decodeSession } from '../../src/canister/sessions/session-record.ts';
import { fromJsonBytes, toJsonBytes, utf8 } from '../../src/canister/storage/bytes.ts';
import { type Bytes, LAYOUT, migrate } from '../../src/canister/storage/migrations.ts';
import { hex } from '../../src/interface/hex.ts';
import { emptyBill } from '../../src/service/bill.ts';
import { Roles } from '../../src/service/roles.ts';
import { SESSION_SLOT_BYTES, SessionIndex } from '../../src/service/session-index.ts';
import { SlotTable } from '../../src/service/slot-table.ts';
import { USE_SLOT_BYTES, UseOrder } from '../../src/service/use-order.ts';

class Memory implements Bytes {
  private readonly map = new Map<string, Uint8Array>();
  get = (key: Uint8Array) => this.map.get(hex(key));
  insert = (key: Uint8Array, value: Uint8Array) => this.map.set(hex(key), value);
  remove = (key: Uint8Array) => this.map.delete(hex(key));
  *keys() {
    for (const key of this.map.keys()) yield new Uint8Array(Buffer.from(key, 'hex'));
  }
  json = (name: string): unknown => fromJsonBytes(this.get(utf8(name))!);
}

const MiB = 2 ** 20;

function stable() {
  const chunks = new Memory();
  const uses = new Memory();
  const blocks: Uint8Array[] = [];
  return {
    records: new Memory(),
    sessions: new Memory(),
    encodings: new Memory(),
    usesMap: uses,
    encodingUses: () => uses,
    chunkMap: chunks,
    chunks: () => chunks,
    blocks,
    allotBlocks(bytes: number, inUse: readonly number[][]): number[] {
      const used = inUse.flat();
      const free = Array.from({ length: 100 }, (_, block) => block).filter((block) => !used.includes(block));
      return free.slice(0, Math.ceil(bytes / (8 * MiB)));
    },
    writeBlocks(numbers: readonly number[], offset: number, withRoom: Uint8Array): void {
      const block = numbers[Math.floor(offset / (8 * MiB))]!;
      blocks[block] ??= new Uint8Array(8 * MiB);
      blocks[block].set(withRoom.subarray(64), offset % (8 * MiB));
    },
  };
}

/** The tables, as the present program reads them. */
function tables({ records, blocks }: ReturnType<typeof stable>) {
  const [block] = records.json('tables') as [number];
  const at = (offset: number) => ({
    read: (from: number, bytes: number) => blocks[block]!.slice(offset + from, offset + from + bytes),
    write: () => {},
  });
  const sessions = new SessionIndex(new SlotTable(at(0), SESSION_SLOT_BYTES, 49_152));
  const waiting = [...sessions.open([])].flat();
  const uses = new UseOrder(new SlotTable(at(6 * MiB), USE_SLOT_BYTES, 20_480));
  Array.from(uses.open());
  return { block, sessions, waiting, uses };
}

describe('stable memory', () => {
  it('of layout 5: roles are entries of bytes, everybody has the one they had', () => {
    const old = stable();
    old.records.insert(utf8('layout'), toJsonBytes(5));
    const people = Array.from({ length: 30 }, (_, n) => Principal.fromUint8Array(new Uint8Array(n).fill(37 * n)));
    const role = (n: number) => (n % 3 === 0 ? 'admin' : 'user');
    const json = Object.fromEntries(people.map((who, n) => [who.toText(), role(n)]));
    old.records.insert(utf8('roles'), toJsonBytes(json));
    migrate(old);
    const roles = new Roles(old.records.get(utf8('role_table')));
    expect(roles.size).toBe(30);
    people.forEach((who, n) => {
      expect(roles.get(who.toUint8Array())).toBe(role(n));
    });
    expect(old.records.get(utf8('roles'))).toBeUndefined();
  });

  it('of layout 6: the tree of receipts has a block that nothing else has, and counts none', () => {
    const old = stable();
    old.records.insert(utf8('layout'), toJsonBytes(6));
    old.records.insert(utf8('models'), toJsonBytes([{ blocks: [0] }]));
    old.records.insert(utf8('upload'), toJsonBytes({ blocks: [2] }));
    old.records.insert(utf8('tables'), toJsonBytes([1]));
    old.blocks[3] = new Uint8Array(8 * MiB).fill(7);
    migrate(old);
    expect(old.records.json('receipts')).toEqual([3]);
    expect(new Uint32Array(old.blocks[3].buffer, 64 * 65_536 + 32_768, 1)[0]).toBe(0);
  });

  it('that is empty gets the number of the present layout', () => {
    const empty = stable();
    migrate(empty);
    expect(empty.records.json('layout')).toBe(LAYOUT);
  });

  it('of layout 1: its one model is the active one, its sessions are as they were', () => {
    const old = stable();
    const pack = { pack: 3, bytes: 1000, sha256: 'ab'.repeat(32) };
    old.records.insert(utf8('active'), toJsonBytes(pack));
    const id = '0123456789abcdef'.repeat(2);
    const session = {
      id,
      owner: 'aaaaa-aa',
      created: 1.7e12,
      model: pack.sha256,
      sourceIds: [5, 1],
      tokenIds: [7],
      maxNewTokens: 9,
      tokensPerCall: 1,
      state: 'generating',
      reason: '',
      calls: 1,
      instructions: 5,
      unitInstructions: 4,
      embeddingCached: false,
    };
    old.sessions.insert(utf8(id), toJsonBytes(session));
    migrate(old);
    expect(old.records.json('active')).toBe(pack.sha256);
    const { bytes: size, sha256 } = pack;
    expect(old.records.json('models')).toEqual([{ blocks: [0], bytes: size, sha256, name: '' }]);
    const bytes = old.sessions.get(utf8(id))!;
    expect(tables(old).waiting).toMatchObject([{ id, owner: 'aaaaa-aa', since: 1.7e12, standing: 'underWay' }]);
    const { maxNewTokens, ...kept } = session;
    expect(decodeSession(bytes, emptyBill)).toMatchObject({
      ...kept,
      state: 'queued',
      options: { maxNewTokens, numBeams: 1 },
    });
    migrate(old);
    expect(old.sessions.get(utf8(id))).toBe(bytes);
  });

  it('of layout 2: each encoding has its size beside it, and no use yet', () => {
    const old = stable();
    old.records.insert(utf8('layout'), toJsonBytes(2));
    old.encodings.insert(Uint8Array.of(1, 2), new Uint8Array(5_000));
    migrate(old);
    const use = new DataView(old.usesMap.get(Uint8Array.of(1, 2))!.buffer);
    expect([use.getUint32(0), use.getFloat64(4)]).toEqual([5_000, 0]);
  });

  it('of layout 4: sessions and the uses of encodings are in tables, in a block that no pack has', () => {
    const old = stable();
    old.records.insert(utf8('layout'), toJsonBytes(4));
    old.records.insert(utf8('models'), toJsonBytes([{ blocks: [0, 2], bytes: 9 * MiB, sha256: 'ab', name: '' }]));
    old.records.insert(utf8('upload'), toJsonBytes({ blocks: [1], bytes: 5, sha256: 'cd' }));
    const owner = '2vxsx-fae';
    for (const i of [3, 1, 2]) {
      const bytes = new Uint8Array(27 + owner.length);
      bytes.set([2, Number(i === 3)]);
      new DataView(bytes.buffer).setFloat64(2, 1.7e12 + i);
      bytes[26] = owner.length;
      bytes.set(utf8(owner), 27);
      old.sessions.insert(utf8(`${i}`.repeat(32)), bytes);
    }
    for (const i of [7, 5, 6]) {
      const key = new Uint8Array(32).fill(i);
      old.encodings.insert(key, new Uint8Array(100));
      const bytes = new Uint8Array(12);
      new DataView(bytes.buffer).setUint32(0, i * 100);
      new DataView(bytes.buffer).setFloat64(4, i);
      old.usesMap.insert(key, bytes);
    }
    migrate(old);
    const { block, sessions, waiting, uses } = tables(old);
    expect(block).toBe(3);
    expect(Array.from(sessions.of(owner), ({ id }) => id[0])).toEqual(['3', '2', '1']);
    expect(waiting.map(({ id }) => id[0])).toEqual(['3']);
    expect(sessions.endedFirst()).toMatchObject({ id: '1'.repeat(32), since: 1.7e12 + 1, standing: 'over' });
    expect([uses.size, uses.bytes, uses.leastRecent()]).toEqual([3, 1_800, '\u0005'.repeat(32)]);
  });

  it('of layout 3: packs are in blocks, an upload under way lacks what it lacked', () => {
    const old = stable();
    old.records.insert(utf8('layout'), toJsonBytes(3));
    const chunk = (pack: number, index: number, length: number): void => {
      const withRoom = new Uint8Array(64 + length).fill(16 * pack + index, 64);
      old.chunkMap.insert(Uint8Array.of(0, 0, 0, pack, 0, 0, 0, index), withRoom);
    };
    const bytes = 9 * MiB + 5;
    for (let i = 0; i < 10; i++) chunk(1, i, i < 9 ? MiB : 5);
    for (const i of [0, 3]) chunk(2, i, MiB);
    const pack = { bytes, sha256: 'ab'.repeat(32), name: 'a model' };
    old.records.insert(utf8('models'), toJsonBytes([{ pack: 1, ...pack }]));
    old.records.insert(utf8('active'), toJsonBytes(pack.sha256));
    const upload = { bytes: 6 * MiB, sha256: 'cd'.repeat(32), name: '', hashed: 1, words: [1, 2, 3, 4, 5, 6, 7, 8] };
    old.records.insert(utf8('upload'), toJsonBytes({ pack: 2, ...upload }));
    old.records.insert(utf8('packs'), toJsonBytes(2));
    migrate(old);
    expect(old.records.json('models')).toEqual([{ blocks: [0, 1], ...pack }]);
    const missing = [
      { first: 1, last: 2 },
      { first: 4, last: 5 },
    ];
    expect(old.records.json('upload')).toEqual({ blocks: [2], ...upload, missing });
    const at = (block: number, i: number) => [old.blocks[block]![i * MiB], old.blocks[block]![(i + 1) * MiB - 1]];
    for (let i = 0; i < 9; i++) expect(at(i >> 3, i & 7)).toEqual([16 + i, 16 + i]);
    expect([...old.blocks[1]!.subarray(MiB, MiB + 6)]).toEqual([25, 25, 25, 25, 25, 0]);
    expect([at(2, 0), at(2, 1), at(2, 3)].map(([byte]) => byte)).toEqual([32, 0, 35]);
    expect(old.records.get(utf8('packs'))).toBeUndefined();
  });

  it('of a later program stops the upgrade', () => {
    const later = stable();
    later.records.insert(utf8('layout'), toJsonBytes(LAYOUT + 1));
    expect(() => migrate(later)).toThrow(`expected stable memory of layout ${LAYOUT} at most, got ${LAYOUT + 1}`);
  });
});
