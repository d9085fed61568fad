/** Messages of stages that trap: whoever's rows they were about pays for them, and nobody else fails. */
import { readFileSync } from 'node:fs';
import type { Principal } from '@dfinity/principal';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Executor, type Run } from '../../packages/replica/src/executor.ts';
import { bytesOfBlob } from '../../src/canister/candid/blob.ts';
import { decodeRequest, FORWARD, GO_ON, NOTHING, type Request } from '../../src/model/stages/wire.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { randomFrom } from '../random.ts';
import { Bills, type Case } from './bills.ts';
import { change, install, ok, options, upload } from './llm.ts';
import { installStaged, type Staged } from './staged.ts';

const { run } = Executor.prototype;
afterEach(() => {
  Executor.prototype.run = run;
});

/** Lets messages of stages trap, each at so many instructions; undefined where one does not. */
function trapWhere(limitOf: (request: Request, canister: Principal) => number | undefined) {
  const seen = { traps: 0, instructions: 0 };
  Executor.prototype.run = function (this: Executor, what: Run) {
    if (what.kind !== 'update' || what.method !== 'stage_forward') return run.call(this, what);
    const bytes = bytesOfBlob(what.arg!);
    const request = decodeRequest(bytes.slice(4 + new DataView(bytes.buffer).getUint32(0, true)));
    const limit = limitOf(request, what.canister.canisterId);
    if (limit === undefined) return run.call(this, what);
    const outcome = run.call(this, { ...what, limit });
    if (outcome.trap) {
      seen.traps += 1;
      seen.instructions += limit;
    }
    return outcome;
  };
  return seen;
}

const prompts: string[] = JSON.parse(readFileSync('models/little-flan/expected.json', 'utf8'))
  .cases.slice(0, 12)
  .map(({ prompt }: { prompt: string }) => prompt);

describe('a session whose step traps in a stage', () => {
  let staged: Staged;
  let expected: string[];
  const [TOKENS, OF_GUILTY] = [6, 14];
  const tokensOf = (i: number): number => (i === 3 ? OF_GUILTY : TOKENS);
  beforeAll(async () => {
    const pack = new Uint8Array(readFileSync((await packFolder('models/little-flan', 'int8')).path));
    staged = await installStaged(pack);
    const alone = await install();
    await upload(alone.as(), pack);
    expected = [];
    for (const [i, prompt] of prompts.entries())
      expected.push(ok(await alone.as().generate_with(prompt, options({ max_new_tokens: tokensOf(i) })[0]!)).text);
    const more = { max_active: 12, max_sessions_per_caller: 100 };
    ok(await staged.as().set_settings(change(more)));
  });

  it('fails with the words of that stage, and those beside it have their answers', async () => {
    const index = 2;
    const guilty = new Set<number>();
    let together = 0;
    const seen = trapWhere(({ kind, sequences, rows }, canister) => {
      // of an answer this long there is one
      const capacities = sequences.map(({ capacity }) => capacity);
      const most = Math.max(0, ...capacities);
      for (const { id, capacity } of sequences) if (capacity === most && most >= OF_GUILTY) guilty.add(id);
      if (kind !== FORWARD || canister.compareTo(staged.ids[index]!) !== 'eq') return undefined;
      // the first step is its own
      if (!rows.some(([id, position]) => guilty.has(id) && position >= 1)) return undefined;
      if (rows.some(([id]) => !guilty.has(id))) together += 1;
      return 2_000_000;
    });
    const ids = await Promise.all(
      prompts.map(async (prompt, i) => ok(await staged.as().start(prompt, options({ max_new_tokens: tokensOf(i) })))),
    );
    const states = new Map<string, { text: string; state: object; failed?: string }>();
    while (states.size < ids.length) {
      for (const id of ids) {
        const { text, state } = ok(await staged.as().progress(id, 0));
        if ('finished' in state) states.set(id, { text, state });
        if ('failed' in state) states.set(id, { text, state, failed: state.failed });
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    ids.forEach((id, i) => {
      const { text, failed } = states.get(id)!;
      if (i === 3) expect(failed).toContain(`stage ${index + 1} of 3 (${staged.ids[index]!.toText()})`);
      else expect([text, failed]).toEqual([expected[i], undefined]);
    });
    expect(seen.traps).toBeGreaterThanOrEqual(3);
    // in a group with another at first, then alone
    expect(together).toBeGreaterThanOrEqual(1);
    expect(together).toBeLessThan(seen.traps);
    Executor.prototype.run = run;
    expect(ok(await staged.as().resume(ids[3]!)).text).toBe(expected[3]);
  });
});

describe('what a stage takes that traps', () => {
  it('is on the bills of those whose rows it was about', async () => {
    const bills = await Bills.install(3);
    const plain: Case = {
      method: 'start',
      pays: false,
      prompt: [0, 1, 2],
      tokens: 12,
      perCall: 1,
      choice: 'greedy',
      company: [8, 15],
    };
    await bills.run(plain);
    const random = randomFrom(5);
    let messages = 0;
    const seen = trapWhere(({ kind }) => {
      if (kind === NOTHING) return undefined;
      messages += 1;
      // not three times in a row
      return messages % 3 !== 0 || kind === GO_ON ? undefined : 4_000_000 + Math.floor(random() * 6_000_000);
    });
    const { charged, difference } = await bills.run({ ...plain, prompt: [3, 4, 5] });
    expect(seen.instructions / charged, 'the share that was lost').toBeGreaterThan(0.02);
    expect(Math.abs(difference)).toBeLessThan(1);
  });
});
