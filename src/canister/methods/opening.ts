/**
 * Whether an answer is begun: what is asked for, checked against the model, the caller's rights and limits, the room
 * there is and what is paid. What is refused is a `GenerateError` that says what was expected, and leaves nothing
 * behind.
 */
import { msgArgData, msgCaller, msgCyclesAvailable, type Principal } from 'azle';
import type { GenerateError, GenerateOptions } from '../../interface/llm.did.ts';
import { maxPromptCharacters, TOKENIZER_STEPS } from '../../interface/prompt-limit.ts';
import {
  fitContext,
  type GenerationOptions,
  type GenerationRequest,
  generationOptions,
  seedOf,
  withLength,
} from '../../model/generation/options.ts';
import { checkChoiceTexts } from '../../model/generation/scoring-options.ts';
import { type Bill, emptyBill, envelopeBytes, ingressFees } from '../../service/bill.ts';
import { priceOf } from '../../service/estimate.ts';
import type { Amount } from '../../service/quotas.ts';
import { TemplateError } from '../../text/chat-template.ts';
import type { Conversation } from '../candid/chat-messages.ts';
import type { Opt, Plain } from '../candid/opt.ts';
import { activeModel, type Model, whyNoModel } from '../model/model.ts';
import { notThisModel } from '../model/model-names.ts';
import { stageCanisters } from '../model/stage-here.ts';
import { callerText } from '../runtime/caller.ts';
import { instructionsNow, MESSAGE_BUDGET } from '../runtime/unit.ts';
import { answerFromCache } from '../sessions/answers.ts';
import { overallLimit, overLimit } from '../sessions/billing.ts';
import { type Asked, wantedBy } from '../sessions/cost.ts';
import { NoSeed, randomBytes } from '../sessions/random.ts';
import type { Session } from '../sessions/session.ts';
import { isFull, isSession, newSession } from '../sessions/sessions.ts';
import { tooManyCalls, tooManyWait } from '../sessions/waiting.ts';
import { settings } from '../storage/settings.ts';
import { notAllowed } from './access.ts';
import { lacksCycles } from './admission.ts';
import { boundsOf, type Choosing, checkTexts, choiceIds, choiceOptions } from './choosing.ts';

export type Options = Opt<Plain<GenerateOptions>>;

/** What is to be answered: a prompt, which is gone on with, or a conversation. */
export type Asking = string | Conversation;

/** A call that asks for an answer. */
export interface Ask {
  method: string;
  asking: Asking;
  options: Options;
  /** Options by their names in JSON, in place of those. */
  request?: GenerationRequest;
  /** Whose account the caller has and who it is let in as, if not itself. */
  account?: string | undefined;
  /** What the answer is to be chosen from: `choose` has no other options. */
  choosing?: Choosing;
  /** The name of the model that is wanted, where it was given. */
  model?: string;
  /** Whether the answer is cut to what the cycles that came with the call pay for. */
  fitsPayment?: boolean;
}

/** What is asked for, checked. */
export interface Task {
  model: Model;
  /** Of a conversation, its last message. */
  prompt: string;
  /** Of all that was given. */
  characters: number;
  sourceIds: number[];
  /** So many of them are a system prompt. */
  systemIds?: number;
  options: GenerationOptions;
  /** The texts that there is a choice of. */
  choices?: readonly string[];
  tokensPerCall: number;
}

/**
 * Why nothing of the kind is begun, for a prompt of one token; asked before the prompt's tokens are, which take up to a
 * billion instructions.
 * @param most options of the most that it may turn out to be
 */
type Refuse = (model: Model, asked: Asked, most: GenerationOptions) => GenerateError | undefined;

/** Checks caller, prompt and options. */
export function readTask(ask: Ask, refuse: Refuse = () => undefined): Task | GenerateError {
  const {
    method,
    asking,
    options: [options],
    choosing,
  } = ask;
  const denied = ask.account === undefined ? notAllowed(method) : undefined;
  if (denied) return { NotAllowed: denied };
  const model = activeModel();
  if (!model) return { NoModel: `${method}: ${whyNoModel()}` };
  const { stages } = model.languageModel;
  if (stages > 1 && stageCanisters().length !== stages) {
    const expected = `expected set_stages to say which canisters its ${stages} stages are`;
    return { NoModel: `${method}: ${expected}, got ${stageCanisters().length}` };
  }
  const other = ask.model === undefined ? undefined : notThisModel(method, ask.model, model);
  if (other !== undefined) return { NoModel: other };
  // the tokenizer is in the last chunk; a large model may take several messages to load
  if (!model.load(Number(MESSAGE_BUDGET))) {
    return { Unavailable: `${method}: the model is being loaded; try again` };
  }
  const length = charactersOf(asking);
  const unreadable = unreadableOf(method, asking, length, model);
  if (unreadable) return unreadable;
  const wish = choosing ? scoringWish(choosing, model, method) : generationWish(ask, model);
  let first: Bounds;
  try {
    first = wish.bounds(maxPromptCharacters(model.limits.promptTokens) - length);
  } catch (error) {
    if (error instanceof NoSeed) return { Unavailable: `${method}: ${error.message}` };
    return { InvalidOptions: (error as Error).message };
  }
  const perCall = options?.tokens_per_call[0] ?? { fixed: settings().tokens_per_call };
  if (options?.tokens_per_call[0] && 'fixed' in perCall && perCall.fixed < 1) {
    return { InvalidOptions: `${method}: expected tokens_per_call of at least 1, got ${perCall.fixed}` };
  }
  const tokensPerCall = 'fixed' in perCall && !choosing ? perCall.fixed : 0;
  const { texts: choices } = wish;
  // choices are read as a prompt is
  const characters = length + (choices?.reduce((sum, text) => sum + text.length, 0) ?? 0);
  const asked = { promptTokens: 1, promptCharacters: characters, options: first.least, tokensPerCall };
  const refused = refuse(model, asked, first.most);
  if (refused) return refused;
  const prompt = promptOf(asking);
  const ids = idsOf(method, asking, model, (choosing ? choosing.options : options)?.special_tokens[0] ?? false);
  if (!('sourceIds' in ids)) return ids;
  try {
    return {
      model,
      prompt,
      characters,
      ...ids,
      options: wish.decide(ids.sourceIds.length, first),
      choices,
      tokensPerCall,
    };
  } catch (error) {
    return { InvalidOptions: (error as Error).message };
  }
}

/**
 * Options as far as they are known before the prompt's ids are: of the least work it may turn out to be, and the most.
 */
interface Bounds {
  least: GenerationOptions;
  most: GenerationOptions;
}

/** What a call wants of a prompt. */
interface Wish {
  /** The texts that there is a choice of. */
  texts: readonly string[] | undefined;
  /** @param characters that the prompt leaves the texts @throws RangeError, NoSeed */
  bounds(characters: number): Bounds;
  /** @throws RangeError */
  decide(promptTokens: number, first: Bounds): GenerationOptions;
}

const scoringWish = (choosing: Choosing, model: Model, method: string): Wish => ({
  texts: choosing.texts,
  bounds(characters) {
    checkTexts(choosing, characters, method);
    return boundsOf(choosing, model, method);
  },
  decide: (promptTokens) => choiceOptions(choosing, model, promptTokens, method),
});

function generationWish({ method, options: [options], request = requestOf(options) }: Ask, model: Model): Wish {
  const texts = options?.choices[0];
  const decided = (more: GenerationRequest) =>
    generationOptions({ ...request, ...more }, model.head.generation, model.bounds, randomSeed, undefined, method);
  return {
    texts,
    bounds(characters) {
      if (texts) checkChoiceTexts(texts, Math.max(0, characters), method, 1);
      // as if each text were one token, which is no stop token
      const choices = texts?.map((_, i) => [i]).filter(([id]) => !model.bounds.eosTokenIds.includes(id!));
      const least = decided({ ...(choices && { choices }) });
      return { least, most: least };
    },
    decide(promptTokens, { least }) {
      if (!texts) return fitContext(least, request, promptTokens, model.bounds, method);
      const seed = least.doSample ? seedOf(least) : undefined;
      const withIds = decided({ choices: choiceIds(texts, model, true, method), seed });
      return fitContext(withIds, request, promptTokens, model.bounds, method);
    },
  };
}

/** What is wrong with a prompt or a conversation before anything of it is read. */
function unreadableOf(method: string, asking: Asking, characters: number, model: Model): GenerateError | undefined {
  const limit = model.limits.promptTokens;
  const mostCharacters = maxPromptCharacters(limit);
  if (characters > mostCharacters) {
    const message = `${method}: expected a prompt of at most ${mostCharacters} characters, got ${characters}`;
    return { PromptTooLong: { tokens: characters, limit, message } };
  }
  if (typeof asking !== 'string' && asking.count > MAX_MESSAGES)
    return { InvalidOptions: `${method}: expected at most ${MAX_MESSAGES} messages, got ${asking.count}` };
  if (promptOf(asking).trim() !== '') return undefined;
  const expected = typeof asking === 'string' ? 'a prompt' : 'a last message with a text';
  return { EmptyPrompt: `${method}: expected ${expected}, got no text` };
}

/** The ids of what is asked, and how many of them are a system prompt. */
function idsOf(
  method: string,
  asking: Asking,
  model: Model,
  specialTokens: boolean,
): Pick<Task, 'sourceIds' | 'systemIds'> | GenerateError {
  if (specialTokens && !model.tokenizer.knowsSpecialTokens) {
    const expected = 'expected a pack that says which special tokens there are, got one of an earlier version';
    return { InvalidOptions: `${method}: special_tokens: ${expected}; convert the model again` };
  }
  if (typeof asking !== 'string' && asking.tools > 0 && !model.chat)
    return { InvalidOptions: `${method}: expected no tools, as the model takes none, got ${asking.tools}` };
  const limit = model.limits.promptTokens;
  let sourceIds: number[] | undefined;
  let systemIds = 0;
  try {
    if (typeof asking !== 'string' && model.notChatting) throw model.notChatting;
    if (typeof asking === 'string' || !model.chat) {
      const options = { specialTokens, thousandSteps: TOKENIZER_STEPS };
      sourceIds = model.tokenizer.encodeUpTo(promptOf(asking), limit, options);
    } else {
      const { messages, tools } = asking.read();
      const options = { tools, isSpent: spender() };
      sourceIds = model.chat.encodeUpTo(messages, limit, options);
      if (sourceIds) systemIds = model.chat.systemLength(messages, sourceIds, options);
    }
  } catch (error) {
    if (error instanceof TemplateError) return { InvalidOptions: `${method}: ${error.message}` };
    throw error;
  }
  if (sourceIds) return { sourceIds, ...(systemIds > 0 && { systemIds }) };
  const message = `${method}: expected a prompt of at most ${limit} tokens, got more than ${limit}`;
  return { PromptTooLong: { tokens: limit + 1, limit, message } };
}

/** Arguments have room for some more (argument-reader.ts), but then the limit has no name. */
const MAX_MESSAGES = 200;
/**
 * Whether a template has had its time, of a message that may have brought the model back before: what follows is
 * bounded by the text.
 */
function spender(): () => boolean {
  const begun = instructionsNow();
  return () => instructionsNow() - begun > 400_000_000;
}

/** A prompt; of a conversation, its last message. */
const promptOf = (asking: Asking): string => (typeof asking === 'string' ? asking : asking.last);

const charactersOf = (asking: Asking): number => (typeof asking === 'string' ? asking.length : asking.characters());

const randomSeed = (): bigint => new DataView(randomBytes(8).buffer).getBigUint64(0);

const earlyStopping = { yes: true, no: false, never: 'never' } as const;

function requestOf(options: Plain<GenerateOptions> | undefined): GenerationRequest {
  if (!options) return {};
  const { tokens_per_call: _, special_tokens: __, choices: ___, early_stopping, ...rest } = options;
  const given = Object.entries(rest).filter(([, value]) => value.length > 0);
  const request: Record<string, unknown> = Object.fromEntries(given.map(([name, [value]]) => [name, value]));
  const [early] = early_stopping;
  if (early) request['early_stopping'] = earlyStopping[Object.keys(early)[0] as keyof typeof earlyStopping];
  return request;
}

export const isTask = (value: Task | GenerateError): value is Task => 'sourceIds' in value;

/** The bill of the call in hand before anything is done: what its ingress cost, if it came from outside. */
export function billOfCall(method: string): Bill {
  const caller = msgCaller();
  const bill = emptyBill();
  if (!isCanister(caller)) bill.fees = ingressFees(envelopeBytes(method, msgArgData().length));
  return bill;
}

/** Why no session was opened, and whether the prompt's tokens were found before that was known. */
export interface Refusal {
  error: GenerateError;
  wasRead: boolean;
}

/**
 * Checks what is asked for and whether there is room for it, and opens a session, which is yet to be put in the queue.
 */
export function openSession(ask: Ask, before: Bill): Session | Refusal {
  const { method, asking, fitsPayment = false } = ask;
  const owner = ask.account ?? callerText();
  let wasRead = false;
  const refuse: Refuse = (model, asked, mostOptions) => {
    const [least, most] = [
      wantedBy(model, fitsPayment ? withTokens(asked, 1) : asked),
      wantedBy(model, { ...asked, options: mostOptions, promptTokens: mostTokens(model, asking) }),
    ];
    const refused = noRoom(method, owner, least) ?? lacksPayment(method, least.cycles, most.cycles);
    wasRead = refused === undefined;
    return refused;
  };
  const found = readTask(ask, refuse);
  if (!isTask(found)) return { error: found, wasRead };
  const { model, characters, ...task } = found;
  const { sourceIds, options, tokensPerCall } = task;
  const whole = { promptTokens: sourceIds.length, promptCharacters: characters, options, tokensPerCall };
  const asked = fitsPayment && pays() ? affordable(model, whole) : whole;
  const rest = { ...task, options: asked.options };
  const wanted = wantedBy(model, asked);
  const refused = noRoom(method, owner, wanted) ?? lacksPayment(method, wanted.cycles);
  if (refused) return { error: refused, wasRead };
  const payingFrom = pays() ? 0 : undefined;
  const session = newSession(method, { owner, model: model.stored.sha256, payingFrom, ...rest }, wanted, before);
  if (!isSession(session)) return { error: session, wasRead };
  answerFromCache(session);
  return session;
}

const withTokens = (asked: Asked, maxNewTokens: number): Asked => ({
  ...asked,
  options: withLength(asked.options, maxNewTokens),
});

/** The same, with as many tokens as the attached cycles pay for; one at least, which may be refused. */
function affordable(model: Model, asked: Asked): Asked {
  const { price_percent } = settings();
  const available = msgCyclesAvailable();
  const isPaid = (tokens: number): boolean =>
    priceOf(wantedBy(model, withTokens(asked, tokens)).cycles, price_percent) <= available;
  let [least, most] = [1, asked.options.maxNewTokens];
  if (isPaid(most)) return asked;
  while (least + 1 < most) {
    const middle = (least + most) >> 1;
    if (isPaid(middle)) least = middle;
    else most = middle;
  }
  return withTokens(asked, least);
}

/**
 * NFKC makes at most 18 characters of one; two more tokens stand for the beginning and the end. What a template adds is
 * its own.
 */
function mostTokens(model: Model, asking: Asking): number {
  const { promptTokens } = model.limits;
  return typeof asking === 'string' ? Math.min(promptTokens, 18 * asking.length + 2) : promptTokens;
}

/** Why nothing that takes so much is begun for this owner: limits, the queue, cycles. */
export function noRoom(method: string, owner: string, wanted: Amount): GenerateError | undefined {
  const over = overLimit(method, owner, wanted);
  if (over) return { LimitReached: over };
  if (isFull()) {
    const { max_queued } = settings();
    return { Unavailable: `${method}: expected fewer than ${max_queued} sessions to wait; try again later` };
  }
  const unavailable = overallLimit(method, wanted) ?? lacksCycles(method);
  return unavailable === undefined ? undefined : { Unavailable: unavailable };
}

/**
 * Why this caller may not wait for an answer: each call that waits holds a place in the queue to ourselves, and 42 B
 * cycles.
 */
export function mayNotWait(method: string, who = callerText()): GenerateError | undefined {
  if (tooManyWait()) return { Unavailable: `${method}: too many calls wait for their answer; try again, or use start` };
  const over = tooManyCalls(method, who);
  if (over) return { LimitReached: over };
  const poor = lacksCycles(method);
  return poor === undefined ? undefined : { Unavailable: poor };
}

/** Nobody but canisters can attach cycles, and their calls are no ingress. */
const isCanister = (caller: Principal): boolean => caller.toUint8Array().at(-1) === OPAQUE_ID;
/** The last byte of a canister's principal. */
const OPAQUE_ID = 1;

/** Whether the call in hand may be asked to pay. */
export const pays = (): boolean => settings().price_percent > 0 && isCanister(msgCaller());

/**
 * Why what is attached is not enough for an answer that costs up to so many cycles. They stay where they are until the
 * answer is there: what is not accepted goes back, all of it after a failure.
 * @param most what is asked for, where it is not known yet what it costs
 */
export function lacksPayment(method: string, cycles: number, most = cycles): GenerateError | undefined {
  if (!pays()) return undefined;
  const { price_percent } = settings();
  const available = msgCyclesAvailable();
  const waits = method !== 'start' && method !== 'start_chat';
  if (waits && available >= priceOf(cycles, price_percent)) return undefined;
  const price = priceOf(most, price_percent);
  const message = !waits
    ? `${method}: expected a call of generate, which cycles can be attached to for as long as it lasts`
    : `${method}: expected ${price} cycles attached, got ${available}; what is not used comes back`;
  return { PaymentRequired: { cycles: price, message } };
}
