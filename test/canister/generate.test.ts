/** The main job in the canister: answers, the messages they take, the caches, upgrades. */
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  GenerateOptions,
  type GenerateResult,
  type Generation,
  idlService,
  type _SERVICE as Llm,
} from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { change, controller, type Installed, install, ok, options, stranger, upload } from './llm.ts';

const expected: { cases: { prompt: string; prompt_ids: number[]; ids: number[]; text: string }[] } = JSON.parse(
  readFileSync('models/little-flan/expected.json', 'utf8'),
);
const apples = expected.cases[0]!;
const auto = options({ tokens_per_call: { auto: null } });

let llm: Installed;
let owner: Llm;

async function generate(prompt: string, options: [] | [GenerateOptions] = [], actor = owner): Promise<Generation> {
  const result = await (options[0] ? actor.generate_with(prompt, options[0]) : actor.generate(prompt));
  if ('Err' in result) throw new Error(JSON.stringify(result.Err));
  return result.Ok;
}

/** A call with arguments of one's own making. */
async function raw<T>(method: string, arg: Uint8Array): Promise<T> {
  const [, { annotations, retTypes }] = idlService._fields.find(([name]) => name === method)!;
  const call = { canisterId: llm.canisterId, method, arg };
  const reply = await (annotations.includes('query') ? llm.replica.queryCall(call) : llm.replica.updateCall(call));
  return IDL.decode(retTypes, reply as Uint8Array<ArrayBuffer>)[0] as T;
}

beforeAll(async () => {
  llm = await install();
  owner = llm.as();
  await upload(owner, readFileSync((await packFolder('models/little-flan', 'int8')).path));
});

describe('generate', () => {
  it("answers the apples question as Hugging Face's transformers do, one message from outside and one of its own for each further token", async () => {
    llm.newMessages();
    const { text, token_ids, finish_reason, output_tokens, prompt_tokens, calls } = await generate(apples.prompt);
    expect(text).toBe(apples.text);
    expect([...token_ids]).toEqual(apples.ids);
    expect(finish_reason).toEqual({ stop: null });
    expect([prompt_tokens, output_tokens, calls]).toEqual([
      apples.prompt_ids.length,
      apples.ids.length,
      apples.ids.length,
    ]);
    const updates = llm.newMessages().filter((m) => m.kind === 'update' && m.method === 'generate');
    expect(updates.filter((m) => m.caller.compareTo(controller) === 'eq')).toHaveLength(1);
    expect(updates.filter((m) => m.caller.compareTo(llm.canisterId) === 'eq')).toHaveLength(apples.ids.length - 1);
  });

  it('takes far fewer messages with `auto`, for the same text', async () => {
    llm.newMessages();
    const { text, calls } = await generate(apples.prompt, auto);
    expect(text).toBe(apples.text);
    expect(calls).toBe(1);
    expect(llm.newMessages().filter((m) => m.kind === 'update')).toHaveLength(1);
  });

  it('takes the encoding from the embedding cache the second time, and the encoder does not run', async () => {
    // a long prompt and a short answer, so that the encoder is most of it
    const prompt = `${apples.prompt} now`;
    const short = options({ max_new_tokens: 3, tokens_per_call: { auto: null } });
    const first = await generate(prompt, short);
    const second = await generate(prompt, short);
    expect([first.embedding_cached, second.embedding_cached]).toEqual([false, true]);
    expect(second.text).toBe(first.text);
    expect(Number(second.unit_instructions)).toBeLessThan(Number(first.unit_instructions) / 2);
    const { embedding_hits } = await owner.status();
    expect(Number(embedding_hits)).toBeGreaterThan(0);
  });

  it('puts the least recently used encoding out where the cache is full, and knows over upgrades which that is', async () => {
    const short = options({ max_new_tokens: 1 });
    const cached = async (prompt: string) => (await generate(prompt, short)).embedding_cached;
    const { bytes, one } = await (async () => {
      const before = await owner.status();
      await generate('what is 1 + 1?', short);
      const after = await owner.status();
      return { bytes: before.embedding_bytes, one: after.embedding_bytes - before.embedding_bytes };
    })();
    expect(one).toBeGreaterThan(1000n);
    ok(await owner.set_settings(change({ embedding_bytes: bytes + 3n * one })));
    await generate('what is 2 + 2?', short);
    await generate('what is 3 + 3?', short);
    expect(await cached('what is 1 + 1?')).toBe(true);
    await llm.upgrade();
    // room for two alone: the other prompts of before are out first, then 2 + 2, not 1 + 1
    ok(await owner.set_settings(change({ embedding_bytes: 3n * one })));
    await generate('what is 4 + 4?', short);
    const { embeddings, embedding_bytes } = await owner.status();
    expect(embedding_bytes).toBeLessThanOrEqual(3n * one);
    expect(embeddings).toBeGreaterThanOrEqual(2);
    expect(await cached('what is 1 + 1?')).toBe(true);
    expect(await cached('what is 2 + 2?')).toBe(false);
    ok(await owner.set_settings(change({ embedding_bytes: 1n << 26n })));
  });

  it('takes special tokens for what they are where it is asked to, and for text where it is not', async () => {
    const tokens = async (prompt: string, more: Parameters<typeof options>[0] = {}) =>
      (await generate(prompt, options({ max_new_tokens: 1, ...more }))).prompt_tokens;
    expect(await tokens('opposite of hot:')).toBe(await tokens('opposite of hot:', { special_tokens: true }));
    const plain = await tokens('opposite of hot:</s>');
    expect(await tokens('opposite of hot:</s>', { special_tokens: false })).toBe(plain);
    expect(await tokens('opposite of hot:</s>', { special_tokens: true })).toBe((await tokens('opposite of hot:')) + 1);
    expect(plain).toBeGreaterThan((await tokens('opposite of hot:')) + 1);
  });

  it('masks tokens, the same over an upgrade', async () => {
    const [first, second] = apples.ids as [number, number];
    const asked = options({
      max_new_tokens: 3,
      bad_words_ids: [Uint32Array.of(first, second)],
      forced_eos_token_id: [1],
    });
    const { token_ids } = await generate(apples.prompt, asked);
    expect(token_ids[0]).toBe(first);
    expect(token_ids[1]).not.toBe(second);
    expect(token_ids[2]).toBe(1);
    const forced = await generate(
      apples.prompt,
      options({ max_new_tokens: 2, forced_bos_token_id: 9, suppress_tokens: [second] }),
    );
    expect(forced.token_ids[0]).toBe(9);
    const wrong = await owner.generate_with(apples.prompt, options({ suppress_tokens: [1200] })[0]!);
    expect(wrong).toEqual({
      Err: { InvalidOptions: 'generate_with: expected "suppress_tokens[0]" to be an integer from 0 to 1199, got 1200' },
    });
  });

  it('says in model_info what of the model’s files is not applied', async () => {
    expect((await owner.model_info())[0]!.not_applied).toEqual([]);
  });

  it.each<[string, IDL.Type, number | bigint | string, boolean]>([
    ['nat', IDL.Nat, 5n, true],
    ['nat8', IDL.Nat8, 5, true],
    ['nat64', IDL.Nat64, 5n, true],
    ['int', IDL.Int, 5n, true],
    ['int32', IDL.Int32, 5, true],
    ['a nat64 that is too large', IDL.Nat64, 2n ** 40n, false],
    ['an int below zero', IDL.Int, -5n, false],
    ['a text', IDL.Text, '5', false],
  ])('max_new_tokens as %s is taken if it fits, and else refused, never dropped', async (_, type, value, fits) => {
    const options = IDL.Record({ max_new_tokens: IDL.Opt(type) });
    const arg = new Uint8Array(IDL.encode([IDL.Text, options], [apples.prompt, { max_new_tokens: [value] }]));
    const answer = raw<GenerateResult>('generate_with', arg).then((result) =>
      'Ok' in result ? result.Ok.token_ids.length : result,
    );
    if (fits) expect(await answer).toBe(5);
    else await expect(answer).rejects.toThrow(/generate_with: expected /);
  });

  it('stops at max_new_tokens', async () => {
    const { token_ids, finish_reason } = await generate(apples.prompt, options({ max_new_tokens: 5 }));
    expect([...token_ids]).toEqual(apples.ids.slice(0, 5));
    expect(finish_reason).toEqual({ length: null });
  });

  it('answers at least 59 of the 60 recorded prompts to the letter, in messages of at most 2 B instructions', async () => {
    llm.newMessages();
    let same = 0;
    for (const { prompt, text } of expected.cases) if ((await generate(prompt, auto)).text === text) same += 1;
    console.log(`little-flan, int8 in the canister: ${same} of ${expected.cases.length} texts as recorded`);
    expect(same).toBeGreaterThanOrEqual(59);
    const most = llm.newMessages().reduce((m, { instructions }) => Math.max(m, Number(instructions.total)), 0);
    expect(most).toBeLessThan(2e9);
  });

  it.each([
    ['a second argument, as the first release had it', [IDL.Opt(GenerateOptions)], options({ max_new_tokens: 5 }), 5],
    ['that argument left empty', [IDL.Opt(GenerateOptions)], [], apples.ids.length],
    ['options that are not opt', [GenerateOptions], options({ max_new_tokens: 5 })[0], 5],
  ])('takes from callers built against other Candid: %s', async (_, types, given, tokens) => {
    const arg = new Uint8Array(IDL.encode([IDL.Text, ...types], [apples.prompt, given]));
    const { output_tokens, token_ids } = ok(await raw<GenerateResult>('generate', arg));
    expect(output_tokens).toBe(tokens);
    expect([...token_ids]).toEqual(apples.ids.slice(0, tokens));
  });

  it('start and generate_query leave out options, as Candid allows', async () => {
    const arg = new Uint8Array(IDL.encode([IDL.Text], [apples.prompt]));
    expect(ok(await raw<GenerateResult>('generate_query', arg)).text).toBe(apples.text);
    expect(await raw('start', arg)).toEqual({ Ok: expect.any(String) });
  });
});

describe('options', () => {
  const asked = { max_new_tokens: 12, tokens_per_call: { auto: null } } as const;

  it('a draw is another each time, and the same with its seed', async () => {
    const drawn = { ...asked, do_sample: true, temperature: 3 };
    const one = await generate(apples.prompt, options(drawn));
    expect(one.seed).toHaveLength(1);
    const again = await generate(
      apples.prompt,
      options({ ...drawn, seed: one.seed[0]!, tokens_per_call: { fixed: 1 } }),
    );
    expect(again.token_ids).toEqual(one.token_ids);
    const others = await Promise.all([1, 2, 3].map(() => generate(apples.prompt, options(drawn))));
    expect(others.some(({ text }) => text !== one.text)).toBe(true);
  });

  it('beams, the same in one message and in many, and from a query', async () => {
    const beams = { ...asked, num_beams: 3, length_penalty: 0.8, early_stopping: { yes: null } };
    const one = await generate(apples.prompt, options(beams));
    const many = await generate(apples.prompt, options({ ...beams, tokens_per_call: { fixed: 1 } }));
    expect(many.calls).toBeGreaterThan(5);
    expect(many.token_ids).toEqual(one.token_ids);
    const query = await owner.generate_query(apples.prompt, options(beams));
    const { token_ids, unit_instructions, instructions } = ok(query);
    expect(token_ids).toEqual(one.token_ids);
    // the encoder's work is in the cache, the rest is the same
    expect(Number(unit_instructions)).toBeGreaterThan(Number(one.unit_instructions) / 2);
    expect(unit_instructions).toBeLessThan(instructions);
  });

  it('stop tokens, shortest length, repetition', async () => {
    const plain = await generate(apples.prompt, options(asked));
    const stopped = await generate(apples.prompt, options({ ...asked, eos_token_id: [plain.token_ids[3]!] }));
    expect(stopped.token_ids).toEqual(plain.token_ids.slice(0, 4));
    expect(stopped.finish_reason).toEqual({ stop: null });
    const longer = await generate('opposite of hot:', options({ ...asked, min_new_tokens: 10 }));
    expect(longer.output_tokens).toBeGreaterThan(10);
    const { token_ids } = await generate(apples.prompt, options({ ...asked, no_repeat_ngram_size: 1 }));
    expect(new Set(token_ids).size).toBe(token_ids.length);
  });
});

describe('start and progress', () => {
  it('goes on by itself, and shows what is there', async () => {
    const started = await owner.start(apples.prompt, []);
    if (!('Ok' in started)) throw new Error(JSON.stringify(started));
    const texts: string[] = [];
    for (let i = 0; i < 10_000; i++) {
      const progress = await owner.progress(started.Ok, 0);
      if (!('Ok' in progress)) throw new Error(JSON.stringify(progress));
      if (progress.Ok.text !== texts.at(-1)) texts.push(progress.Ok.text);
      if ('finished' in progress.Ok.state) break;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(texts.at(-1)).toBe(apples.text);
    expect(texts.length).toBeGreaterThan(2);
    for (const text of texts) expect(apples.text.startsWith(text)).toBe(true);
    const tail = await owner.progress(started.Ok, apples.ids.length - 9);
    expect('Ok' in tail && apples.text.endsWith(tail.Ok.text) && tail.Ok.text.length < 30).toBe(true);
  });

  it("shows nobody else's session", async () => {
    const { session } = await generate('opposite of hot:', auto);
    expect(await llm.as(stranger).progress(session, 0)).toEqual({
      Err: { NoSuchSession: expect.stringContaining('expected the id of a session of') },
    });
  });
});

describe('an upgrade', () => {
  it('keeps model, sessions and embeddings; the first generate works without anyone loading anything', async () => {
    const before = await generate('what color is the sky?', auto);
    const sessions = (await owner.status()).sessions;
    await llm.upgrade();
    const after = await generate('what color is the sky?', auto);
    expect(after.text).toBe(before.text);
    expect(after.embedding_cached).toBe(true);
    const status = await owner.status();
    expect(status.model).toEqual(['little-flan']);
    expect(status.sessions).toBe(sessions + 1);
    const old = await owner.progress(before.session, 0);
    expect('Ok' in old && old.Ok.text).toBe(before.text);
  });

  it('keeps a session that is under way, which then goes on to the same text', async () => {
    const started = await owner.start(apples.prompt, options({ tokens_per_call: { fixed: 3 } }));
    if (!('Ok' in started)) throw new Error(JSON.stringify(started));
    await llm.upgrade();
    const resumed = await owner.resume(started.Ok);
    expect('Ok' in resumed && resumed.Ok.text).toBe(apples.text);
  });
});

describe('wrong inputs, each with its answer', () => {
  it.each(['', '   ', '\n\t'])('an empty prompt: %j', async (prompt) => {
    expect(await owner.generate(prompt)).toEqual({
      Err: { EmptyPrompt: 'generate: expected a prompt, got no text' },
    });
  });

  it('a prompt longer than the model takes', async () => {
    const result = await owner.generate('word '.repeat(600));
    expect(result).toMatchObject({ Err: { PromptTooLong: { limit: 512 } } });
    expect(result).toMatchObject({
      Err: {
        PromptTooLong: {
          message: expect.stringMatching(/^generate: expected a prompt of at most 512 tokens, got more than 512$/),
        },
      },
    });
  });

  it.each([0, 513, 4_000_000_000])('max_new_tokens %i', async (n) => {
    const message = `generate_with: expected "max_new_tokens" to be an integer from 1 to 512, got ${n}`;
    expect(await owner.generate_with('hi', ...options({ max_new_tokens: n }))).toEqual({
      Err: { InvalidOptions: message },
    });
  });

  it.each([
    { temperature: Number.NaN, do_sample: true },
    { temperature: 0, do_sample: true },
    { top_p: 1.5 },
    { num_beams: 17 },
    { num_beams: 2, do_sample: true },
    { eos_token_id: [4_000_000_000] },
    { length_penalty: Number.POSITIVE_INFINITY },
    { min_new_tokens: 99, max_new_tokens: 5 },
  ])('options that make no sense: %o', async (given) => {
    expect(await owner.generate_with('hi', ...options(given))).toMatchObject({
      Err: { InvalidOptions: expect.stringMatching(/^generate_with: expected ".+" to be .+, got .+/) },
    });
  });

  it('no tokens a call', async () => {
    const result = await owner.generate_with('hi', ...options({ tokens_per_call: { fixed: 0 } }));
    expect(result).toEqual({ Err: { InvalidOptions: 'generate_with: expected tokens_per_call of at least 1, got 0' } });
  });

  it.each(['generate_with', 'start', 'generate_query'] as const)('%s names itself', async (method) => {
    const wrongs = [
      [' ', {}],
      ['word '.repeat(600), {}],
      ['word '.repeat(10_000), {}],
      ['hi', { max_new_tokens: 0 }],
      ['hi', { tokens_per_call: { fixed: 0 } }],
      ['hi', { top_p: 1.5 }],
    ] as const;
    for (const [prompt, given] of wrongs) {
      const result: { Ok: unknown } | { Err: object } =
        method === 'generate_with'
          ? await owner.generate_with(prompt, options(given)[0]!)
          : await owner[method](prompt, options(given));
      expect(JSON.stringify(result)).toContain(`"${method}: expected `);
    }
  });

  it('a session that is not there', async () => {
    const message = `progress: expected the id of a session of ${controller.toText()}, got "nonsense"`;
    expect(await owner.progress('nonsense', 0)).toEqual({ Err: { NoSuchSession: message } });
  });

  it('arguments that are no Candid, or other Candid', async () => {
    const prompt = new Uint8Array(IDL.encode([IDL.Text], ['hi']));
    const wrong = [new Uint8Array([1, 2, 3]), new Uint8Array(), new Uint8Array(IDL.encode([IDL.Nat], [5n]))];
    for (const [method, expected, args] of [
      ['generate', '(text)', wrong],
      ['generate_with', '(text, record {…})', [...wrong, prompt]],
      ['start', '(text, opt record {…})', wrong],
    ] as const) {
      const call = { canisterId: llm.canisterId, method, sender: stranger };
      for (const arg of args)
        await expect(llm.replica.updateCall({ ...call, arg })).rejects.toThrow(`${method}: expected ${expected}, got`);
    }
  });

  it('no model yet', async () => {
    const empty = (await install()).as();
    const message = 'generate: no model loaded; upload one with npm run upload';
    expect(await empty.generate('hi')).toEqual({ Err: { NoModel: message } });
    expect(await empty.model_info()).toEqual([]);
  });
});
