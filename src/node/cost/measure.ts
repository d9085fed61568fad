/**
 * What a model costs in a canister, by doing it: install, upload and answers on the replica, in this process, and what
 * the canister's balance says afterwards. Time stands still meanwhile, so that storage is in none of them; what it
 * costs is worked out from the bytes that the canister has at the end.
 */
import { Principal } from '@dfinity/principal';
import { fees, ingressFee } from '../../../packages/replica/src/cycles.ts';
import { agentEnvelopeBytes } from '../../../packages/replica/src/envelope-size.ts';
import type { Tokenizer } from '../../text/tokenizer.ts';
import { type PackSource, promptOf } from '../model/random-model.ts';
import { BenchCanister } from './bench-canister.ts';
import { installBuilt } from './built-canister.ts';

export interface Work {
  pack: Uint8Array | PackSource;
  tokenizer: Pick<Tokenizer, 'encode'>;
  /** Of the prompt, those that the tokenizer adds included. */
  promptTokens: number;
  /** Of the answer, the stop token included. */
  tokens: number;
  /** The setting `arena_bytes`, where it is not to be as it is. */
  arenaBytes?: number | undefined;
  onProgress?: (step: string) => void;
}

/** Cycles on a subnet of 13 nodes. */
export interface Costs {
  create: number;
  /**
   * The message that brings the compressed module, compiling it, which the subnet has not done before, and its first
   * run.
   */
  install: number;
  upload: number;
  /** A day with the bytes that the canister has in the end: module, heap and stable memory. */
  storageDay: number;
  storageBytes: number;
  /**
   * An answer to a prompt that was not asked before: in one call of `generate`, by `start`, which nobody awaits, and
   * with `tokens_per_call = auto`.
   */
  generate: number;
  start: number;
  auto: number;
  /** Of `generate`, a further token: cycles, the messages of its calls and their replies, instructions of all these. */
  token: number;
  tokenMessages: number;
  tokenInstructions: number;
}

/** What answers cost. */
export type AnswerCosts = Pick<Costs, 'generate' | 'start' | 'auto' | 'token' | 'tokenMessages' | 'tokenInstructions'>;

const DAY_SECONDS = 86_400n;
const ONE = { fixed: 1 };
const AUTO = { auto: null };

/** @throws Error where the canister refuses, with its words */
export async function measureCosts(work: Work): Promise<Costs> {
  const { costs } = await measured(work);
  return costs;
}

/** As `measureCosts`; the canister can be measured further. */
export async function measured(work: Work): Promise<{ canister: BenchCanister; costs: Costs }> {
  const { pack, arenaBytes, onProgress = () => {} } = work;
  onProgress('installing');
  const canister = await installBuilt();
  // the replica installs without a message; the compressed module goes into one
  const message = { canisterId: Principal.managementCanister(), methodName: 'install_code', arg: canister.wasm };
  const install = Number(BenchCanister.CYCLES - canister.cycles + ingressFee(agentEnvelopeBytes(message)));
  if (arenaBytes !== undefined) await canister.set({ arena_bytes: BigInt(arenaBytes) });
  onProgress('uploading');
  const before = canister.cycles;
  await canister.upload(pack);
  const upload = Number(before - canister.cycles);
  const answers = await measureAnswers(canister, work);
  const installed = canister.replica.canister(canister.canisterId)!;
  const { storageBytes } = installed;
  const storageDay = Number(installed.idleFee(DAY_SECONDS));
  const costs = { create: Number(fees.canisterCreation), install, upload, storageDay, storageBytes, ...answers };
  return { canister, costs };
}

/** @param variant of prompts: others than those that were asked before */
export async function measureAnswers(
  canister: BenchCanister,
  { tokenizer, promptTokens, tokens, onProgress = () => {} }: Work,
  variant = 0,
): Promise<AnswerCosts> {
  // the first one warms up: it grows what later ones find grown
  const [warm, first, second, third, fourth] = differentPrompts(tokenizer, promptTokens, 5, variant);
  await canister.load();
  const options = (count: number, tokens_per_call: unknown) => ({
    max_new_tokens: count,
    eos_token_id: [PADDING],
    tokens_per_call,
  });
  const ask = async (step: string, prompt: string, count: number, perCall: unknown) => {
    onProgress(step);
    const before = canister.cycles;
    const { generation, messages } = await canister.ask(prompt, options(count, perCall));
    const { prompt_tokens, output_tokens, embedding_cached } = generation;
    if (prompt_tokens !== promptTokens || output_tokens !== count || embedding_cached)
      throw new Error(
        `cost: expected ${promptTokens} new tokens in and ${count} out, got ${prompt_tokens} and ${output_tokens}`,
      );
    const instructions = messages.reduce((sum, message) => sum + message.instructions.total, 0);
    return { cycles: Number(before - canister.cycles), messages: messages.length, instructions };
  };
  await ask('answering', warm!, tokens, AUTO);
  const generate = await ask('answering with generate, one token a call', first!, tokens, ONE);
  onProgress('answering with start, one token a call');
  const before = canister.cycles;
  await canister.start(second!, options(tokens, ONE));
  const start = Number(before - canister.cycles);
  const auto = await ask('answering with auto', third!, tokens, AUTO);
  const one = await ask('answering with one token', fourth!, 1, ONE);
  const further = (what: keyof typeof one): number => (tokens > 1 ? (generate[what] - one[what]) / (tokens - 1) : 0);
  return {
    generate: generate.cycles,
    start,
    auto: auto.cycles,
    token: further('cycles'),
    tokenMessages: further('messages'),
    tokenInstructions: further('instructions'),
  };
}

/**
 * The only token that ends these answers: no model writes it, so that they have the length asked for. `min_new_tokens`
 * would see to that too, at the price of messages that a plain answer does without.
 */
const PADDING = 0;

/** Prompts of exactly so many tokens, no two alike, so that none finds its encoding in the cache. */
function differentPrompts(tokenizer: Work['tokenizer'], tokens: number, count: number, from: number): string[] {
  const prompts = new Set<string>();
  for (let variant = from; prompts.size < count; variant++) {
    if (variant === from + 100)
      throw new Error(`cost: expected ${count} prompts of ${tokens} tokens, got ${prompts.size}; ask for more`);
    prompts.add(promptOf(tokenizer, tokens, variant));
  }
  return [...prompts];
}
