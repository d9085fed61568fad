/** Taking packs in: every wrong one has its answer, and the model that was there goes on answering. */
import { readFileSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { packFolder } from '../../scripts/lib/model-folder.ts';
import type { Llm } from '../../src/canister/service.ts';
import { type Installed, install, sha256Of, stranger, upload } from './llm.ts';

let installed: Installed;
let llm: Llm;
let pack: Uint8Array;

beforeAll(async () => {
  pack = new Uint8Array(readFileSync((await packFolder('models/little-flan', 'int8')).path));
  installed = await install();
  llm = installed.as();
  await upload(llm, pack);
});

const chunk = (bytes: Uint8Array, i: number): Uint8Array => bytes.slice(i << 20, (i + 1) << 20);
const start = (bytes: Uint8Array) => llm.upload_start(BigInt(bytes.length), sha256Of(bytes));

/** Uploads and commits; the commit's answer. */
async function tryPack(bytes: Uint8Array) {
  await start(bytes);
  for (let i = 0; i << 20 < bytes.length; i++) await llm.upload_chunk(i, chunk(bytes, i));
  return llm.upload_commit();
}

async function stillAnswers(): Promise<void> {
  const result = await llm.generate('opposite of hot:', []);
  expect('Ok' in result && result.Ok.text).toBe('cold');
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
  beforeEach(async () => {
    await start(pack);
  });

  it('takes chunks in any order, and each as often as one likes', async () => {
    for (const i of [2, 0, 0, 2, 1, 1]) expect(await llm.upload_chunk(i, chunk(pack, i))).toEqual({ Ok: null });
    expect(await llm.upload_commit()).toEqual({ Ok: null });
    await stillAnswers();
  });

  it('goes on with an upload that was begun', async () => {
    await llm.upload_chunk(0, chunk(pack, 0));
    await installed.upgrade();
    await start(pack);
    for (const i of [1, 2]) await llm.upload_chunk(i, chunk(pack, i));
    expect(await llm.upload_commit()).toEqual({ Ok: null });
  });

  it('names the chunks that are missing', async () => {
    await llm.upload_chunk(1, chunk(pack, 1));
    expect(await llm.upload_commit()).toMatchObject({ Err: { Incomplete: { missing: Uint32Array.of(0, 2) } } });
    await stillAnswers();
  });

  it('refuses a chunk past the end, and one of a wrong size', async () => {
    expect(await llm.upload_chunk(3, new Uint8Array(1))).toEqual({
      Err: { InvalidChunk: 'upload_chunk: expected an index from 0 to 2, got 3' },
    });
    expect(await llm.upload_chunk(0, new Uint8Array((1 << 20) + 1))).toEqual({
      Err: { InvalidChunk: 'upload_chunk: expected 1048576 bytes for chunk 0, got 1048577' },
    });
    expect(await llm.upload_chunk(0, new Uint8Array(0))).toEqual({
      Err: { InvalidChunk: 'upload_chunk: expected 1048576 bytes for chunk 0, got 0' },
    });
  });

  it('refuses an argument larger than a message may be, before the canister sees it', async () => {
    await expect(llm.upload_chunk(0, new Uint8Array(3 << 20))).rejects.toThrow();
  });

  it('refuses bytes that have another hash than was said', async () => {
    const wrong = pack.slice();
    wrong[pack.length - 1]! ^= 1;
    for (let i = 0; i < 3; i++) await llm.upload_chunk(i, chunk(wrong, i));
    const message = `upload_commit: expected SHA-256 ${sha256Of(pack)}, got ${sha256Of(wrong)}; upload the pack again`;
    expect(await llm.upload_commit()).toEqual({ Err: { WrongHash: message } });
    expect(await llm.upload_commit()).toMatchObject({ Err: { NotStarted: expect.any(String) } });
    await stillAnswers();
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
      Err: { InvalidPack: 'upload_commit: pack: expected version 1, got 9; convert the model again' },
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

describe('upload_start', () => {
  it.each([0n, 63n, 2n ** 40n])('refuses %i bytes', async (bytes) => {
    const message = `upload_start: expected 64 to 3221225472 bytes, got ${bytes}`;
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
    await expect(other.upload_chunk(0, new Uint8Array(10))).rejects.toThrow(denied);
    await expect(other.upload_commit()).rejects.toThrow(denied);
  });
});
