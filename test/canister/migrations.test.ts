/** Every layout of stable memory, brought to the present one. */
import { describe, expect, it } from 'vitest';
import { fromJsonBytes, hex, toJsonBytes, utf8 } from '../../src/canister/bytes.ts';
import { type Bytes, LAYOUT, migrate } from '../../src/canister/migrations.ts';
import { decodeSession, sessionHead } from '../../src/canister/session-record.ts';

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

const stable = () => ({
  records: new Memory(),
  sessions: new Memory(),
  encodings: new Memory(),
  encodingUses: new Memory(),
  nameOf: () => 'little-flan',
});

describe('stable memory', () => {
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
    expect(old.records.json('models')).toEqual([{ ...pack, name: 'little-flan' }]);
    const bytes = old.sessions.get(utf8(id))!;
    expect(sessionHead(bytes)).toEqual({ id, owner: 'aaaaa-aa', created: 1.7e12, live: true });
    const { maxNewTokens, ...kept } = session;
    expect(decodeSession(bytes)).toMatchObject({ ...kept, state: 'queued', options: { maxNewTokens, numBeams: 1 } });
    migrate(old);
    expect(old.sessions.get(utf8(id))).toBe(bytes);
  });

  it('of layout 2: each encoding has its size beside it, and no use yet', () => {
    const old = stable();
    old.records.insert(utf8('layout'), toJsonBytes(2));
    old.encodings.insert(Uint8Array.of(1, 2), new Uint8Array(5_000));
    migrate(old);
    const use = new DataView(old.encodingUses.get(Uint8Array.of(1, 2))!.buffer);
    expect([use.getUint32(0), use.getFloat64(4)]).toEqual([5_000, 0]);
  });

  it('of a later program stops the upgrade', () => {
    const later = stable();
    later.records.insert(utf8('layout'), toJsonBytes(LAYOUT + 1));
    expect(() => migrate(later)).toThrow(`expected stable memory of layout ${LAYOUT} at most, got ${LAYOUT + 1}`);
  });
});
