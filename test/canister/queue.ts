/**
 * Many sessions of the longest texts that wait, and everything that may happen to them: an upgrade, a cleared queue,
 * another model, an upgrade in the middle of either. Counts what each message took; a run with 5,000 takes minutes
 * (test/long/queue-run.ts), the test has fewer.
 */
import { readFileSync } from 'node:fs';
import { Principal } from '@dfinity/principal';
import { Executor } from '../../packages/replica/src/executor.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { change, install, listOptions, ok, options, sha256Of, upload } from './llm.ts';

export interface Dearest {
  [what: string]: number;
}

/** As long as a prompt may be, in bytes too: 8,192 characters of three bytes, which are one space to the tokenizer. */
const longest = (n: number): string => `${'\u3000'.repeat(8_180)}hi ${n}`;
/** Reading the longest takes most of the run's time, so not all need have it. */
const ownerOf = (n: number): Principal => Principal.selfAuthenticating(new Uint8Array([5, n >> 8, n & 255]));

/**
 * @param sessions how many wait
 * @param owners whose they are, in turn
 * @param every each so many-th has the longest text, 1: all
 * @param worked how many are worked on, all of them with the longest texts at first
 * @returns the most instructions of a message for each thing that was done @throws Error where anything is not as it
 * should be
 */
export async function queueRun(
  sessions: number,
  owners: number,
  every: number,
  worked: number,
  onProgress = (_: string) => {},
): Promise<Dearest> {
  let isFirst = true;
  const promptOf = (n: number): string => (n % every === 0 || (isFirst && n < worked) ? longest(n) : `hi ${n}`);
  const pack = new Uint8Array(readFileSync((await packFolder('models/little-flan', 'int8')).path));
  const others = [1, 2].map((n) => {
    const bytes = pack.slice();
    bytes[100_000 + n]! ^= 1;
    return bytes;
  });
  const llm = await install({ autoTick: false });
  const { replica, canisterId } = llm;
  const owner = llm.as();
  await upload(owner, pack);
  const most = { max_active: worked, max_queued: 20_000, max_finished: 20_000, max_sessions_per_caller: 20_000 };
  ok(await owner.set_settings(change({ ...most, arena_bytes: 512n * 2n ** 20n })));

  const dearest: Dearest = {};
  const note = (what: string): void => {
    for (const { instructions, kind } of llm.newMessages()) {
      const name = `${what}: ${kind}`;
      dearest[name] = Math.max(dearest[name] ?? 0, instructions.total);
    }
  };
  /** Does something, and lets all that follows from it happen. */
  const run = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
    llm.newMessages();
    const result = await act();
    for (let quiet = 0; quiet < 3; ) {
      if ((await replica.tick()) === 0) {
        quiet += 1;
        replica.advanceTime(10);
      }
    }
    note(what);
    return result;
  };
  const expectCounts = async (what: string, generating: number, queued: number): Promise<void> => {
    const status = await owner.status();
    if (status.generating === generating && status.queued === queued) return;
    throw new Error(`${what}: expected ${generating} and ${queued}, got ${status.generating} and ${status.queued}`);
  };
  const expectState = async (id: string, n: number, state: object): Promise<void> => {
    const got = ok(await llm.as(ownerOf(n % owners)).progress(id, 0)).state;
    if (JSON.stringify(got) !== JSON.stringify(state))
      throw new Error(`session ${n}: expected ${JSON.stringify(state)}, got ${JSON.stringify(got)}`);
  };

  // what is worked on stands still: every step traps
  const original = Executor.prototype.run;
  Executor.prototype.run = function (what) {
    const isStep = what.method === 'generate' && what.caller.compareTo(canisterId) === 'eq';
    return original.call(this, isStep ? { ...what, limit: 1_000 } : what);
  };
  try {
    const one = options({ max_new_tokens: 1 });
    const fill = async (count: number): Promise<string[]> => {
      const ids: string[] = [];
      for (let i = 0; i < count + worked; i++) {
        ids.push(ok(await llm.as(ownerOf(i % owners)).start(promptOf(i), one)));
        if (i % 50 === 0) onProgress(`${i} of ${count} wait`);
      }
      note('start');
      isFirst = false;
      return ids;
    };
    const checkAll = async (ids: string[], state: object): Promise<void> => {
      for (let i = worked; i < ids.length; i += Math.ceil(ids.length / 50)) await expectState(ids[i]!, i, state);
    };

    let ids = await fill(sessions);
    await expectCounts('start', worked, sessions);
    await run('upgrade', () => llm.upgrade());
    await expectCounts('upgrade', worked, sessions);
    await checkAll(ids, { queued: null });
    await run('cancel of the last that waits', async () => ok(await owner.cancel(ids.at(-1)!)));
    await run('delete of one that waits', async () => ok(await owner.delete(ids.at(-2)!)));
    await run('list', () => llm.as(ownerOf(0)).list(listOptions({ limit: 200 })));
    const cleared = { failed: 'a controller cleared the queue' };
    // an upgrade comes before anything but the mark is done
    llm.newMessages();
    const count = ok(await owner.clear_queue());
    if (count !== sessions - 2) throw new Error(`clear_queue: expected ${sessions - 2}, got ${count}`);
    note('clear_queue');
    await expectCounts('clear_queue', worked, 0);
    await checkAll(ids.slice(0, -2), cleared);
    await run('upgrade of a cleared queue', () => llm.upgrade());
    await expectCounts('upgrade of a cleared queue', worked, 0);
    await checkAll(ids.slice(0, -2), cleared);

    ids = await fill(sessions);
    await expectCounts('start', worked, sessions + worked);
    const replaced = { failed: 'the model was replaced' };
    await run('upload_commit', () => upload(owner, others[0]!));
    await expectCounts('upload_commit', 0, 0);
    await checkAll(ids, replaced);

    ids = await fill(Math.ceil(sessions / 5));
    const before = sha256Of(pack);
    await run('model_activate', async () => ok(await owner.model_activate(before)));
    await expectCounts('model_activate', 0, 0);
    await checkAll(ids, replaced);
    await run('upgrade with all of them over', () => llm.upgrade());
    await checkAll(ids, replaced);
    const { sessions: all } = await owner.status();
    ok(await owner.set_settings(change({ max_finished: 10 })));
    note('set_settings of max_finished');
    await run('pruning', async () => undefined);
    const left = (await owner.status()).sessions;
    if (left !== 10) throw new Error(`max_finished: expected 10 of ${all} sessions, got ${left}`);
  } finally {
    Executor.prototype.run = original;
  }
  const [first] = ok(await owner.list([]));
  if (first) await owner.delete(first.session);
  const answer = ok(await owner.generate('opposite of hot:')).text;
  if (answer !== 'cold') throw new Error(`expected cold, got ${answer}`);
  replica.close();
  return dearest;
}
