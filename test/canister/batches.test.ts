/**
 * Answers that are made together: each is what it is alone, to the letter, whoever comes, leaves or is cancelled
 * meanwhile; and weights are touched once for all.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { GenerateOptions, _SERVICE as Llm } from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { llamaPack } from './llama-pack.ts';
import { change, type Installed, install, ok, options, upload } from './llm.ts';

const prompts: string[] = JSON.parse(readFileSync('models/little-flan/expected.json', 'utf8'))
  .cases.slice(0, 8)
  .map(({ prompt }: { prompt: string }) => prompt);

/** How answers are chosen. */
const choices: Record<string, object> = {
  greedy: {},
  'greedy again': {},
  stops: { eos_token_id: [1, 155] },
  'more stops than the native loop has room for': { eos_token_id: [1, 160, 161, 162, 163, 164, 165, 166, 167] },
  draws: { do_sample: true, seed: 7n, temperature: 0.8 },
  beams: { num_beams: 3 },
  penalty: { repetition_penalty: 1.3 },
  auto: { tokens_per_call: { auto: null } },
  'three a call': { tokens_per_call: { fixed: 3 } },
  'beams, auto': { num_beams: 2, tokens_per_call: { auto: null } },
};

interface Asked {
  prompt: number;
  choice: string;
  tokens: number;
  /** Rounds before it is asked, and after which it is cancelled; none where it is not. */
  after: number;
  cancelled: number | undefined;
  waits: boolean;
}
const anyAsked = fc.record({
  prompt: fc.nat(prompts.length - 1),
  choice: fc.constantFrom(...Object.keys(choices)),
  tokens: fc.integer({ min: 1, max: 60 }),
  after: fc.constantFrom(0, 0, 0, 1, 2),
  cancelled: fc.option(fc.nat(1), { nil: undefined, freq: 5 }),
  waits: fc.boolean(),
});

const optionsOf = ({ choice, tokens }: Asked): [GenerateOptions] =>
  options({ ...choices[choice], max_new_tokens: tokens } as never);

const littleFlan = async (weights: 'int8' | 'int4'): Promise<Uint8Array> =>
  new Uint8Array(readFileSync((await packFolder('models/little-flan', weights)).path));
const packs: [string, () => Promise<Uint8Array>][] = [
  ['little-flan, int8', () => littleFlan('int8')],
  ['little-flan, int4', () => littleFlan('int4')],
  ['a decoder-only model', () => llamaPack('gemma3', 'int8')],
];

describe.each(packs)('answers made together, %s', (name, pack) => {
  let llm: Installed;
  let owner: Llm;
  beforeAll(async () => {
    llm = await install({ autoTick: false });
    owner = llm.as();
    await upload(owner, await pack());
    ok(await owner.set_settings(change({ max_sessions_per_caller: 1000 })));
    ok(await owner.generate('hi'));
  });
  afterEach(() => void llm.newMessages());
  const settle = async (): Promise<void> => {
    while ((await llm.replica.tick()) > 0);
  };

  const alone = new Map<string, number[]>();
  async function idsAlone(asked: Asked): Promise<number[]> {
    const key = `${asked.prompt} ${asked.choice} ${asked.tokens}`;
    const ids =
      alone.get(key) ??
      Array.from(ok(await owner.generate_with(prompts[asked.prompt]!, ...optionsOf(asked))).token_ids);
    alone.set(key, ids);
    return ids;
  }

  it('are what they are alone, whoever comes, leaves or is cancelled', async () => {
    const property = fc.asyncProperty(
      fc.array(anyAsked, { minLength: 2, maxLength: 12 }),
      fc.constantFrom(2, 8, 32),
      async (all, active) => {
        const expected: number[][] = [];
        for (const asked of all) expected.push(await idsAlone(asked));
        await settle();
        ok(await owner.set_settings(change({ max_active: active })));
        const running: Promise<void>[] = [];
        const check = async (i: number): Promise<void> => {
          const asked = all[i]!;
          if (asked.waits && asked.cancelled === undefined) {
            const made = ok(await owner.generate_with(prompts[asked.prompt]!, ...optionsOf(asked)));
            expect(Array.from(made.token_ids)).toEqual(expected[i]);
            return;
          }
          const session = ok(await owner.start(prompts[asked.prompt]!, optionsOf(asked)));
          if (asked.cancelled !== undefined) {
            for (let j = 0; j < asked.cancelled; j++) await llm.replica.tick();
            ok(await owner.cancel(session));
          }
          await settle();
          const made = ok(await owner.resume(session));
          expect(Array.from(made.token_ids)).toEqual(expected[i]);
        };
        for (let round = 0; round < 3; round++) {
          all.forEach((asked, i) => {
            if (asked.after === round) running.push(check(i));
          });
          await llm.replica.tick();
        }
        await Promise.all(running);
        await settle();
      },
    );
    await fc.assert(property, { seed: 16, numRuns: 5, endOnFailure: true });
  });

  it.each(['greedy', 'draws', 'beams'])('touch the weights once for all: %s', async (choice) => {
    ok(await owner.set_settings(change({ max_active: 32 })));
    const asked = { prompt: 0, choice, tokens: 30, after: 0, cancelled: undefined, waits: true };
    const expected = await idsAlone(asked);
    await settle();
    llm.newMessages();
    const made = await Promise.all(
      prompts.map(async () => ok(await owner.generate_with(prompts[0]!, ...optionsOf(asked)))),
    );
    expect(made.map((m) => Array.from(m.token_ids))).toEqual(prompts.map(() => expected));
    // What they cost together is shared by rows. Who comes first begins alone: it pays that message by itself.
    const [first, ...others] = made.map(({ instructions }) => Number(instructions)) as [number, ...number[]];
    expect(Math.max(...others)).toBeLessThan(1.04 * Math.min(...others));
    const updates = llm.newMessages().filter(({ kind }) => kind === 'update');
    const begun = updates.filter(({ method }) => method === 'generate_with');
    expect(first - Math.max(...others)).toBeLessThan(Math.max(...begun.map(({ instructions }) => instructions.total)));
    // each has its first token to itself; a message makes the next one of all eight, and few are sent beside those
    const steps = updates.filter(({ method }) => method === 'generate');
    expect(steps.length).toBeGreaterThanOrEqual(expected.length - 1);
    expect(steps.length).toBeLessThan(1.5 * expected.length);
  });

  it.runIf(name === packs[0]![0])('fill messages together, and without the interpreter: auto', async () => {
    ok(await owner.set_settings(change({ max_active: 32 })));
    const asked = { prompt: 0, choice: 'auto', tokens: 30, after: 0, cancelled: undefined, waits: true };
    const expected = await idsAlone(asked);
    await settle();
    llm.newMessages();
    const first = owner.start(prompts[0]!, optionsOf(asked));
    const calls = prompts.map(() => owner.generate_with(prompts[0]!, ...optionsOf(asked)));
    for (const made of await Promise.all(calls)) expect(Array.from(ok(made).token_ids)).toEqual(expected);
    expect(Array.from(ok(await owner.resume(ok(await first))).token_ids)).toEqual(expected);
    const updates = llm.newMessages().filter(({ kind }) => kind === 'update');
    const took = (name: string): number[] =>
      updates.filter(({ method }) => method === name).map(({ instructions }) => instructions.total);
    // whoever comes to others leaves its beginning to the drive: a first token takes 30 M more
    expect(Math.max(...took('generate_with'))).toBeLessThan(25e6);
    // one message makes all of them, native code a token in 1.96 M and TypeScript in 2.21 M
    expect(took('generate').length).toBe(1);
    expect(took('generate')[0]!).toBeLessThan(2.1e6 * (prompts.length + 1) * expected.length);
  });

  it.runIf(name === packs[0]![0])('take turns where a batch has no room for all', async () => {
    const [sessions, rows] = [48, 32];
    ok(await owner.set_settings(change({ max_active: sessions })));
    const asked = { prompt: 0, choice: 'greedy', tokens: 30, after: 0, cancelled: undefined, waits: false };
    const expected = await idsAlone(asked);
    await settle();
    llm.newMessages();
    const started = Array.from({ length: sessions }, () => owner.start(prompts[0]!, optionsOf(asked)));
    for (const id of await Promise.all(started)) {
      await settle();
      expect(Array.from(ok(await owner.resume(ok(id))).token_ids)).toEqual(expected);
    }
    // were the first always served first, the last would be left with batches of their own: twice as many as tokens
    const steps = llm.newMessages().filter(({ kind, method }) => kind === 'update' && method === 'generate');
    expect(steps.length).toBeLessThan(1.2 * (sessions / rows) * expected.length);
  });
});
