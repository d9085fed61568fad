/** Settings that promise that something is gone: an embedding cache of no bytes, sessions that expire. */
import { readFileSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Executor } from '../../packages/replica/src/executor.ts';
import type { _SERVICE as Llm } from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { change, type Installed, install, ok, options, stranger, upload } from './llm.ts';

const DAY = 86_400_000;
const one = options({ max_new_tokens: 1 });

let llm: Installed;
let owner: Llm;

beforeAll(async () => {
  llm = await install({ autoTick: false });
  owner = llm.as();
  await upload(owner, readFileSync((await packFolder('models/little-flan', 'int8')).path));
});

beforeEach(async () => {
  ok(await owner.set_settings(change({ finished_seconds: 600n, embedding_bytes: 1n << 26n, answer_cache: false })));
  await quiet();
});

/** All that is to be done now. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 3; ) if ((await llm.replica.tick()) === 0) i += 1;
}

/** Whether a session's record is in stable memory: its prompt's bytes are, somewhere that a map still has. */
const sessions = async (): Promise<number> => (await owner.status()).sessions;

describe('embedding_bytes of 0', () => {
  it('empties the cache at once, and nothing comes in any more', async () => {
    for (let i = 0; i < 5; i++) ok(await owner.generate_with(`is ${i} hot?`, ...one));
    expect((await owner.status()).embeddings).toBeGreaterThanOrEqual(5);
    ok(await owner.set_settings(change({ embedding_bytes: 0n })));
    expect(await owner.status()).toMatchObject({ embeddings: 0, embedding_bytes: 0n });
    for (let i = 0; i < 2; i++) expect(ok(await owner.generate_with('is 1 hot?', ...one)).embedding_cached).toBe(false);
    await llm.upgrade();
    expect(await owner.status()).toMatchObject({ embeddings: 0, embedding_bytes: 0n });
  });

  it('and of fewer bytes than there are takes out what was used longest ago, at once', async () => {
    for (let i = 0; i < 5; i++) ok(await owner.generate_with(`is ${i} cold?`, ...one));
    const { embedding_bytes: all } = await owner.status();
    ok(await owner.generate_with('is 0 cold?', ...one));
    ok(await owner.set_settings(change({ embedding_bytes: (all * 2n) / 5n })));
    expect((await owner.status()).embedding_bytes).toBeLessThanOrEqual((all * 2n) / 5n);
    expect(ok(await owner.generate_with('is 0 cold?', ...one)).embedding_cached).toBe(true);
    expect(ok(await owner.generate_with('is 1 cold?', ...one)).embedding_cached).toBe(false);
  });
});

describe('finished_seconds', () => {
  const gone = { Err: { NoSuchSession: expect.any(String) } };
  /** Every way to a session. */
  const expectGone = async (id: string): Promise<void> => {
    expect(await owner.progress(id, 0)).toMatchObject(gone);
    expect(ok(await owner.list([])).map(({ session }) => session)).not.toContain(id);
    expect(await owner.resume(id)).toMatchObject(gone);
    expect(await owner.cancel(id)).toMatchObject(gone);
  };

  it('count from the end, not from the beginning', async () => {
    // its steps trap for longer than sessions that are over are kept
    const run = Executor.prototype.run;
    Executor.prototype.run = function (what) {
      const isStep = what.method === 'generate' && what.caller.compareTo(llm.canisterId) === 'eq';
      return run.call(this, isStep ? { ...what, limit: 1_000 } : what);
    };
    const id = ok(await owner.start('is it hot?', one));
    await quiet();
    Executor.prototype.run = run;
    llm.replica.canister(llm.canisterId)!.globalTimer = 0n;
    llm.replica.advanceTime(DAY);
    ok(await owner.resume(id));
    llm.replica.advanceTime(599_000);
    expect('Ok' in (await owner.progress(id, 0))).toBe(true);
    llm.replica.advanceTime(2_000);
    await expectGone(id);
  });

  it.each(['stop', 'cancelled', 'failed'])(
    'make a session that is %s unreadable from then on, though nothing runs',
    async (how) => {
      const id =
        how === 'stop' ? ok(await owner.generate_with('hi', ...one)).session : ok(await owner.start('is it hot?', []));
      if (how === 'cancelled') ok(await owner.cancel(id));
      if (how === 'failed') {
        ok(await owner.set_settings(change({ arena_bytes: 1n << 24n })));
        await quiet();
      }
      await quiet();
      llm.replica.canister(llm.canisterId)!.globalTimer = 0n;
      llm.replica.advanceTime(599_000);
      expect('Ok' in (await owner.progress(id, 0))).toBe(true);
      llm.replica.advanceTime(2_000);
      expect(await owner.progress(id, 0)).toMatchObject(gone);
      await llm.upgrade();
      expect(await owner.progress(id, 0)).toMatchObject(gone);
      await expectGone(id);
      ok(await owner.set_settings(change({ arena_bytes: 2_560n << 20n })));
    },
  );

  it('and it is gone soon after, on an idle canister, by a timer', async () => {
    ok(await llm.as(stranger).generate_with('hi', ...one));
    await quiet();
    expect(await sessions()).toBeGreaterThan(0);
    llm.replica.advanceTime(601_000);
    await quiet();
    expect(await sessions()).toBe(0);
  });

  it('forty idle days, and an upgrade before them', async () => {
    ok(await owner.set_settings(change({ finished_seconds: 30n * 86_400n })));
    const { session } = ok(await owner.generate_with('hi', ...one));
    await llm.upgrade();
    await quiet();
    for (let day = 0; day < 40; day++) {
      llm.replica.advanceTime(DAY);
      await quiet();
      expect('Ok' in (await owner.progress(session, 0))).toBe(day < 29);
      expect(await sessions()).toBe(day < 29 ? 1 : 0);
    }
  });

  it('holds at once where it is set lower', async () => {
    const { session } = ok(await owner.generate_with('hi', ...one));
    llm.replica.advanceTime(100_000);
    ok(await owner.set_settings(change({ finished_seconds: 60n })));
    expect(await sessions()).toBe(0);
    await expectGone(session);
  });

  it('is of answers from the answer cache, too: one that has expired is made anew', async () => {
    ok(await owner.set_settings(change({ answer_cache: true })));
    ok(await owner.generate_with('is it cold?', ...one));
    expect(ok(await owner.generate_with('is it cold?', ...one)).calls).toBe(0);
    llm.replica.canister(llm.canisterId)!.globalTimer = 0n;
    llm.replica.advanceTime(601_000);
    expect(ok(await owner.generate_with('is it cold?', ...one)).calls).toBe(1);
  });
});
