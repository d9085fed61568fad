/**
 * What a model costs in a canister, by doing it: install, upload and answers on the replica, in this process, and what
 * the canister's balance says afterwards. Time stands still meanwhile, so that storage is in none of them; what it
 * costs is worked out from the bytes that the canister has at the end.
 */
import { Principal } from '@dfinity/principal';
import { fees, ingressFee } from '../../../packages/replica/src/cycles.ts';
import { agentEnvelopeBytes } from '../../../packages/replica/src/envelope-size.ts';
import type { Unigram } from '../../model/tokenizer/unigram/tokenizer.ts';
import { promptOf } from '../model/random-model.ts';
import { BenchCanister } from './bench-canister.ts';

export interface Work {
  pack: Uint8Array;
  tokenizer: Unigram;
  /** Of the prompt, `</s>` included. */
  promptTokens: number;
  /** Of the answer, the stop token included. */
  tokens: number;
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
}

const DAY_SECONDS = 86_400n;
const ONE = { fixed: 1 };
const AUTO = { auto: null };

/** @throws Error where the canister refuses, with its words */
export async function measureCosts({
  pack,
  tokenizer,
  promptTokens,
  tokens,
  onProgress = () => {},
}: Work): Promise<Costs> {
  // the first one warms up: it grows what later ones find grown
  const [warm, first, second, third] = differentPrompts(tokenizer, promptTokens, 4);
  onProgress('installing');
  const canister = await BenchCanister.install();
  // the replica installs without a message; the compressed module goes into one
  const message = { canisterId: Principal.managementCanister(), methodName: 'install_code', arg: canister.wasm };
  const install = Number(BenchCanister.CYCLES - canister.cycles + ingressFee(agentEnvelopeBytes(message)));
  const cost = async (what: string, work: () => Promise<unknown>): Promise<number> => {
    onProgress(what);
    const before = canister.cycles;
    await work();
    return Number(before - canister.cycles);
  };
  const upload = await cost('uploading', () => canister.upload(pack));
  const options = (tokens_per_call: unknown) => ({ max_new_tokens: tokens, eos_token_id: [PADDING], tokens_per_call });
  const ask = (prompt: string, perCall: unknown) => async () => {
    const { generation } = await canister.ask(prompt, options(perCall));
    const { prompt_tokens, output_tokens, embedding_cached } = generation;
    if (prompt_tokens !== promptTokens || output_tokens !== tokens || embedding_cached)
      throw new Error(
        `cost: expected ${promptTokens} new tokens in and ${tokens} out, got ${prompt_tokens} and ${output_tokens}`,
      );
  };
  await cost('answering', ask(warm!, AUTO));
  const generate = await cost('answering with generate, one token a call', ask(first!, ONE));
  const start = await cost('answering with start, one token a call', () => canister.start(second!, options(ONE)));
  const auto = await cost('answering with auto', ask(third!, AUTO));
  const installed = canister.replica.canister(canister.canisterId)!;
  const { storageBytes } = installed;
  const storageDay = Number(installed.idleFee(DAY_SECONDS));
  return { create: Number(fees.canisterCreation), install, upload, storageDay, storageBytes, generate, start, auto };
}

/**
 * The only token that ends these answers: T5 never writes it, so that they have the length asked for. `min_new_tokens`
 * would see to that too, at the price of messages that a plain answer does without.
 */
const PADDING = 0;

/** Prompts of exactly so many tokens, no two alike, so that none finds its encoding in the cache. */
function differentPrompts(tokenizer: Unigram, tokens: number, count: number): string[] {
  const prompts = new Set<string>();
  for (let variant = 0; prompts.size < count; variant++) {
    if (variant === 100)
      throw new Error(`cost: expected ${count} prompts of ${tokens} tokens, got ${prompts.size}; ask for more`);
    prompts.add(promptOf(tokenizer, tokens, variant));
  }
  return [...prompts];
}
