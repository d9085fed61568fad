/**
 * One canister, models of two families: each is uploaded, checked, made active and asked, and what it answers is what
 * the same programs give here.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { _SERVICE as Llm } from '../../src/interface/llm.did.ts';
import type { GenerationRequest } from '../../src/model/generation/options.ts';
import { copyTokenizer } from '../../src/model/tokenizer/pack-tokenizer.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import type { Tokenizer } from '../../src/text/tokenizer.ts';
import { FixtureModel } from '../model/generation/models.ts';
import { newUnit } from '../tensor/machines.ts';
import { llamaPack, pairsTokenizer } from './llama-pack.ts';
import { change, type Installed, install, ok, options, upload } from './llm.ts';

const PROMPT = 'Once upon a time, in a land far away, there was a number: 4711.';
let installed: Installed;
let llm: Llm;
let gemma: Uint8Array;
let tokenizer: Tokenizer;
let here: FixtureModel;
const littleFlan = async () => new Uint8Array(readFileSync((await packFolder('models/little-flan', 'int8')).path));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

beforeAll(async () => {
  installed = await install();
  llm = installed.as();
  await upload(llm, await littleFlan());
  gemma = await llamaPack('gemma3', 'int8');
  const unit = newUnit();
  tokenizer = copyTokenizer(pairsTokenizer(900), unit);
  here = await FixtureModel.open('gemma3', 'int8', unit);
});

const textHere = (prompt: string, request: GenerationRequest): string =>
  tokenizer.decode(here.answer(tokenizer.encode(prompt), request));

it('a decoder-only model takes the place of a T5', async () => {
  expect(ok(await llm.generate('opposite of hot:')).text).toBe('cold');
  await upload(llm, gemma);
  const [info] = await llm.model_info();
  expect(info).toMatchObject({
    name: 'gemma3',
    sha256: sha256(gemma),
    vocabulary_size: 1000,
    d_model: 64,
    encoder_layers: 0,
    decoder_layers: 4,
    // the context has 512 tokens, of which one is the answer's at least
    max_prompt_tokens: 511,
    max_new_tokens: 511,
  });
});

describe.each<GenerationRequest>([
  { max_new_tokens: 24 },
  { max_new_tokens: 12, repetition_penalty: 1.3 },
  { max_new_tokens: 12, no_repeat_ngram_size: 2 },
  { max_new_tokens: 10, num_beams: 3 },
  { max_new_tokens: 12, do_sample: true, seed: 7n, top_k: 20 },
])('goes on from a plain text with %o', (request) => {
  const asked = options(request as never);
  it('by calls, in a query, and by itself, as the same programs do here', async () => {
    const expected = textHere(PROMPT, request);
    const answer = ok(await llm.generate_with(PROMPT, asked[0]!));
    expect(answer.text).toBe(expected);
    expect(answer.prompt_tokens).toBe(tokenizer.encode(PROMPT).length);
    expect(ok(await llm.generate_query(PROMPT, asked)).text).toBe(expected);
    const id = ok(await llm.start(PROMPT, asked));
    for (;;) {
      const { text, state } = ok(await llm.progress(id, 0));
      if ('finished' in state) {
        expect(text).toBe(expected);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
});

it('an answer that an upgrade cuts in two ends as it would have', async () => {
  const asked = options({ max_new_tokens: 40, tokens_per_call: { fixed: 1 } });
  const id = ok(await llm.start(PROMPT, asked));
  await installed.upgrade();
  for (;;) {
    const { text, state } = ok(await llm.progress(id, 0));
    if ('finished' in state) {
      expect(text).toBe(textHere(PROMPT, { max_new_tokens: 40 }));
      break;
    }
    if ('failed' in state) throw new Error(state.failed);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

it('prompt and answer have to fit the context, which the settings bound', async () => {
  const long = 'ab'.repeat(480);
  const tokens = tokenizer.encode(long).length;
  expect(tokens).toBe(480);
  expect(await llm.generate_with(long, options({ max_new_tokens: 33 })[0]!)).toMatchObject({
    Err: {
      InvalidOptions:
        'generate_with: expected "max_new_tokens" to be at most 32, as 480 of 512 tokens are the prompt\'s, got 33',
    },
  });
  expect(ok(await llm.generate_with(long, options({ max_new_tokens: 32 })[0]!)).output_tokens).toBe(32);
  // a default that does not fit is made to
  expect(ok(await llm.generate(long)).output_tokens).toBe(32);
  expect(await llm.generate('ab'.repeat(512))).toMatchObject({ Err: { PromptTooLong: { limit: 511 } } });
  ok(await llm.set_settings(change({ max_context_tokens: 100 })));
  expect((await llm.model_info())[0]).toMatchObject({ max_prompt_tokens: 99, max_new_tokens: 99 });
  expect(await llm.generate('ab'.repeat(100))).toMatchObject({ Err: { PromptTooLong: { limit: 99 } } });
  expect(await llm.generate_with('ab', options({ max_new_tokens: 100 })[0]!)).toMatchObject({
    Err: { InvalidOptions: 'generate_with: expected "max_new_tokens" to be an integer from 1 to 99, got 100' },
  });
  ok(await llm.set_settings(change({ max_context_tokens: 4096 })));
});

it('a start token is no option of such a model', async () => {
  expect(await llm.generate_with('ab', options({ decoder_start_token_id: 0 })[0]!)).toMatchObject({
    Err: {
      InvalidOptions:
        'generate_with: expected "decoder_start_token_id" to be left out (this model begins with the prompt), got 0',
    },
  });
});

it('what is quoted is no less than what is charged', async () => {
  for (const tokens of [1, 40]) {
    const [quote, answer] = [
      await llm.quote(60, tokens),
      ok(await llm.generate_with(PROMPT, options({ max_new_tokens: tokens })[0]!)),
    ];
    expect(quote.instructions).toBeGreaterThan(answer.instructions);
  }
});

it('the canister holds packs of both, and switches between them', async () => {
  const flan = sha256(await littleFlan());
  ok(await llm.model_activate(flan));
  expect(ok(await llm.generate('opposite of hot:')).text).toBe('cold');
  ok(await llm.model_activate(sha256(gemma)));
  expect(ok(await llm.generate_with(PROMPT, options({ max_new_tokens: 24 })[0]!)).text).toBe(
    textHere(PROMPT, { max_new_tokens: 24 }),
  );
  ok(await llm.model_activate(flan));
  expect(ok(await llm.generate('opposite of hot:')).text).toBe('cold');
});

describe('a pack that is wrong is refused by name', () => {
  const withHead = (from: string, to: string): Uint8Array => {
    const bytes = gemma.slice();
    const at = Buffer.from(bytes).indexOf(from);
    bytes.set(new TextEncoder().encode(to.padEnd(from.length)), at);
    return bytes;
  };
  it.each([
    ['"family":"llama"', '"family":"camel"', 'expected a family of llama, or none for T5, got'],
    ['"num_attention_heads":4', '"num_attention_heads":8', 'pack: expected model.layers.0'],
    ['"tiedHead":true', '"tiedHead":null', 'pack: expected tiedHead to be a boolean'],
  ])('%s as %s', async (from, to, message) => {
    await expect(upload(llm, withHead(from, to))).rejects.toThrow(message);
    await llm.upload_abort();
  });
});
