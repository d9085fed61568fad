/**
 * Tokens that do not fit a message. The model is small, and the counter by which the canister knows when to stop runs
 * fast: it thinks that its messages are large. Answers are what they are in single messages, to the letter, whoever is
 * beside them and whatever comes between two messages of a token.
 */
import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Trap } from '../../packages/replica/src/errors.ts';
import type { Execution } from '../../packages/replica/src/execution.ts';
import { systemApi } from '../../packages/replica/src/system-api.ts';
import type { GenerateOptions } from '../../src/interface/llm.did.ts';
import { familyOf } from '../../src/model/families/checkpoint.ts';
import { parseConfig } from '../../src/model/families/registry.ts';
import { randomModel } from '../../src/node/model/random-model.ts';
import { change, type Installed, install, ok, options, upload } from './llm.ts';

/** Instructions look so many times as many: a message ends after 1.5 B of these. */
const FAST = 10;

/** How many times as fast the counter runs, and how many looks at it are left until one traps. */
let [times, looks] = [1, Number.POSITIVE_INFINITY];
const counter = systemApi.performance_counter!;
systemApi.performance_counter = (e: Execution, ...args: unknown[]) => {
  looks -= 1;
  if (looks === 0) throw new Trap('IC0502', 'a fault in the middle of a token');
  return (counter(e, ...args) as bigint) * BigInt(times);
};
function runFast(newTimes: number, trapAt = Number.POSITIVE_INFINITY): void {
  [times, looks] = [newTimes, trapAt];
}
afterEach(() => runFast(1));

const prompts: string[] = JSON.parse(readFileSync('models/little-flan/expected.json', 'utf8'))
  .cases.slice(0, 4)
  .map(({ prompt }: { prompt: string }) => prompt);

const choices: Record<string, object> = {
  greedy: {},
  drawn: { do_sample: true, seed: 7n, temperature: 0.8 },
  beams: { num_beams: 3 },
  auto: { tokens_per_call: { auto: null } },
};
const asked = (choice: string, tokens = 5): [GenerateOptions] =>
  options({ max_new_tokens: tokens, ...choices[choice] } as never);

const MiB = 1n << 20n;
const llama = {
  model_type: 'llama',
  vocab_size: 1200,
  hidden_size: 768,
  intermediate_size: 2048,
  num_hidden_layers: 14,
  num_attention_heads: 12,
  num_key_value_heads: 4,
  max_position_embeddings: 256,
};
const t5 = {
  vocab_size: 1200,
  d_model: 768,
  d_kv: 64,
  d_ff: 2048,
  num_layers: 2,
  num_decoder_layers: 14,
  num_heads: 12,
  feed_forward_proj: 'gated-gelu',
  tie_word_embeddings: false,
};
const packs: [string, object, bigint, boolean][] = [
  ['a T5, resident', t5, 2_560n * MiB, false],
  ['a decoder-only model, streamed', llama, 80n * MiB, true],
];

describe.each(packs)('tokens of several messages: %s', (_, json, arenaBytes, isStreamed) => {
  let llm: Installed;
  const expected = new Map<string, number[]>();
  const idsOf = (prompt: number, choice: string) => expected.get(`${prompt} ${choice}`);
  /** Rounds go by until it is there. */
  const during = async <T>(work: Promise<T>): Promise<T> => {
    let isOver = false;
    const over = work.finally(() => {
      isOver = true;
    });
    for (let round = 0; !isOver; round++) {
      if (round > 1000) throw new Error('expected an answer, got 1000 rounds without');
      await llm.replica.tick();
      await new Promise(setImmediate);
    }
    return await over;
  };
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 1000; round++) if ((await llm.replica.tick()) === 0) return;
    throw new Error('expected an end, got 1000 rounds');
  };
  const resumed = async (session: string): Promise<number[]> =>
    Array.from(ok(await during(llm.as().resume(session))).token_ids);

  beforeAll(async () => {
    runFast(1);
    llm = await install({ autoTick: false });
    const owner = llm.as();
    ok(await owner.set_settings(change({ arena_bytes: arenaBytes, tokens_per_call: 1 })));
    const family = familyOf(json);
    const shape = {
      name: 'wide',
      family,
      json: json as Record<string, unknown>,
      config: parseConfig(family, json, 'wide'),
    };
    await upload(owner, (await randomModel(shape)).pack);
    expect((await owner.model_info())[0]!.streamed_bytes[0]! > 0n).toBe(isStreamed);
    const all = Object.keys(choices).flatMap((choice) => prompts.map((prompt, i) => ({ choice, prompt, i })));
    ok(await owner.set_settings(change({ max_active: all.length })));
    const answers = all.map(({ choice, prompt }) => owner.generate_with(prompt, ...asked(choice)));
    for (const [at, answer] of (await during(Promise.all(answers))).entries())
      expected.set(`${all[at]!.i} ${all[at]!.choice}`, Array.from(ok(answer).token_ids));
    ok(await owner.set_settings(change({ max_active: 4 })));
    // it forgets how large a token looked, and sees anew
    await llm.upgrade();
    runFast(FAST);
    for (;;) {
      const answer = await during(owner.generate_with('hi', ...asked('greedy', 2)));
      if ('Ok' in answer) return;
      expect(answer.Err).toHaveProperty('Unavailable');
    }
  });

  const ask = async (prompt: number, choice: string): Promise<void> => {
    const { token_ids } = ok(await during(llm.as().generate_with(prompts[prompt]!, ...asked(choice))));
    expect(Array.from(token_ids), `${prompt} ${choice}`).toEqual(idsOf(prompt, choice));
  };

  it.each(Object.keys(choices))('%s, alone', async (choice) => {
    runFast(FAST);
    llm.newMessages();
    await ask(0, choice);
    const messages = llm.newMessages();
    const long = messages.filter(({ instructions }) => FAST * instructions.total > 1e9);
    // each of five tokens takes more than a message
    expect(long.length).toBeGreaterThan(5);
    // none goes on for long once it looks as large as a message may be
    for (const { instructions } of messages) expect(FAST * instructions.total).toBeLessThan(2e9);
  });

  it('short prompts that come together go before the next step, which is then for all', async () => {
    const short = ['hi', 'on', 'at', 'to'];
    runFast(4 * FAST);
    const took = async (prompts: readonly string[], tokens: number): Promise<number> => {
      const asking = prompts.map((prompt) => llm.as().generate_with(prompt, ...asked('greedy', tokens)));
      llm.newMessages();
      // no round goes by before all have come
      for (let i = 0; i < 20; i++) await new Promise(setImmediate);
      for (const answer of await during(Promise.all(asking))) expect(ok(answer).token_ids.length).toBe(tokens);
      return llm.newMessages().reduce((sum, { instructions }) => sum + instructions.total, 0);
    };
    // encodings and keys that are kept are there for all that is compared
    await took(short, 1);
    const alone = (await took(short.slice(0, 1), 5)) - (await took(short.slice(0, 1), 1));
    const together = (await took(short, 5)) - (await took(short, 1));
    // four steps of four; were the first one's token made before the other prompts, there would be seven
    expect(together).toBeLessThan(2.1 * alone);
  });

  it('all at once, some of whom nobody waits for', async () => {
    runFast(FAST);
    const owner = llm.as();
    const started = ok(await owner.start(prompts[3]!, asked('beams')));
    const both = Object.keys(choices).flatMap((choice) => [1, 2].map((prompt) => [prompt, choice] as const));
    const answers = both.map(([prompt, choice]) => owner.generate_with(prompts[prompt]!, ...asked(choice)));
    const made = (await during(Promise.all(answers))).map((answer) => Array.from(ok(answer).token_ids));
    expect(made).toEqual(both.map(([prompt, choice]) => idsOf(prompt, choice)));
    expect(await resumed(started)).toEqual(idsOf(3, 'beams'));
  });

  it('a cancel and an upgrade between two messages of a token', async () => {
    runFast(FAST);
    const owner = llm.as();
    const kept = ok(await owner.start(prompts[0]!, asked('drawn')));
    const stopped = ok(await owner.start(prompts[1]!, asked('greedy')));
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    ok(await owner.cancel(stopped));
    await llm.upgrade();
    await settle();
    expect(await resumed(kept)).toEqual(idsOf(0, 'drawn'));
    expect(await resumed(stopped)).toEqual(idsOf(1, 'greedy'));
  });

  it.each([100, 300, 1000])('a trap at look %i at the counter', async (trapAt) => {
    const owner = llm.as();
    runFast(FAST, trapAt);
    const sessions = [
      ok(await owner.start(prompts[0]!, asked('greedy'))),
      ok(await owner.start(prompts[2]!, asked('beams'))),
    ];
    await settle();
    expect(looks).toBeLessThan(0);
    expect(await resumed(sessions[0]!)).toEqual(idsOf(0, 'greedy'));
    expect(await resumed(sessions[1]!)).toEqual(idsOf(2, 'beams'));
  });
});
