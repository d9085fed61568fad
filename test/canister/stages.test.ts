/** A model over three canisters: each answer is what one canister gives, and whoever cannot ask is told why. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { GenerateOptions, _SERVICE as Llm } from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { llamaPack } from './llama-pack.ts';
import { controller, type Installed, install, ok, options, stranger, upload } from './llm.ts';
import { cutPack, installStaged, type Staged } from './staged.ts';

const PROMPT = 'what is the opposite of hot?';
const littleFlan = async () => new Uint8Array(readFileSync((await packFolder('models/little-flan', 'int8')).path));

async function atItsEnd(llm: Llm, id: string): Promise<string> {
  for (;;) {
    const { text, state } = ok(await llm.progress(id, 0));
    if ('finished' in state) return text;
    if ('failed' in state) throw new Error(state.failed);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const ASKED: [string, [GenerateOptions]][] = [
  ['the likeliest', options({ max_new_tokens: 8 })],
  ['as many a call as fit', options({ max_new_tokens: 8, tokens_per_call: { auto: null } })],
  ['drawn', options({ max_new_tokens: 8, do_sample: true, seed: 5n, temperature: 1.5 })],
  ['penalised', options({ max_new_tokens: 8, repetition_penalty: 1.3 })],
  ['beams', options({ max_new_tokens: 6, num_beams: 3 })],
];

describe.each([
  ['a T5', littleFlan],
  ['a decoder-only model', () => llamaPack('gemma3', 'int8')],
] as const)('%s', (_, packOf) => {
  let staged: Staged;
  let alone: Installed;
  beforeAll(async () => {
    const pack = await packOf();
    staged = await installStaged(pack);
    alone = await install();
    await upload(alone.as(), pack);
  });

  it.each(ASKED)('%s: the same text as from one canister, by calls and by itself', async (_what, asked) => {
    const expected = ok(await alone.as().generate_with(PROMPT, asked[0]!));
    staged.newMessages();
    const got = ok(await staged.as().generate_with(PROMPT, asked[0]!));
    expect([got.text, got.token_ids]).toEqual([expected.text, expected.token_ids]);
    const at = staged.newMessages().filter(({ method }) => method === 'stage_forward');
    expect(at.length).toBeGreaterThanOrEqual(2 * got.output_tokens);
    expect(await atItsEnd(staged.as(), ok(await staged.as().start(PROMPT, asked)))).toBe(expected.text);
  });

  it('several callers at once, and a choice among texts', async () => {
    const prompts = [PROMPT, 'hello', 'the third of them', 'one more'];
    const ask = (llm: Llm) =>
      Promise.all(prompts.map((prompt) => llm.generate_with(prompt, options({ max_new_tokens: 6 })[0]!)));
    const [got, expected] = [await ask(staged.as()), await ask(alone.as())];
    expect(got.map((one) => ok(one).text)).toEqual(expected.map((one) => ok(one).text));
    const choose = async (llm: Llm) => ok(await llm.choose(PROMPT, ['cold', 'warm', 'a car'], [])).choices;
    expect(await choose(staged.as())).toEqual(await choose(alone.as()));
  });

  it('goes on after any stage was upgraded, from where it stood', async () => {
    const asked = options({ max_new_tokens: 8, repetition_penalty: 1.1 });
    const expected = ok(await alone.as().generate_with(PROMPT, asked[0]!)).text;
    for (const index of [1, 2]) {
      const id = ok(await staged.as().start(PROMPT, asked));
      await new Promise((resolve) => setTimeout(resolve, 20));
      await staged.upgradeStage(index);
      expect(await atItsEnd(staged.as(), id)).toBe(expected);
    }
  });

  it('tells who waits which stage is stopped, and goes on when it runs again', async () => {
    const { replica, ids } = staged;
    await replica.stopCanister({ canisterId: ids[2]!, sender: controller });
    const told = await staged.as().generate_with('a new prompt', options({ max_new_tokens: 5 })[0]!);
    const message = 'Err' in told && 'Failed' in told.Err ? told.Err.Failed.message : JSON.stringify(told, String);
    expect(message).toContain(`stage 3 of 3 (${ids[2]!.toText()})`);
    expect(message).toMatch(/stopped/);
    await replica.startCanister({ canisterId: ids[2]!, sender: controller });
    const session = (told as { Err: { Failed: { session: string } } }).Err.Failed.session;
    const expected = ok(await alone.as().generate_with('a new prompt', options({ max_new_tokens: 5 })[0]!)).text;
    expect(ok(await staged.as().resume(session)).text).toBe(expected);
  });
});

describe('who may not, and what is wrong', () => {
  let staged: Staged;
  beforeAll(async () => {
    staged = await installStaged(await llamaPack('qwen2', 'int8'));
  });

  it('a stage answers its first canister alone', async () => {
    await expect(staged.stage(1, stranger).stage_forward(Uint8Array.of(1))).rejects.toThrow(
      `stage_forward: expected the first canister, ${staged.ids[0]!.toText()}`,
    );
    const denied = await staged.stage(1).generate('hello');
    expect(JSON.stringify(denied)).toContain(
      `this canister is stage 2 of 3 of a model; ask its first canister, ${staged.ids[0]!.toText()}`,
    );
  });

  it('a query is told to be a call', async () => {
    const refused = await staged.as().generate_query('hello', []);
    expect(JSON.stringify(refused)).toContain('got one over 3 canisters, which a query cannot ask; use generate');
  });

  it('says which stage it is', async () => {
    const infos = await Promise.all(staged.ids.map(async (_, i) => (await staged.stage(i).stages())[0]!));
    expect(infos.map(({ index, count }) => [index, count])).toEqual([
      [0, 3],
      [1, 3],
      [2, 3],
    ]);
    expect(new Set(infos.map(({ model }) => model)).size).toBe(1);
    expect(infos[2]!.layers.to).toBe(3);
    expect(infos[0]!.canisters.map(String)).toEqual(staged.ids.map(String));
  });

  it.each<[string, (ids: Staged['ids']) => Staged['ids'], RegExp]>([
    ['two that are equal', ([a, b]) => [a!, b!, b!], /expected canisters that differ, got .* twice/],
    ['too few', ([a, b]) => [a!, b!], /expected 3 canisters, got 2/],
    ['another order', ([a, b, c]) => [b!, a!, c!], /expected this canister, .*, as number 1, got/],
  ])('set_stages refuses %s', async (_what, wrong, expected) => {
    expect(JSON.stringify(await staged.as().set_stages(wrong(staged.ids)))).toMatch(expected);
    const [info] = await staged.as().stages();
    expect(info!.canisters).toHaveLength(3);
  });

  it('a stage with another model is named, and the session can be resumed', async () => {
    const [, other] = await cutPack(await llamaPack('llama-a', 'int8'), 3);
    await upload(staged.stage(1), other!);
    const told = await staged.as().generate_with('hello', options({ max_new_tokens: 3 })[0]!);
    expect(JSON.stringify(told)).toMatch(/stage 2 of 3 .*expected a call for the model and cut .*upload all stages/);
  });
});
