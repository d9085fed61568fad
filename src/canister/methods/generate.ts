/**
 * `generate` and its kin. One token a message: a call from outside opens a session and makes the first, then the
 * canister calls its own `generate` for each further one. Those calls carry no Candid but a few bytes (scheduler.ts),
 * since Candid in an interpreter costs more than a token.
 */
import { canisterSelf, type IDL, inReplicatedExecution, msgArgData, msgCaller, msgReply } from 'azle';
import type {
  ChatMessage,
  GenerateError,
  GenerateOptions,
  GenerateResult,
  ListOptions,
  ListResult,
  ProgressResult,
  Quote,
  SessionResult,
  StartResult,
} from '../../interface/llm.did.ts';
import { generationOptions, seedOf } from '../../model/generation/options.ts';
import { NotFinite } from '../../model/generation/scoring.ts';
import { type Bill, cyclesOf, executed } from '../../service/bill.ts';
import { leastInstructions, priceOf, QUERY_STABLE_BYTES } from '../../service/estimate.ts';
import { NoRoom } from '../../tensor/arena.ts';
import { shownText } from '../../text/stop-strings.ts';
import { declareArguments, isCandid } from '../candid/arguments.ts';
import { candidEncoder, openEncoder } from '../candid/candid-encoder.ts';
import { conversation } from '../candid/chat-messages.ts';
import type { Plain } from '../candid/opt.ts';
import { activeModel } from '../model/model.ts';
import { callerText } from '../runtime/caller.ts';
import { now } from '../runtime/time.ts';
import { instructionsNow, MESSAGE_BUDGET, unit } from '../runtime/unit.ts';
import { callersAccount, charge } from '../sessions/billing.ts';
import { estimateOf, stillWanted } from '../sessions/cost.ts';
import { seedRandom } from '../sessions/random.ts';
import type { Session } from '../sessions/session.ts';
import {
  closeMessage,
  findToChange,
  finishReason,
  goOn,
  isFinished,
  isSession,
  listSessions,
  type PageLimits,
  passingSession,
  remove,
  sessionForCaller,
  stateOf,
  underWay,
  usageOf,
} from '../sessions/sessions.ts';
import { type Settlement, settle } from '../sessions/settlement.ts';
import { enqueue, finish } from '../steps/places.ts';
import { drive, step, wake, watchOver } from '../steps/scheduler.ts';
import { makeTokens, QUERY } from '../steps/steps.ts';
import { workOrJoin } from '../steps/turn.ts';
import { settings } from '../storage/settings.ts';
import { isAdmin, notAllowed } from './access.ts';
import { onlyQueries } from './admission.ts';
import { admit, candid, declaring, typesOf } from './methods.ts';
import {
  type Ask,
  billOfCall,
  isTask,
  lacksPayment,
  mayNotWait,
  noRoom,
  type Options,
  openSession,
  pays,
  type Refusal,
  readTask,
  type Task,
} from './opening.ts';

const PAGE = 50;
/** As an update call, which costs the canister what the page takes, there is less of it. */
const maxPage = (): PageLimits =>
  inReplicatedExecution()
    ? { sessions: 50, characters: 20_000, looks: 500 }
    : { sessions: 200, characters: 100_000, looks: Number.POSITIVE_INFINITY };

const fromSelf = (): boolean => msgCaller().compareTo(canisterSelf()) === 'eq';

const textOf = ({ text, tokenIds, options, state }: Session): string =>
  text ??
  shownText(activeModel()!.tokenizer.decode(tokenIds), options.stopStrings, state !== 'queued' && state !== 'active');

/** Why a session has no answer to show. */
export function outcomeOf(method: string, session: Session, broken: string | undefined): GenerateError | undefined {
  const { id, state, reason } = session;
  if (state === 'failed') return { Failed: { session: id, message: reason } };
  if (state === 'cancelled') return { Cancelled: { session: id, message: `${method}: the session was cancelled` } };
  if (!underWay(session)) return undefined;
  return { Failed: { session: id, message: `${method}: interrupted, the session goes on by itself: ${broken}` } };
}

function result(method: string, session: Session, broken: string | undefined): GenerateResult {
  const { id } = session;
  const error = outcomeOf(method, session, broken);
  if (error) return { Err: error };
  return {
    Ok: {
      session: id,
      text: textOf(session),
      // a typed array is encoded at once, one of numbers takes 270,000 instructions an element
      token_ids: Uint32Array.from(session.tokenIds),
      finish_reason: finishReason(session),
      seed: session.options.doSample ? [seedOf(session.options)] : [],
      ...usageOf(session),
    },
  };
}

const GENERATE = typesOf('generate');
const encodeResult = candidEncoder(GENERATE.result);
const encodeOpen = openEncoder<GenerateResult>(GENERATE.result as IDL.VariantClass, 'Ok', ['instructions', 'cycles']);

/**
 * What is replied: bytes in which the message's own instructions are yet to come at some places, or the words of a
 * reject.
 */
interface Encoded {
  bytes: Uint8Array;
  /** Of `instructions` and `cycles`, if they are there. */
  places?: number[];
  isReject?: boolean;
}

/** How a method replies: what a session has come to, and that in the method's own form. */
export interface Reply<Result> {
  of(method: string, session: Session, broken: string | undefined): Result;
  encode(result: Result | { Err: GenerateError }): Encoded;
}
const GENERATION: Reply<GenerateResult> = { of: result, encode: encodeOpen };

/** The reply of a method that gives what `generate` does in a form of its own. */
export const inForm = (encode: (result: GenerateResult) => Encoded): Reply<GenerateResult> => ({ of: result, encode });

function openReply({
  bytes,
  places: [instructionsAt, cyclesAt] = [],
  isReject,
}: Encoded): NonNullable<Settlement['reply']> {
  return { bytes, ...(isReject && { isReject }), ...(instructionsAt !== undefined && { instructionsAt, cyclesAt }) };
}

/**
 * Opens a session, makes the first token and goes on to the end. What it gives is replied when the message has ended.
 * @param patience after so many milliseconds the answer ends with what it has
 */
export async function answer<Result>(
  ask: Ask,
  reply: Reply<Result>,
  patience = Number.POSITIVE_INFINITY,
): Promise<void> {
  const { method } = ask;
  const before = billOfCall(method);
  const until = now() + patience;
  wake();
  await seedRandom(before);
  const who = ask.account ?? callerText();
  const busy = mayNotWait(method, who);
  const found = busy ? { error: busy, wasRead: false } : openSession(ask, before);
  if (isSession(found)) await toTheEnd(method, found, reply, { who, until });
  else refuse(found, before, reply, who);
}

/** Replies to a call that comes to no answer. It is on its caller's account. */
export const replyRefused = (method: string, account: string | undefined, bytes: Uint8Array): void =>
  settle(callersAccount(account ?? callerText(), billOfCall(method)), () => ({ reply: { bytes } }));

/** Opens a session that nobody waits for. */
async function begin(ask: Ask): Promise<StartResult> {
  const before = billOfCall(ask.method);
  wake();
  await seedRandom(before);
  const session = openSession(ask, before);
  if (!isSession(session)) return refused(session.error, before);
  if (underWay(session)) {
    enqueue(session);
    watchOver();
  }
  closeMessage(session);
  return { Ok: session.id };
}

/** Refuses a call; a canister that pays does so where its prompt was read. It is on the caller's quota all the same. */
function refuse<Result>({ error, wasRead }: Refusal, before: Bill, reply: Reply<Result>, who = callerText()): void {
  settle(callersAccount(who, before), () => ({
    reply: openReply(reply.encode({ Err: error })),
    ...(wasRead &&
      pays() && { due: { cycles: cyclesOf(before) + cyclesOf(executed(0)), percent: settings().price_percent } }),
  }));
}

/** What a call comes to nothing with, which is on its caller's quota. */
function refused(error: GenerateError, before: Bill): { Err: GenerateError } {
  settle(callersAccount(callerText(), before));
  return { Err: error };
}

/** An answer that is there already: nothing is added to its bill. */
const whole = (session: Session, before: Bill): void =>
  settle(callersAccount(callerText(), before), () => ({
    reply: { bytes: encodeResult(result('resume', session, undefined)) },
  }));

/**
 * Cancels a session that is under way, whose call this is then; of one that is over, it is its caller's.
 * @param then done in between
 */
function cancelIfUnderWay(session: Session, before: Bill, then = (): void => {}): void {
  const goesOn = underWay(session);
  if (goesOn) {
    charge(session, before);
    finish(session, 'cancelled');
  }
  then();
  if (goesOn) closeMessage(session);
  else settle(callersAccount(callerText(), before));
}

/** Works on a session that is new, or was over, and settles what is due. */
async function toTheEnd<Result>(
  method: string,
  session: Session,
  reply: Reply<Result>,
  { who = callerText(), until }: { who?: string; until?: number } = {},
): Promise<void> {
  // what is asked now is what was quoted, whatever is set meanwhile
  const percent = settings().price_percent;
  if (underWay(session)) {
    enqueue(session, true);
    watchOver();
    if (session.state === 'active') workOrJoin(session);
  }
  const broken = await drive(session, who, true, until);
  const { payingFrom } = session;
  // who cancels has had what was made until then; so has who is interrupted, and the rest is not made for nothing
  if (payingFrom !== undefined && session.state !== 'failed') session.payingFrom = undefined;
  if (payingFrom !== undefined && underWay(session)) finish(session, 'failed', `interrupted: ${broken}; resume it`);
  const isDue = session.payingFrom === undefined && payingFrom !== undefined;
  closeMessage(session, () => ({
    reply: openReply(reply.encode(reply.of(method, session, broken))),
    ...(isDue && { due: { cycles: cyclesOf(session) - payingFrom, percent } }),
  }));
}

const noQuote: Quote = { cycles: 0n, instructions: 0n };
declareArguments('generate', typesOf('start').params, GENERATE.params);

export class GenerateMethods {
  /**
   * The answer to a prompt. Update; whom `access` lets. A message for every token (or as `tokens_per_call` says), all
   * within this one call; while other sessions have their turn it waits. If a message traps, its token is undone and
   * tried again; the caller gets `Failed` where that does not help, and the session can be resumed. A second argument,
   * `opt GenerateOptions`, counts where it comes: callers built against the first release send it. It is not in the
   * Candid file, since `icp` and `dfx` insist on a value for each argument there.
   */
  @declaring('generate')
  async generate(): Promise<void> {
    if (fromSelf()) {
      const args = msgArgData();
      if (!isCandid(args)) {
        step(args);
        msgReply(new Uint8Array(0));
        return;
      }
    }
    const args = admit('generate', GENERATE.result, encodeResult) as [string, Options] | undefined;
    if (args) await answer({ method: 'generate', asking: args[0], options: args[1] }, GENERATION);
  }

  /** As `generate`, and as the options say. Update; whom `access` lets. */
  @candid()
  async generate_with(prompt: string, options: Plain<GenerateOptions>): Promise<void> {
    await answer({ method: 'generate_with', asking: prompt, options: [options] }, GENERATION);
  }

  /**
   * The answer to a conversation: the next thing that the assistant says. The model's own chat template makes its
   * prompt; texts of special tokens in contents are ordinary text. A model without a template, as T5, has the last
   * message as its prompt. Update; whom `access` lets.
   */
  @candid()
  async chat(messages: ChatMessage[], options: Options): Promise<void> {
    await answer({ method: 'chat', asking: conversation(messages), options }, GENERATION);
  }

  /**
   * Begins an answer and gives the session's id at once; the canister goes on by itself. Update; whom `access` lets.
   */
  @candid()
  async start(prompt: string, options: Options): Promise<StartResult> {
    return await begin({ method: 'start', asking: prompt, options });
  }

  /** As `start`, for a conversation as `chat` takes it. Update; whom `access` lets. */
  @candid()
  async start_chat(messages: ChatMessage[], options: Options): Promise<StartResult> {
    return await begin({ method: 'start_chat', asking: conversation(messages), options });
  }

  /**
   * Goes on with a session that failed or was cancelled, or waits for one that is under way, and gives the answer.
   * Update; its owner, controllers.
   */
  @candid()
  async resume(id: string): Promise<void> {
    const before = billOfCall('resume');
    wake();
    const no = (error: GenerateError): void => refuse({ error, wasRead: false }, before, GENERATION);
    const session = sessionForCaller('resume', id, findToChange);
    if (!isSession(session)) return no(session);
    if (isFinished(session) && session.text !== undefined) return whole(session, before);
    const model = activeModel();
    if (model?.stored.sha256 !== session.model || !model.load(Number(MESSAGE_BUDGET)))
      return no({ NoModel: `resume: expected the model ${session.model} to be active and loaded` });
    if (isFinished(session)) return whole(session, before);
    const denied = notAllowed('resume');
    if (denied) return no({ NotAllowed: denied });
    const hasToGo = mayNotWait('resume');
    if (hasToGo) return no(hasToGo);
    if (underWay(session)) {
      charge(session, before);
      const broken = await drive(session, callerText(), false);
      return closeMessage(session, () => ({ reply: openReply(encodeOpen(result('resume', session, broken))) }));
    }
    const wanted = stillWanted(session);
    const due = pays() ? cyclesOf(session) - (session.payingFrom ?? cyclesOf(session)) : 0;
    const lacks = noRoom('resume', session.owner, wanted) ?? lacksPayment('resume', wanted.cycles + due);
    if (lacks) return no(lacks);
    if (pays()) session.payingFrom ??= cyclesOf(session);
    const full = goOn('resume', session, wanted, before);
    return full ? no(full) : await toTheEnd('resume', session, GENERATION);
  }

  /** Ends a session that is under way; what it has stays readable. Update; its owner, controllers. */
  @candid()
  cancel(id: string): SessionResult {
    const before = billOfCall('cancel');
    wake();
    const session = sessionForCaller('cancel', id, findToChange);
    if (!isSession(session)) return refused(session, before);
    cancelIfUnderWay(session, before);
    return { Ok: null };
  }

  /** Forgets a session, and ends it if it is under way. Update; its owner, controllers. */
  @candid()
  delete(id: string): SessionResult {
    const before = billOfCall('delete');
    wake();
    const session = sessionForCaller('delete', id, findToChange);
    if (!isSession(session)) return refused(session, before);
    cancelIfUnderWay(session, before, () => remove(session));
    return { Ok: null };
  }

  /**
   * A page of the caller's sessions, newest first, 50 unless told. The anonymous caller has none to list. Query;
   * everyone.
   */
  @candid()
  list([options]: [] | [ListOptions]): ListResult {
    const caller = msgCaller();
    const owner = options?.owner[0] ?? caller;
    if (owner.compareTo(caller) !== 'eq' && !isAdmin(caller)) {
      return {
        Err: { NotYours: `list: expected an admin for the sessions of ${owner.toText()}, got ${caller.toText()}` },
      };
    }
    // whoever has the id of an anonymous caller's session may read it, so nobody gets them by the dozen
    if (owner.isAnonymous() && !isAdmin(caller)) return { Ok: [] };
    const most = maxPage();
    const sessions = Math.min(options?.limit[0] ?? PAGE, most.sessions);
    const page = listSessions(owner.toText(), options?.after[0], { ...most, sessions });
    if (page) return { Ok: page };
    const expected = `expected fewer than ${most.looks} expired sessions before the next one, got more`;
    return { Err: { Unavailable: `list: ${expected}; call list as a query, or try again when they are forgotten` } };
  }

  /**
   * How far a session is, and the text that tokens from number `from` on have added. Query; its owner, controllers, or
   * anyone for an anonymous caller's.
   */
  @candid()
  progress(id: string, from: number): ProgressResult {
    return progressOf(id, from);
  }

  /**
   * The answer in a query: at once, written down nowhere, and certified by nobody but the one node that made it. Query;
   * whom `access` lets. Refused with `TooLong` where it does not fit the 5 B instructions of a query.
   */
  @candid()
  generate_query(prompt: string, options: Options): GenerateResult {
    const read = () => readTask({ method: 'generate_query', asking: prompt, options });
    return answerAtOnce('generate_query', read, result);
  }

  /**
   * What an answer of at most so many tokens, without options, is thought to take at most, and the cycles a canister
   * has to attach to `generate` or `generate_with`; for prompts of up to 16 characters a token. Query; everyone.
   */
  @candid()
  quote(promptTokens: number, maxNewTokens: number): Quote {
    const model = activeModel();
    if (!model) return noQuote;
    const options = generationOptions({}, model.head.generation, model.bounds, () => 0n);
    options.maxNewTokens = Math.min(maxNewTokens, model.limits.newTokens);
    const asked = Math.min(promptTokens, model.limits.promptTokens);
    const { tokens_per_call: tokensPerCall, price_percent } = settings();
    const { instructions, cycles } = estimateOf(model, {
      promptTokens: asked,
      promptCharacters: 16 * asked,
      options,
      tokensPerCall,
    });
    return { cycles: priceOf(cycles, price_percent), instructions: BigInt(instructions) };
  }
}

function progressOf(id: string, from: number): ProgressResult {
  const session = sessionForCaller('progress', id);
  if (!isSession(session)) return { Err: session };
  const { tokenIds, options, model: sha256 } = session;
  const about = { state: stateOf(session), ...usageOf(session) };
  // what was held back is shown at the end, though no token has come
  const isWhole = options.stopStrings === undefined || underWay(session);
  if (from >= tokenIds.length && isWhole) return { Ok: { text: '', ...about } };
  if (from === 0 && session.text !== undefined) return { Ok: { text: session.text, ...about } };
  const model = activeModel();
  if (model?.stored.sha256 !== sha256 || !model.load(Number(MESSAGE_BUDGET))) {
    const instead = session.text === undefined ? '' : '; ask for what is from token 0 on';
    return { Err: { NoModel: `progress: expected the model ${sha256} to be active and loaded${instead}` } };
  }
  const before = shownText(model.tokenizer.decode(tokenIds.slice(0, from)), options.stopStrings, false);
  return { Ok: { text: textOf(session).slice(before.length), ...about } };
}

const tooMuchToRead = (method: string, bytes: number): GenerateError => {
  const most = `at most ${QUERY_STABLE_BYTES} bytes of weights that a query reads from stable memory`;
  const limit = BigInt(QUERY.most);
  const message = `${method}: expected ${most}, got ${bytes}; use ${onlyQueries[method]}`;
  return { TooLong: { instructions: limit, limit, message } };
};

/** In a query, whose changes are thrown away. */
export function answerAtOnce<Result>(
  method: string,
  read: () => Task | GenerateError,
  resultOf: Reply<Result>['of'],
): Result | { Err: GenerateError } {
  // as an update call it would cost the canister up to 5 B cycles, past every limit
  if (inReplicatedExecution()) {
    const expected = 'expected a query call, got an update call';
    return { Err: { NotAllowed: `${method}: ${expected}; use ${onlyQueries[method]}` } };
  }
  const task = read();
  if (!isTask(task)) return { Err: task };
  const { model, ...rest } = task;
  const { stages } = model.languageModel;
  if (stages > 1) {
    const expected = `expected a model that is whole in this canister, got one over ${stages} canisters`;
    return {
      Err: { NotAllowed: `${method}: ${expected}, which a query cannot ask; use ${onlyQueries[method]}` },
    };
  }
  const { options, sourceIds, prompt } = rest;
  const asked = { promptTokens: sourceIds.length, promptCharacters: prompt.length, options, tokensPerCall: 0 };
  const tooLong = (): { Err: GenerateError } => {
    const { instructions } = estimateOf(model, asked);
    const message = `${method}: expected an answer of at most ${QUERY.most} instructions, got up to ${instructions}; ask for fewer tokens, or use ${onlyQueries[method]}`;
    return { Err: { TooLong: { instructions: BigInt(instructions), limit: BigInt(QUERY.most), message } } };
  };
  const { streamedBytes } = model.languageModel.weights;
  if (streamedBytes > QUERY_STABLE_BYTES) return { Err: tooMuchToRead(method, streamedBytes) };
  if (leastInstructions(model.head, sourceIds.length, streamedBytes) > QUERY.most) return tooLong();
  const session = passingSession({
    owner: callerText(),
    model: model.stored.sha256,
    ...rest,
    tokensPerCall: 0,
  });
  let over: 'stop' | 'length' | undefined;
  const before = unit.instructions;
  try {
    over = makeTokens(session, model, QUERY);
  } catch (error) {
    if (error instanceof NotFinite) return { Err: { Failed: { session: '', message: `${method}: ${error.message}` } } };
    if (!(error instanceof NoRoom)) throw error;
    return { Err: { Unavailable: `${method}: ${error.message}; try again when others are over` } };
  }
  if (!over) {
    if (instructionsNow() < Number(QUERY.budget) && session.tokenIds.length === 0) {
      return { Err: { Unavailable: `${method}: another session is in the middle of a step; try again` } };
    }
    return tooLong();
  }
  session.state = over;
  session.sums = session.writing?.state().sums;
  session.calls = 1;
  session.unitInstructions = unit.instructions - before;
  session.messages = 1;
  session.instructions = instructionsNow();
  // of all that, nobody is charged for anything
  session.fees = -session.instructions;
  return resultOf(method, session, undefined);
}
