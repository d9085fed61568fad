/**
 * SmolLM2-135M-Instruct with its real weights, int8: the figures of a decoder-only model, counted as a T5's are
 * (figures.ts). The GGUF file is named by STEPWISE_SMOLLM2, since it is nobody's to commit; without it there are no
 * such figures.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { LlamaConfig } from '../src/model/families/llama/config.ts';
import { openModel, shapeOf } from '../src/model/families/registry.ts';
import type { LanguageModel } from '../src/model/language-model.ts';
import { convert, planConversion } from '../src/model/pack/convert.ts';
import { copyTokenizer } from '../src/model/tokenizer/pack-tokenizer.ts';
import { installBuilt } from '../src/node/cost/built-canister.ts';
import type { LocalModel } from '../src/node/model/local-model.ts';
import { packFolder, withCheckpoint } from '../src/node/model/model-folder.ts';
import { nodeUnit } from '../src/node/model/node-unit.ts';
import { Arena } from '../src/tensor/arena.ts';
import { shareOf } from './measure-canister.ts';
import { idsOf, withoutPages } from './measure-unit.ts';
import { addCost, MeteredUnit, noCost } from './metered-unit.ts';

type Tokenizer = NonNullable<LocalModel['tokenizer']>;

const [TOKENS_IN, TOKENS_OUT, LONG] = [33, 32, 512];
const UPDATE_LIMIT = 40_000_000_000;
/** A token that this model does not write, so that answers have the length that is asked for. */
const NEVER = 3;

export interface SmolLM2Figures {
  /**
   * The whole step in the kernels, the choice of the token included, mean over the answer, by the multiply-adds with
   * weights. Pages apart.
   */
  smollm2PerMac: number;
  /** Tokens until an update's 40 B are used up, at the cost of a further token with `auto`. */
  smollm2TokensPerUpdate: number;
  /** What an answer of 32 takes beyond an answer of 1, by 31, one token a call. */
  smollm2OneByOne: number;
  /** All messages of an answer of one token to a prompt of 512. */
  smollm2Prefill512: number;
  /** The largest message of all of these. */
  smollm2LargestMessage: number;
}

export const smollm2Targets: Record<keyof SmolLM2Figures, { target: number; most: boolean; pagesApart?: boolean }> = {
  smollm2PerMac: { target: 0.72, most: true, pagesApart: true },
  smollm2TokensPerUpdate: { target: 400, most: false },
  smollm2OneByOne: { target: 270_000_000, most: true },
  smollm2Prefill512: { target: 38_000_000_000, most: true },
  smollm2LargestMessage: { target: 2_000_000_000, most: true },
};

/** @param gguf the file; undefined where there is none */
export async function measureSmolLM2(
  gguf = process.env['STEPWISE_SMOLLM2'],
): Promise<SmolLM2Figures | Record<string, never>> {
  if (!gguf) return {};
  return { smollm2PerMac: await perMac(gguf), ...(await inCanister(gguf)) };
}

async function perMac(gguf: string): Promise<number> {
  const unit = await MeteredUnit.create();
  const { lm, config } = await withCheckpoint(gguf, async (checkpoint) => {
    const config = checkpoint.config as LlamaConfig;
    const lm = openModel(unit, new Arena(unit), shapeOf({ ...checkpoint, weights: 'int8' }, config));
    await bringWeights(lm, checkpoint, unit);
    return { lm, config };
  });
  const sequence = lm.open(idsOf(TOKENS_IN, config.vocabularySize), TOKENS_OUT);
  lm.replay([sequence]);
  unit.take();
  for (let i = 0; i < TOKENS_OUT; i++) {
    lm.step([sequence]);
    sequence.targetIds.push(lm.greedy(0));
  }
  const steps = unit.take().reduce((sum, { cost }) => addCost(sum, cost), noCost());
  return withoutPages(steps) / TOKENS_OUT / macsOf(config);
}

async function bringWeights(
  lm: LanguageModel,
  checkpoint: Parameters<typeof convert>[0],
  unit: MeteredUnit,
): Promise<void> {
  const { weightsOffset, tokenizerOffset } = planConversion(checkpoint, 'int8', 0);
  const write = (at: number, bytes: Uint8Array): void => {
    if (at < weightsOffset || at >= tokenizerOffset) return;
    lm.weights.put(at - weightsOffset, bytes, (place, piece) => unit.write(place, piece));
  };
  await convert(checkpoint, 'int8', new Uint8Array(0), { write }, createHash('sha256'));
}

/** Multiply-adds of a token with weights, its head included. */
function macsOf({
  hiddenSize: D,
  numHeads,
  numKvHeads,
  headDim,
  intermediateSize: F,
  layers,
  vocabularySize,
}: LlamaConfig) {
  return layers.length * (D * headDim * 2 * (numHeads + numKvHeads) + 3 * D * F) + D * vocabularySize;
}

async function inCanister(gguf: string): Promise<Omit<SmolLM2Figures, 'smollm2PerMac'>> {
  const { path } = await packFolder(gguf, 'int8');
  const canister = await installBuilt();
  await canister.upload(new Uint8Array(await readFile(path)));
  const tokenizer = await tokenizerOf(gguf);
  const ask = async (tokensIn: number, tokens: number, perCall: object) => {
    const given = { max_new_tokens: tokens, tokens_per_call: perCall, eos_token_id: [NEVER] };
    const { generation, messages } = await canister.ask(promptOf(tokenizer, tokensIn), given);
    const got = [generation.prompt_tokens, generation.output_tokens];
    if (`${got}` !== `${[tokensIn, tokens]}`)
      throw new Error(`smollm2: expected [${[tokensIn, tokens]}] tokens in and out, got [${got}]`);
    return { ...shareOf(messages), largest: Math.max(...messages.map(({ instructions }) => instructions.total)) };
  };
  const [one, auto] = [{ fixed: 1 }, { auto: null }];
  // the first answer after an upload brings the weights
  await ask(1, 1, one);
  const first = await ask(TOKENS_IN, 1, one);
  const many = await ask(TOKENS_IN, TOKENS_OUT, one);
  const firstAuto = await ask(TOKENS_IN, 1, auto);
  // messages of many tokens, all of which but one touch the weights' pages; an answer of one is one of these
  const manyAuto = await ask(TOKENS_IN, TOKENS_OUT, auto);
  const single = await ask(1, 1, one);
  const long = await ask(LONG, 1, one);
  const messagesMore = manyAuto.pages - firstAuto.pages;
  const furtherAuto = (manyAuto.total - firstAuto.total - messagesMore) / (TOKENS_OUT - 1);
  return {
    smollm2TokensPerUpdate: 1 + Math.floor((UPDATE_LIMIT - furtherAuto - single.pages) / furtherAuto),
    smollm2OneByOne: Math.round((many.total - first.total) / (TOKENS_OUT - 1)),
    smollm2Prefill512: long.total,
    smollm2LargestMessage: Math.max(...[first, many, firstAuto, manyAuto, single, long].map(({ largest }) => largest)),
  };
}

const tokenizerOf = async (gguf: string): Promise<Tokenizer> =>
  copyTokenizer((await withCheckpoint(gguf, (checkpoint) => checkpoint.readTokenizer()))!, await nodeUnit());

const WORDS = 'the canister writes one token a call and then it calls itself until the answer is there'.split(' ');

/** A text of exactly so many tokens. */
function promptOf(tokenizer: Tokenizer, tokens: number): string {
  let text = WORDS[0]!;
  for (let i = 1; tokenizer.encode(text).length < tokens; i++) text += ` ${WORDS[i % WORDS.length]}`;
  const got = tokenizer.encode(text).length;
  if (got !== tokens) throw new Error(`smollm2: expected a prompt of ${tokens} tokens, got ${got}`);
  return text;
}
