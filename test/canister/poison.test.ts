/**
 * A session whose step always traps, among others that are worked on with it: the others lose nothing, and it fails
 * after three tries of its own.
 */
import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { Executor, type Run } from '../../packages/replica/src/executor.ts';
import type { _SERVICE as Llm } from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { type Installed, install, ok, options, upload } from './llm.ts';

const cases: { prompt: string; ids: number[] }[] = JSON.parse(
  readFileSync('models/little-flan/expected.json', 'utf8'),
).cases.slice(0, 4);
const TOKENS = 12;
/** Which of the four is poisonous. */
const POISONOUS = 2;

let llm: Installed;
let owner: Llm;
/** Sessions that were opened so far: their number in messages of the canister to itself counts on. */
let opened = 0;

beforeAll(async () => {
  llm = await install({ autoTick: false });
  owner = llm.as();
  await upload(owner, readFileSync((await packFolder('models/little-flan', 'int8')).path));
  ok(await owner.generate_with('hi', ...options({ max_new_tokens: 1 })));
  opened = 1;
});

const run = Executor.prototype.run;
afterEach(() => {
  Executor.prototype.run = run;
});

/**
 * Lets every message trap that works on a session: those for all, and those for it alone.
 * @returns how many of the latter came, and for the others together
 */
function poison(handle: number): () => { its: number; others: number } {
  let [tries, others] = [0, 0];
  Executor.prototype.run = function (this: Executor, what: Run) {
    const isOwn =
      what.kind === 'update' && what.method === 'generate' && what.caller.compareTo(llm.canisterId) === 'eq';
    const kind = isOwn ? what.arg![0]! : 0;
    if (kind < 1 || kind > 3) return run.call(this, what);
    const alone = kind === 3 ? 0 : new DataView(what.arg!.buffer, what.arg!.byteOffset).getUint32(5);
    if (alone !== 0 && alone !== handle) others += 1;
    if (tries >= 3) return run.call(this, what);
    if (alone === handle) tries += 1;
    return run.call(this, alone === 0 || alone === handle ? { ...what, limit: 1_000 } : what);
  };
  return () => ({ its: tries, others });
}

/** It fails after three tries. The others are tried alone once or twice, and are in batches again then. */
function expectTries({ its, others }: { its: number; others: number }): void {
  expect(its).toBe(3);
  expect(others).toBeLessThanOrEqual(2 * (cases.length - 1));
}

const choices = [{}, { do_sample: true, top_k: 1, seed: 5n }, {}, { num_beams: 2 }] as const;

async function alone(): Promise<number[][]> {
  const ids: number[][] = [];
  for (const [i, { prompt }] of cases.entries()) {
    const given = options({ max_new_tokens: TOKENS, ...choices[i] } as never);
    ids.push(Array.from(ok(await owner.generate_with(prompt, ...given)).token_ids));
    opened += 1;
  }
  return ids;
}

it('where calls wait for all of them', async () => {
  const expected = await alone();
  const tries = poison(opened + POISONOUS + 1);
  const results = await Promise.all(
    cases.map(({ prompt }, i) =>
      owner.generate_with(prompt, ...options({ max_new_tokens: TOKENS, ...choices[i] } as never)),
    ),
  );
  opened += cases.length;
  expectTries(tries());
  results.forEach((result, i) => {
    if (i === POISONOUS)
      expect(result).toMatchObject({ Err: { Failed: { message: expect.stringContaining('instructions') } } });
    else expect(Array.from(ok(result).token_ids)).toEqual(expected[i]);
  });
  const failed = results[POISONOUS] as { Err: { Failed: { session: string } } };
  const resumed = ok(await owner.resume(failed.Err.Failed.session));
  opened += 1;
  expect(Array.from(resumed.token_ids)).toEqual(expected[POISONOUS]);
});

it('where nobody waits: the watchdog finds out', async () => {
  const expected = await alone();
  const tries = poison(opened + POISONOUS + 1);
  const started = await Promise.all(
    cases.map(({ prompt }, i) => owner.start(prompt, options({ max_new_tokens: TOKENS, ...choices[i] } as never))),
  );
  opened += cases.length;
  for (let i = 0; i < 40; i++) {
    while ((await llm.replica.tick()) > 0);
    const { generating, queued } = await owner.status();
    if (generating + queued === 0) break;
    llm.replica.advanceTime(16_000);
  }
  expectTries(tries());
  for (const [i, id] of started.map(ok).entries()) {
    const { state } = ok(await owner.progress(id, 0));
    if (i === POISONOUS) expect(state).toEqual({ failed: expect.stringContaining('instructions') });
    else expect(state).toMatchObject({ finished: expect.anything() });
    expect(Array.from(ok(await owner.resume(id)).token_ids)).toEqual(expected[i]);
  }
});
