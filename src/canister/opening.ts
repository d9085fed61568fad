/**
 * Whether an answer is begun: what is asked for, checked against the model, the caller's rights and limits, the room there is and what is paid. What is
 * refused is a `GenerateError` that says what was expected, and leaves nothing behind.
 */
import { msgCaller, msgCyclesAvailable } from 'azle';
import { isPlainGreedy } from '../model/generation/choice.ts';
import { type GenerationOptions, type GenerationRequest, generationOptions } from '../model/generation/options.ts';
import { notAllowed } from './access.ts';
import { lacksCycles } from './admission.ts';
import { answerFromCache } from './answers.ts';
import { overallLimit, overLimit } from './callers.ts';
import type { GenerateError, GenerateOptions } from './candid.ts';
import { estimate, priceOf } from './cost.ts';
import { activeModel, type Model, whyNoModel } from './model.ts';
import { MAX_PROMPT_CHARACTERS, TOKENIZER_STEPS } from './prompt-limit.ts';
import { NoSeed, randomBytes } from './random.ts';
import type { Session } from './session.ts';
import { isFull, isSession, newSession } from './sessions.ts';
import { settings } from './settings.ts';
import { MESSAGE_BUDGET } from './unit.ts';
import { tooManyCalls, tooManyWait } from './waiting.ts';

export type Options = [] | [GenerateOptions];

/** What is asked for, checked. */
export interface Task {
  model: Model;
  prompt: string;
  sourceIds: number[];
  options: GenerationOptions;
  tokensPerCall: number;
}

/**
 * Checks caller, prompt and options.
 * @param refuse why nothing of so many tokens is begun; asked before the prompt's tokens are, which take up to a billion instructions
 */
export function readTask(
  method: string,
  prompt: string,
  [options]: Options,
  refuse: (tokens: number) => GenerateError | undefined = () => undefined,
): Task | GenerateError {
  const denied = notAllowed(method);
  if (denied) return { NotAllowed: denied };
  const model = activeModel();
  if (!model) return { NoModel: `generate: ${whyNoModel()}` };
  // the tokenizer is in the last chunk; a large model may take several messages to load
  if (!model.load(Number(MESSAGE_BUDGET))) {
    return { Unavailable: 'generate: the model is being loaded; try again' };
  }
  const { max_prompt_tokens: limit, tokens_per_call } = settings();
  if (prompt.length > MAX_PROMPT_CHARACTERS) {
    const message = `generate: expected a prompt of at most ${MAX_PROMPT_CHARACTERS} characters, got ${prompt.length}`;
    return { PromptTooLong: { tokens: prompt.length, limit, message } };
  }
  if (prompt.trim() === '') return { EmptyPrompt: 'generate: expected a prompt, got no text' };
  let decided: GenerationOptions;
  try {
    decided = generationOptions(requestOf(options), model.head.generation, model.head.config, randomSeed);
  } catch (error) {
    if (error instanceof NoSeed) return { Unavailable: error.message };
    return { InvalidOptions: (error as Error).message };
  }
  const perCall = options?.tokens_per_call[0] ?? { fixed: tokens_per_call };
  if (options?.tokens_per_call[0] && 'fixed' in perCall && perCall.fixed < 1) {
    return { InvalidOptions: `generate: expected tokens_per_call of at least 1, got ${perCall.fixed}` };
  }
  const refused = refuse(decided.maxNewTokens);
  if (refused) return refused;
  const specialTokens = options?.special_tokens[0] ?? false;
  if (specialTokens && !model.tokenizer.knowsSpecialTokens) {
    const expected = 'expected a pack that says which special tokens there are, got one of an earlier version';
    return { InvalidOptions: `${method}: special_tokens: ${expected}; convert the model again` };
  }
  const sourceIds = model.tokenizer.encodeUpTo(prompt, limit, { specialTokens, thousandSteps: TOKENIZER_STEPS });
  if (!sourceIds) {
    const message = `generate: expected a prompt of at most ${limit} tokens, got more than ${limit}`;
    return { PromptTooLong: { tokens: limit + 1, limit, message } };
  }
  return { model, prompt, sourceIds, options: decided, tokensPerCall: 'fixed' in perCall ? perCall.fixed : 0 };
}

const randomSeed = (): bigint => new DataView(randomBytes(8).buffer).getBigUint64(0);

const earlyStopping = { yes: true, no: false, never: 'never' } as const;

function requestOf(options: GenerateOptions | undefined): GenerationRequest {
  if (!options) return {};
  const { tokens_per_call: _, special_tokens: __, early_stopping, ...rest } = options;
  const given = Object.entries(rest).filter(([, value]) => value.length > 0);
  const request: Record<string, unknown> = Object.fromEntries(given.map(([name, [value]]) => [name, value]));
  const [early] = early_stopping;
  if (early) request['early_stopping'] = earlyStopping[Object.keys(early)[0] as keyof typeof earlyStopping];
  return request;
}

export const isTask = (value: Task | GenerateError): value is Task => 'sourceIds' in value;

/** Checks what is asked for and whether there is room for it, and opens a session, which is yet to be put in the queue. */
export function openSession(method: string, prompt: string, options: Options): Session | GenerateError {
  const owner = msgCaller().toText();
  const task = readTask(method, prompt, options, (tokens) => noRoom(method, owner, tokens));
  if (!isTask(task)) return task;
  const refused = lacksPayment(method, task);
  if (refused) return refused;
  const { model, ...rest } = task;
  const session = newSession({ owner, model: model.stored.sha256, ...rest });
  if (isSession(session)) answerFromCache(session);
  return session;
}

/** Why nothing of so many tokens is begun for this owner: limits, the queue, cycles. */
export function noRoom(method: string, owner: string, tokens: number): GenerateError | undefined {
  const over = overLimit(method, owner, tokens);
  if (over) return { LimitReached: over };
  if (isFull()) {
    const { max_queued } = settings();
    return { Unavailable: `${method}: expected fewer than ${max_queued} sessions to wait; try again later` };
  }
  const unavailable = overallLimit(method, tokens) ?? lacksCycles(method);
  return unavailable === undefined ? undefined : { Unavailable: unavailable };
}

/** Why this caller may not wait for an answer: each call that waits holds a place in the queue to ourselves, and 42 B cycles. */
export function mayNotWait(method: string): GenerateError | undefined {
  if (tooManyWait()) return { Unavailable: `${method}: too many calls wait for their answer; try again, or use start` };
  const over = tooManyCalls(method, msgCaller().toText());
  if (over) return { LimitReached: over };
  const poor = lacksCycles(method);
  return poor === undefined ? undefined : { Unavailable: poor };
}

/** Canisters may be asked to pay; nobody else can attach cycles. */
export const pays = (): boolean => settings().price_percent > 0 && msgCaller().toUint8Array().at(-1) === OPAQUE_ID;
/** The last byte of a canister's principal. */
const OPAQUE_ID = 1;

type Priced = Pick<Session, 'sourceIds' | 'options' | 'tokensPerCall'> & { model: Model; tokenIds?: readonly number[] };

/** The cycles stay where they are until the answer is there: what is not accepted goes back, all of it after a failure. */
export function lacksPayment(
  method: string,
  { model, sourceIds, options, tokensPerCall, tokenIds = [] }: Priced,
): GenerateError | undefined {
  if (!pays()) return undefined;
  const tokens = (options.maxNewTokens - tokenIds.length) * options.numBeams;
  const relayed = tokensPerCall === 1 && isPlainGreedy(options);
  const cycles = priceOf(estimate(model.head, sourceIds.length, tokens, { relayed }).cycles);
  const available = msgCyclesAvailable();
  if (method !== 'start' && available >= cycles) return undefined;
  const message =
    method === 'start'
      ? `${method}: expected a call of generate, which cycles can be attached to for as long as it lasts`
      : `${method}: expected ${cycles} cycles attached, got ${available}; what is not used comes back`;
  return { PaymentRequired: { cycles, message } };
}
