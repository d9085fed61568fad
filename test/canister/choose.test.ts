/**
 * Which of some texts the model finds likeliest, asked of the canister: certified and at once, the same to the bit, and
 * what is refused.
 */
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type ChatMessage,
  type ChooseOptions,
  ChooseResult,
  type _SERVICE as Llm,
} from '../../src/interface/llm.did.ts';
import { advance } from '../../src/model/generation/generation.ts';
import { openGeneration } from '../../src/model/generation/open-generation.ts';
import { scoresOf } from '../../src/model/generation/scoring.ts';
import { scoringOptions } from '../../src/model/generation/scoring-options.ts';
import { openLocalModel } from '../../src/node/model/local-model.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { llamaPack } from './llama-pack.ts';
import { change, controller, type Installed, install, ok, options, stranger, upload } from './llm.ts';
import { installPayer } from './payer.ts';

const QUESTION = 'what is the opposite of hot?';
const TEXTS = ['warm', 'cold', 'open', 'blue', 'wet'];

const TEMPLATE =
  '{% for m in messages %}<s>{{ m.role }}\n{{ m.content }}</s>\n{% endfor %}{% if add_generation_prompt %}<s>assistant\n{% endif %}';

const say = (content: string) => [{ role: { user: null }, content }] as ChatMessage[];
const given = (values: Partial<Record<keyof ChooseOptions, boolean>> = {}): [ChooseOptions] => [
  {
    end_token: 'end_token' in values ? [values.end_token!] : [],
    length_normalized: 'length_normalized' in values ? [values.length_normalized!] : [],
    special_tokens: 'special_tokens' in values ? [values.special_tokens!] : [],
  },
];

let installed: Installed;
let llm: Llm;
beforeAll(async () => {
  installed = await install();
  llm = installed.as();
});

describe('a T5', () => {
  beforeAll(async () => {
    await upload(llm, readFileSync((await packFolder('models/little-flan', 'int8')).path));
  });

  it('answers what the same weights give in Node, to the bit: certified, at once, after an upgrade, beside others', async () => {
    const { model, tokenizer, generation, config } = await openLocalModel('models/little-flan', 'int8');
    const ids = TEXTS.map((text) => tokenizer!.encode(text, { bare: true }));
    for (const [endToken, lengthNormalized] of [
      [true, false],
      [false, true],
    ] as const) {
      const decided = scoringOptions(ids, { endToken, lengthNormalized }, generation, config, 'choose');
      const local = openGeneration(model, tokenizer!.encode(QUESTION), decided);
      while (advance(model, local) !== 'finished');
      const expected = scoresOf(local.state().sums!, decided).map(({ logProbability, probability, tokens }) => ({
        log_probability: logProbability,
        probability,
        tokens,
      }));
      local.close();
      const how = given({ end_token: endToken, length_normalized: lengthNormalized });
      const found = ok(await llm.choose(QUESTION, TEXTS, how));
      expect(found).toMatchObject({ index: 1, text: 'cold', choices: expected });
      expect(ok(await llm.choose_query(QUESTION, TEXTS, how)).choices).toEqual(expected);
      const others = [QUESTION, 'write 17 in words', 'what is 4 + 4?'].map((text) => llm.generate(text));
      const beside = [1, 2].map(() => llm.choose(QUESTION, TEXTS, how));
      for (const one of beside) expect(ok(await one).choices).toEqual(expected);
      for (const other of others) ok(await other);
      await installed.upgrade();
      expect(ok(await llm.choose(QUESTION, TEXTS, how)).choices).toEqual(expected);
    }
  });

  it('generates nothing but what is listed, as it was given', async () => {
    const texts = ['  Warm ', 'cold', 'an open door'];
    const [greedy] = options({ choices: texts });
    expect(ok(await llm.generate_with(QUESTION, greedy!))).toMatchObject({
      text: 'cold',
      finish_reason: { stop: null },
    });
    expect(ok(await llm.generate_query(QUESTION, [greedy!])).text).toBe('cold');
    for (let seed = 0n; seed < 6n; seed++) {
      const drawn = options({ choices: texts, do_sample: true, temperature: 50, seed });
      const { text, session } = ok(await llm.generate_with(QUESTION, drawn[0]!));
      expect(texts).toContain(text);
      expect(ok(await llm.progress(session, 0)).text).toBe(text);
    }
    const refused = async (given: object) =>
      ((await llm.generate_with(QUESTION, options(given)[0]!)) as { Err: { InvalidOptions: string } }).Err
        .InvalidOptions;
    expect(await refused({ choices: ['a', 'a'] })).toMatch(/^generate_with: expected choices that differ/);
    expect(await refused({ choices: [] })).toBe('generate_with: expected 1 to 64 choices, got 0');
    expect(await refused({ choices: ['cold'], suppress_tokens: [5] })).toMatch(
      /^generate_with: expected "suppress_tokens" to be left out with choices/,
    );
  });

  it('has a session, whose answer is the text as it was given', async () => {
    const { session } = ok(await llm.choose('what is the capital of france?', ['  paris ', 'rome'], []));
    expect(ok(await llm.resume(session))).toMatchObject({ text: '  paris ', finish_reason: { stop: null } });
    expect(ok(await llm.progress(session, 0))).toMatchObject({ text: '  paris ', state: { finished: { stop: null } } });
    ok(await llm.delete(session));
  });

  it('takes as many messages as it needs, and its bill is below what is asked for', async () => {
    const words = Array.from({ length: 64 }, (_, i) => `${'abcdefgh'[i % 8]} nearly endless text of the number ${i}`);
    const { pay } = await installPayer(installed);
    ok(await llm.set_settings(change({ price_percent: 100 })));
    const none = (await pay('choose', 0n, QUESTION, words, [])) as { result: ChooseResult };
    const { PaymentRequired } = (none.result as { Err: { PaymentRequired: { cycles: bigint } } }).Err;
    const { refunded, result } = (await pay('choose', PaymentRequired.cycles, QUESTION, words, [])) as {
      refunded: bigint;
      result: ChooseResult;
    };
    const { cycles, calls, choices } = ok(result);
    expect(PaymentRequired.cycles - refunded).toBe(cycles);
    expect(calls).toBeGreaterThan(1);
    expect(choices).toHaveLength(64);
    ok(await llm.set_settings(change({ price_percent: 0 })));
  });

  it('replies with as many bytes as there are choices, whatever they come to', async () => {
    const sizes = await Promise.all(
      ['a', 'what is 4 + 4?'].map(async (prompt) => {
        const result = await llm.choose_query(prompt, ['seven', 'eight'], []);
        return IDL.encode([ChooseResult], [result]).length;
      }),
    );
    expect(new Set(sizes).size).toBe(1);
  });

  it.each([
    [['yes'], {}, 'expected 2 to 64 choices, got 1'],
    [Array.from({ length: 65 }, (_, i) => `${i}`), {}, 'expected 2 to 64 choices, got 65'],
    [['yes', ''], {}, 'expected choices with a text, got "" for choice 1'],
    [['no', 'no'], {}, 'expected choices that differ, got "no" for choices 0 and 1'],
    [['no', ' no'], {}, 'expected choices that differ, got "no" and " no", which have the same tokens'],
    [['no', 'no no'], { end_token: false }, 'expected no choice to begin another one'],
    [['no', 'seven '.repeat(80)], {}, 'expected choices of at most 64 tokens, got more for choice 1'],
    [['no', 'x'.repeat(9_000)], {}, 'expected choices of at most 8164 characters in all, got 9002'],
  ])('refuses %#', async (texts, how, expected) => {
    const { Err } = (await llm.choose(QUESTION, texts, given(how))) as { Err: { InvalidOptions: string } };
    expect(Err.InvalidOptions).toContain(`choose: ${expected}`);
    const query = (await llm.choose_query(QUESTION, texts, given(how))) as { Err: { InvalidOptions: string } };
    expect(query.Err.InvalidOptions).toContain(`choose_query: ${expected}`);
  });

  it('is for whom access lets, and queries are no updates', async () => {
    ok(await llm.set_settings(change({ access: { allow_list: null } })));
    const other = installed.as(stranger);
    await expect(other.choose(QUESTION, TEXTS, [])).rejects.toThrow(/choose: expected a caller on the allow list/);
    expect(await other.choose_query(QUESTION, TEXTS, [])).toMatchObject({ Err: { NotAllowed: expect.anything() } });
    ok(await llm.set_settings(change({ access: { public: null } })));
    const call = { canisterId: installed.canisterId, sender: controller, arg: new Uint8Array(IDL.encode([], [])) };
    await expect(installed.replica.updateCall({ ...call, method: 'choose_query' })).rejects.toThrow(/choose_query/);
  });
});

describe('a decoder-only model', () => {
  beforeAll(async () => {
    await upload(llm, await llamaPack('llama-a', 'int8', TEMPLATE));
  });

  it('goes on from the prompt as it stands, or says it as the assistant', async () => {
    const plain = ok(await llm.choose('the answer is', ['ab', ' ab', 'ab cd'], []));
    expect(plain.choices.map(({ tokens }) => tokens)).toEqual([2, 3, 4]);
    expect(ok(await llm.choose_query('the answer is', ['ab', ' ab', 'ab cd'], [])).choices).toEqual(plain.choices);
    const chat = ok(await llm.choose_chat(say('the answer is'), ['ab', 'cd'], []));
    expect(ok(await llm.choose_chat_query(say('the answer is'), ['ab', 'cd'], [])).choices).toEqual(chat.choices);
    expect(chat.prompt_tokens).not.toBe(plain.prompt_tokens);
  });

  it('has room for prompt and choice together, or says how much', async () => {
    ok(await llm.set_settings(change({ max_context_tokens: 10 })));
    expect(await llm.choose('abcd', ['ab', 'cd cd cd cd cd cd'], [])).toEqual({
      Err: {
        InvalidOptions: expect.stringMatching(
          /^choose: expected prompt, longest choice and its end to have at most 10 tokens, got \d+$/,
        ),
      },
    });
  });
});
