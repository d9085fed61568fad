/**
 * Stable memory that does not grow: every method that writes says so by name, nothing is half done, and all works again
 * when there is room.
 */
import { readFileSync } from 'node:fs';
import { Principal } from '@dfinity/principal';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { systemApi } from '../../packages/replica/src/system-api.ts';
import type { _SERVICE as Llm } from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { change, type Installed, install, ok, options, sha256Of, upload } from './llm.ts';

// a module binds what it imports when it is installed, so this stands before
const grow = systemApi['stable64_grow']!;
let full = false;
systemApi['stable64_grow'] = (...args) => (full ? -1n : grow(...args));
const one = options({ max_new_tokens: 1 });
/** A prompt of its own, of some 450 tokens, whose encoding takes a third of a megabyte. */
const longOf = (n: number): string => `${'is it hot or cold? '.repeat(55)}${n}`;

let llm: Installed;
let owner: Llm;
let pack: Uint8Array;

beforeAll(async () => {
  pack = new Uint8Array(readFileSync((await packFolder('models/little-flan', 'int8')).path));
  llm = await install();
  owner = llm.as();
  await upload(owner, pack);
  ok(await owner.set_settings(change({ max_finished: 20_000, embedding_bytes: 1n << 34n, max_queued: 0 })));
});
afterEach(() => {
  full = false;
});

const room = expect.stringContaining('stable memory: expected room for');

it('is told by every method by name, whatever is asked, and made good when there is room', async () => {
  const session = ok(await owner.start('is it hot?', []));
  full = true;
  // what is in reserve is used up first; no call ever traps
  let answers = 0;
  let last: object = {};
  for (; answers < 200; answers++) {
    const result = await owner.generate_with(longOf(answers), ...one);
    if ('Err' in result) {
      last = result.Err;
      break;
    }
  }
  expect(last).toEqual({ Unavailable: room });
  const sessions = (await owner.status()).sessions;
  for (const result of [owner.generate('hi'), owner.generate_with('hi', ...one), owner.start('hi', [])])
    expect(await result).toEqual({ Err: { Unavailable: room } });
  ok(await owner.cancel(session));
  expect(await owner.resume(session)).toMatchObject({ Ok: { session } });
  expect((await owner.status()).sessions).toBe(sessions);
  ok(await owner.generate_query('hi', one));
  const other = pack.slice();
  other[100_001]! ^= 1;
  expect(await owner.upload_start(BigInt(other.length), sha256Of(other))).toEqual({ Err: { NoRoom: room } });
  expect(await owner.upload_commit()).toEqual({ Err: { NoRoom: room } });
  expect(await owner.model_activate(sha256Of(pack))).toEqual({ Err: { NoRoom: room } });
  expect(await owner.set_settings(change({ max_active: 4 }))).toEqual({ Err: { InvalidValue: room } });
  expect(await owner.set_role(Principal.fromText('aaaaa-aa'), [{ user: null }])).toEqual({
    Err: { InvalidValue: room },
  });
  expect(await owner.clear_queue()).toEqual({ Err: { InvalidValue: room } });
  await llm.upgrade();
  expect((await owner.status()).sessions).toBe(sessions);
  expect(await owner.generate('hi')).toMatchObject({ Err: { Unavailable: expect.any(String) } });
  full = false;
  ok(await owner.generate_with(longOf(answers), ...one));
  expect(ok(await owner.set_settings(change({ max_active: 4 }))).max_active).toBe(4);
  await upload(owner, other);
  expect('Ok' in (await owner.generate('opposite of hot:'))).toBe(true);
}, 300_000);

it('does not lose how a session ends that was under way: it is read from the heap, and written down later', async () => {
  const id = ok(await owner.start(longOf(-1), []));
  full = true;
  for (let i = 0; ; i++) {
    const { state } = ok(await owner.progress(id, 0));
    if ('finished' in state) break;
    if (i > 2_000) throw new Error(`expected it to finish, got ${JSON.stringify(state)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { text } = ok(await owner.progress(id, 0));
  full = false;
  llm.replica.advanceTime(61_000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await llm.upgrade();
  expect(ok(await owner.progress(id, 0)).text).toBe(text);
});
