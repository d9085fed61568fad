/**
 * What a model of a shape costs in the canister on the replica: upload, load after an upgrade, answers one token a call
 * and with `auto`, all from the records of the messages. The kernels' part of each is what the same programs took in
 * the kernels alone (measure-unit.ts); what is neither that, nor pages, nor system calls, is TypeScript.
 */

import type { MessageRecord } from '../packages/replica/src/index.ts';
import type { TokensPerCall } from '../src/interface/llm.did.ts';
import type { T5Config } from '../src/model/checkpoint/config.ts';
import type { Answer, BenchCanister } from '../src/node/cost/bench-canister.ts';
import { installBuilt } from '../src/node/cost/built-canister.ts';
import { promptOf, type RandomModel } from '../src/node/model/random-model.ts';
import { loadT5, measureAnswer, type UnitCosts } from './measure-unit.ts';
import { MeteredUnit } from './metered-unit.ts';

/** Where instructions of some messages went. */
export interface Share {
  messages: number;
  total: number;
  /** The unit's programs, pages and system calls apart. */
  kernels: number;
  pages: number;
  systemCalls: number;
  typescript: number;
  /** 64 KiB pages of heap and stable memory, counted in each message anew. */
  pagesTouched: number;
  milliseconds: number;
}

export interface CanisterFigures {
  tokensIn: number;
  tokensOut: number;
  packBytes: number;
  install: Share;
  upload: Share;
  /** What an upgrade runs itself, and the messages after it that bring the model back. */
  upgrade: Share;
  load: Share;
  /** An answer of one token, its prompt encoded; and with the prompt from the embedding cache. */
  first: Share;
  firstCached: Share;
  /** A further token of the same answer: one a call, its callback included, and of a call that makes many. */
  further: Share;
  furtherAuto: Share;
  /** A further token's part in the unit, pages included, as the canister itself counts. */
  furtherInUnit: number;
  /** A whole answer of `answerTokens` tokens, auto, its prompt new. */
  answerTokens: number;
  answer: Share;
  /** A further token of each of so many answers that are worked on at once: one a call, and of calls that make many. */
  together8: number;
  together16: number;
  together8Auto: number;
  /** A further position of four beams. */
  furtherOfBeams: number;
  /** A token that is made anew after an upgrade. */
  replayed: number;
  /** The message that took most. */
  largest: { method: string; kind: string; instructions: number };
  heapBytes: number;
  arenaBytes: number;
}

const ONE: TokensPerCall = { fixed: 1 };
const AUTO: TokensPerCall = { auto: null };

export async function measureCanister(
  model: RandomModel<T5Config>,
  { tokensIn = 33, tokensOut = 32, answerTokens = 40, onProgress = (_step: string): void => {} } = {},
): Promise<CanisterFigures> {
  onProgress('the kernels alone');
  const unit = await MeteredUnit.create();
  const costs = measureAnswer(unit, loadT5(unit, model), tokensIn, Math.max(tokensOut, answerTokens));
  const kernels = kernelsOf(costs);

  onProgress('installing');
  const canister = await installBuilt();
  const installed = canister.replica.messages.slice();
  onProgress('uploading');
  const uploaded = await canister.upload(model.pack);
  onProgress('upgrading');
  const upgraded = await canister.upgrade();
  onProgress('answering');
  const prompt = promptOf(model.tokenizer, tokensIn);
  const first = await canister.generate(prompt, 1, ONE);
  const firstCached = await canister.generate(prompt, 1, ONE);
  const oneByOne = await canister.generate(prompt, tokensOut, ONE);
  const firstAuto = await canister.generate(prompt, 1, AUTO);
  const auto = await canister.generate(prompt, tokensOut, AUTO);
  const answer = await canister.generate(promptOf(model.tokenizer, tokensIn, 1), answerTokens, AUTO);
  const heapBytes = canister.heapBytes;
  const arenaBytes = await canister.arenaBytes();
  onProgress('answering many');
  const beams = { tokens_per_call: ONE, num_beams: 4 };
  const [beamsOne, beamsAll] = [
    await canister.ask(prompt, { ...beams, max_new_tokens: 1 }),
    await canister.ask(prompt, { ...beams, max_new_tokens: tokensOut }),
  ];
  const together = async (count: number, perCall: TokensPerCall): Promise<number> => {
    const prompts = Array<string>(count).fill(prompt);
    const took = async (tokens: number): Promise<number> =>
      shareOf(await canister.askTogether(prompts, { max_new_tokens: tokens, tokens_per_call: perCall })).total;
    return ((await took(tokensOut)) - (await took(1))) / (count * (tokensOut - 1));
  };
  const together8 = await together(8, ONE);
  const together16 = await together(16, ONE);
  const together8Auto = await together(8, AUTO);
  onProgress('upgrading again');
  const replayed = await measureReplayed(canister, prompt);
  expectTokens('one by one', oneByOne, [tokensIn, tokensOut]);
  expectTokens('auto', auto, [tokensIn, tokensOut]);
  expectTokens('answer', answer, [tokensIn, answerTokens]);
  if (`${oneByOne.generation.token_ids}` !== `${auto.generation.token_ids}`)
    throw new Error(`bench: expected the same tokens one by one and with auto, got others`);

  const further = tokensOut - 1;
  const perFurther = (many: Answer, one: Answer): Share =>
    divide(subtract(shareOf(many.messages, kernels(tokensOut)), shareOf(one.messages, kernels(1))), further);
  const inUnit = ({ generation }: Answer): number => Number(generation.unit_instructions);
  const all = canister.replica.messages;
  const largest = all.reduce((a, b) => (b.instructions.total > a.instructions.total ? b : a));
  return {
    tokensIn,
    tokensOut,
    packBytes: model.pack.length,
    install: shareOf(installed),
    upload: shareOf(uploaded),
    upgrade: shareOf(upgraded.filter(isUpgrade)),
    load: shareOf(upgraded.filter((record) => !isUpgrade(record))),
    first: shareOf(first.messages, kernels(1) + kernelsIn(costs.encode)),
    firstCached: shareOf(firstCached.messages, kernels(1)),
    further: perFurther(oneByOne, firstCached),
    furtherAuto: perFurther(auto, firstAuto),
    furtherInUnit: (inUnit(oneByOne) - inUnit(firstCached)) / further,
    answerTokens,
    answer: shareOf(answer.messages, kernels(answerTokens) + kernelsIn(costs.encode)),
    largest: { method: largest.method, kind: largest.kind, instructions: largest.instructions.total },
    together8,
    together16,
    together8Auto,
    replayed,
    furtherOfBeams: (shareOf(beamsAll.messages).total - shareOf(beamsOne.messages).total) / further,
    heapBytes,
    arenaBytes,
  };
}

/** What comes after an upgrade with a session of 100 tokens, less that with one of 1, by 99. */
async function measureReplayed(canister: BenchCanister, prompt: string): Promise<number> {
  const took = async (tokens: number): Promise<number> => {
    await canister.startAndStick(prompt, tokens);
    return shareOf((await canister.upgrade()).filter((record) => !isUpgrade(record))).total;
  };
  const one = await took(1);
  return ((await took(100)) - one) / 99;
}

const isUpgrade = ({ kind }: MessageRecord): boolean => kind === 'preUpgrade' || kind === 'postUpgrade';

function expectTokens(what: string, { generation }: Answer, inAndOut: readonly [number, number]): void {
  const got = [generation.prompt_tokens, generation.output_tokens];
  if (`${got}` !== `${inAndOut}`)
    throw new Error(`bench ${what}: expected [${inAndOut}] tokens in and out, got [${got}]`);
}

const kernelsIn = ({ rest }: { rest: number }): number => rest;

/** The kernels' part in an answer of so many tokens whose prompt was encoded before. */
const kernelsOf =
  ({ cross, steps }: UnitCosts) =>
  (tokens: number): number =>
    kernelsIn(cross) + steps.slice(0, tokens).reduce((sum, step) => sum + kernelsIn(step), 0);

export function shareOf(records: readonly MessageRecord[], kernels = 0): Share {
  const share = { total: 0, pages: 0, systemCalls: 0, typescript: -kernels, pagesTouched: 0, milliseconds: 0 };
  for (const { instructions, pagesTouched, wallMilliseconds } of records) {
    share.total += instructions.total;
    share.pages += instructions.pages;
    share.systemCalls += instructions.systemCalls;
    share.typescript += instructions.rest;
    share.pagesTouched += pagesTouched.heap + pagesTouched.stable;
    share.milliseconds += wallMilliseconds;
  }
  return { messages: records.length, kernels, ...share };
}

const combine = (a: Share, b: Share, of: (a: number, b: number) => number): Share =>
  Object.fromEntries(Object.entries(a).map(([key, value]) => [key, of(value, b[key as keyof Share])])) as never;
const subtract = (a: Share, b: Share): Share => combine(a, b, (x, y) => x - y);
const divide = (a: Share, by: number): Share => combine(a, a, (x) => x / by);
