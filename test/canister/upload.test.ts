/** Taking packs in: every wrong one has its answer, and the model that was there goes on answering. */

import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { _SERVICE as Llm } from '../../src/interface/llm.did.ts';
import { PACK_VERSION } from '../../src/model/pack/pack.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { change, controller, type Installed, install, ok, sha256Of, stranger, upload } from './llm.ts';

let installed: Installed;
let llm: Llm;
let pack: Uint8Array;

/** A pack that the canister has not seen yet: another weight. */
function fresh(): Uint8Array {
  seen += 1;
  const bytes = pack.slice();
  bytes[100_000 + seen]! ^= 1;
  return bytes;
}
let seen = 0;
/** How many chunks the pack has, and what the model says. */
let chunks = 0;
let answer = '';
const from = (first: number): number[] => Array.from({ length: chunks - first }, (_, i) => first + i);

beforeAll(async () => {
  pack = new Uint8Array(readFileSync((await packFolder('models/little-flan', 'int8')).path));
  installed = await install();
  llm = installed.as();
  await upload(llm, pack);
  chunks = Math.ceil(pack.length / (1 << 20));
  answer = ok(await llm.generate('opposite of hot:')).text;
  expect(answer).not.toBe('');
});

const chunk = (bytes: Uint8Array, i: number): Uint8Array => bytes.slice(i << 20, (i + 1) << 20);
const start = (bytes: Uint8Array) => llm.upload_start(BigInt(bytes.length), sha256Of(bytes));

/** Uploads and commits; the commit's answer. */
async function tryPack(bytes: Uint8Array) {
  await start(bytes);
  for (let i = 0; i << 20 < bytes.length; i++) await llm.upload_chunk(i, chunk(bytes, i), []);
  return llm.upload_commit();
}

async function stillAnswers(): Promise<void> {
  const result = await llm.generate('opposite of hot:');
  expect('Ok' in result && result.Ok.text).toBe(answer);
}

/** The pack with a change to its head's JSON. */
function withHead(change: (head: Record<string, unknown>) => void): Uint8Array {
  const bytes = pack.slice();
  const headBytes = new DataView(bytes.buffer).getUint32(12, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.slice(16, 16 + headBytes)));
  change(head);
  bytes.fill(0x20, 16, 16 + headBytes).set(new TextEncoder().encode(JSON.stringify(head)), 16);
  return bytes;
}

describe('upload', () => {
  let next: Uint8Array;
  beforeEach(async () => {
    next = fresh();
    await start(next);
  });

  it('takes chunks in any order, and each as often as one likes', async () => {
    for (const i of [...from(0).reverse(), 0, 2, 1])
      expect(await llm.upload_chunk(i, chunk(next, i), [])).toEqual({ Ok: null });
    expect(await llm.upload_commit()).toEqual({ Ok: null });
    await stillAnswers();
  });

  it('goes on with an upload that was begun', async () => {
    await llm.upload_chunk(0, chunk(next, 0), []);
    await installed.upgrade();
    await start(next);
    for (const i of from(1)) await llm.upload_chunk(i, chunk(next, i), []);
    expect(await llm.upload_commit()).toEqual({ Ok: null });
  });

  it('names the chunks that are missing', async () => {
    await llm.upload_chunk(1, chunk(next, 1), []);
    expect(await llm.upload_commit()).toMatchObject({
      Err: { Incomplete: { missing: Uint32Array.of(0, ...from(2)) } },
    });
    await stillAnswers();
  });

  it('refuses a chunk past the end, and one of a wrong size', async () => {
    expect(await llm.upload_chunk(chunks, new Uint8Array(1), [])).toEqual({
      Err: { InvalidChunk: `upload_chunk: expected an index from 0 to ${chunks - 1}, got ${chunks}` },
    });
    expect(await llm.upload_chunk(0, new Uint8Array((1 << 20) + 1), [])).toEqual({
      Err: { InvalidChunk: 'upload_chunk: expected 1048576 bytes for chunk 0, got 1048577' },
    });
    expect(await llm.upload_chunk(0, new Uint8Array(0), [])).toEqual({
      Err: { InvalidChunk: 'upload_chunk: expected 1048576 bytes for chunk 0, got 0' },
    });
  });

  it('refuses an argument larger than a message may be, before the canister sees it', async () => {
    await expect(llm.upload_chunk(0, new Uint8Array(3 << 20), [])).rejects.toThrow();
  });

  it('refuses a chunk that has another hash than its own, at once; the others stay', async () => {
    await llm.upload_chunk(0, chunk(next, 0), [sha256Of(chunk(next, 0))]);
    const wrong = chunk(next, 1);
    wrong[5]! ^= 1;
    const message = expect.stringMatching(
      /^upload_chunk: expected SHA-256 .{64} for chunk 1, got .{64}; send it again$/,
    );
    expect(await llm.upload_chunk(1, wrong, [sha256Of(chunk(next, 1))])).toEqual({ Err: { InvalidChunk: message } });
    expect((await llm.upload_status())[0]!.missing).toEqual([{ first: 1, last: chunks - 1 }]);
    for (const i of from(1)) await llm.upload_chunk(i, chunk(next, i), [sha256Of(chunk(next, i)).toUpperCase()]);
    expect(await llm.upload_commit()).toEqual({ Ok: null });
  });

  it('takes a chunk without a third argument, as it was before there was one', async () => {
    const arg = new Uint8Array(IDL.encode([IDL.Nat32, IDL.Vec(IDL.Nat8)], [0, chunk(next, 0)]));
    await installed.replica.updateCall({
      canisterId: installed.canisterId,
      method: 'upload_chunk',
      arg,
      sender: controller,
    });
    expect((await llm.upload_status())[0]!.received).toBe(1);
  });

  it('refuses bytes that have another hash than was said', async () => {
    const wrong = next.slice();
    wrong[next.length - 1]! ^= 1;
    for (const i of from(0)) await llm.upload_chunk(i, chunk(wrong, i), []);
    const message = `upload_commit: expected SHA-256 ${sha256Of(next)}, got ${sha256Of(wrong)}; upload the pack again`;
    expect(await llm.upload_commit()).toEqual({ Err: { WrongHash: message } });
    expect(await llm.upload_commit()).toMatchObject({ Err: { NotStarted: expect.any(String) } });
    await stillAnswers();
  });
});

describe('a stored pack that a later program does not read', () => {
  it('is no model; the canister says what to do and takes the next one', async () => {
    const later = await install();
    const me = later.as();
    await upload(me, pack);
    const { stable } = later.replica.canister(later.canisterId)!;
    const bytes = new Uint8Array(stable.size * 65536);
    stable.read(0, bytes);
    const at = Buffer.from(bytes.buffer).indexOf('STEPWISE');
    expect(bytes[at + 8]).toBe(PACK_VERSION);
    stable.write(at + 8, Uint8Array.of(9));
    stable.commit();
    await later.upgrade();
    expect(await me.model_info()).toEqual([]);
    const message = `generate: pack: expected version ${PACK_VERSION}, got 9; convert the model again, and upload it`;
    expect(await me.generate('hi')).toEqual({ Err: { NoModel: message } });
    await upload(me, fresh());
    expect(await me.generate('what is the capital of france?')).toMatchObject({ Ok: { text: 'paris' } });
  });
});

describe('packs that are none', () => {
  it('truncated', async () => {
    expect(await tryPack(pack.slice(0, 2_000_000))).toMatchObject({
      Err: { InvalidPack: `upload_commit: pack: expected file bytes ${pack.length}, got 2000000` },
    });
    await stillAnswers();
  });

  it('of another version', async () => {
    const other = pack.slice();
    other[8] = 9;
    expect(await tryPack(other)).toEqual({
      Err: { InvalidPack: `upload_commit: pack: expected version ${PACK_VERSION}, got 9; convert the model again` },
    });
    await stillAnswers();
  });

  it('something else', async () => {
    const message = expect.stringContaining('expected a file that begins with STEPWISE');
    expect(await tryPack(new Uint8Array(1000))).toMatchObject({ Err: { InvalidPack: message } });
    await stillAnswers();
  });

  it.each([
    [
      'a tensor',
      (h: Record<string, never>) => Object.assign(h['tensors'][3]!, { offset: 16 }),
      /expected encoder.block.0.*, got/,
    ],
    [
      'the weights',
      (h: Record<string, unknown>) => Object.assign(h, { weightsBytes: 2 ** 40 }),
      /expected weightsBytes/,
    ],
    [
      'the model',
      (h: Record<string, never>) => Object.assign(h['json']['config'], { d_model: 4096 }),
      /pack: expected/,
    ],
    ['all sense', (h: Record<string, never>) => Object.assign(h['json']['config'], { d_model: 1e9 }), /d_model/],
    ['what is there', (h: Record<string, unknown>) => delete h['tensors'], /got nothing/],
  ])('whose head lies about %s', async (_, change, message) => {
    const result = await tryPack(withHead(change as (head: Record<string, unknown>) => void));
    expect(result).toMatchObject({ Err: { InvalidPack: expect.stringMatching(message) } });
    await stillAnswers();
  });
});

describe('the store', () => {
  it('says which chunks are there, and forgets an upload when told', async () => {
    const next = fresh();
    await start(next);
    await llm.upload_chunk(1, chunk(next, 1), []);
    expect(await llm.upload_status()).toEqual([
      {
        sha256: sha256Of(next),
        bytes: BigInt(next.length),
        chunk_bytes: 1 << 20,
        chunks,
        received: 1,
        missing: [
          { first: 0, last: 0 },
          { first: 2, last: chunks - 1 },
        ],
      },
    ]);
    expect(await llm.upload_abort()).toEqual({ Ok: null });
    expect(await llm.upload_status()).toEqual([]);
  });

  it('keeps a pack beside the active one, switches to it and back, and needs none of its bytes again', async () => {
    const [first] = (await llm.models()).filter(({ active }) => active);
    const next = fresh();
    await start(next);
    for (const i of from(0)) await llm.upload_chunk(i, chunk(next, i), []);
    const arena = (await llm.status()).arena_bytes;
    expect(await llm.upload_store()).toEqual({ Ok: null });
    expect((await llm.model_info())[0]!.sha256).toBe(first!.sha256);
    expect(await llm.model_activate(sha256Of(next))).toEqual({ Ok: null });
    expect((await llm.model_info())[0]!.sha256).toBe(sha256Of(next));
    await stillAnswers();
    await llm.upload_start(first!.bytes, first!.sha256);
    expect((await llm.upload_status())[0]).toMatchObject({ received: chunks, missing: [] });
    expect(await llm.upload_commit()).toEqual({ Ok: null });
    expect((await llm.model_info())[0]!.sha256).toBe(first!.sha256);
    await stillAnswers();
    expect((await llm.status()).arena_bytes).toBe(arena);
  });

  it('a session shows its text when another model is active; what only the old one could tell is refused', async () => {
    const { session, text } = ok(await llm.generate('opposite of hot:'));
    const next = fresh();
    await tryPack(next);
    expect(ok(await llm.progress(session, 0))).toMatchObject({ text, state: { finished: { stop: null } } });
    expect(ok(await llm.resume(session)).text).toBe(text);
    expect(await llm.progress(session, 1)).toMatchObject({
      Err: { NoModel: expect.stringContaining('from token 0 on') },
    });
  });

  it('deletes what is not active, and gives its room to the next', async () => {
    const others = (await llm.models()).filter(({ active }) => !active);
    expect(others.length).toBeGreaterThan(0);
    for (const { sha256 } of others) expect(await llm.model_delete(sha256)).toEqual({ Ok: null });
    const [only, ...none] = await llm.models();
    expect(none).toEqual([]);
    expect(await llm.model_delete(only!.sha256)).toMatchObject({
      Err: { NoSuchModel: expect.stringContaining('not active') },
    });
    const pages = () => installed.replica.canister(installed.canisterId)!.stable.size;
    const before = pages();
    for (let i = 0; i < 2; i++) {
      const next = fresh();
      await start(next);
      for (const j of from(0)) await llm.upload_chunk(j, chunk(next, j), []);
      await llm.upload_store();
      await llm.model_delete(sha256Of(next));
    }
    expect(pages()).toBe(before);
    await stillAnswers();
  });

  it('refuses more than the settings allow', async () => {
    await llm.set_settings(change({ model_bytes: 3_000_000n }));
    expect(await start(fresh())).toMatchObject({
      Err: { NoRoom: expect.stringContaining('expected packs of at most 3000000 bytes') },
    });
    await llm.set_settings(change({ model_bytes: 1n << 30n }));
  });
});

describe('upload_start', () => {
  it.each([0n, 63n, 2n ** 40n])('refuses %i bytes', async (bytes) => {
    const message = `upload_start: expected 64 to 17179869184 bytes, got ${bytes}`;
    expect(await llm.upload_start(bytes, 'a'.repeat(64))).toEqual({ Err: { InvalidSize: message } });
  });

  it('refuses what is no hash', async () => {
    const message = 'upload_start: expected 64 hexadecimal digits, got "abc"';
    expect(await llm.upload_start(1000n, 'abc')).toEqual({ Err: { InvalidHash: message } });
  });

  it('is for controllers, as the rest of an upload', async () => {
    const other = installed.as(stranger);
    const denied = 'expected a controller of';
    await expect(other.upload_start(1000n, 'a'.repeat(64))).rejects.toThrow(denied);
    await expect(other.upload_chunk(0, new Uint8Array(10), [])).rejects.toThrow(denied);
    await expect(other.upload_commit()).rejects.toThrow(denied);
  });
});
