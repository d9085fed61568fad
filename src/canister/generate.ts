/**
 * `generate` and its kin. One token a message: a call from outside opens a session and makes the first, then the canister calls its own `generate`
 * for each further one. Those calls carry no Candid but a few bytes (scheduler.ts), since Candid in an interpreter costs more than a token.
 */
import { canisterSelf, IDL, msgArgData, msgCaller, msgReject, msgReply, query, update } from 'azle';
import { MAX_TARGET_LENGTH } from '../model/pack/tensors.ts';
import { isAdmin, notAllowed } from './access.ts';
import { overLimit } from './callers.ts';
import {
  type GenerateError,
  GenerateOptions,
  GenerateResult,
  ListOptions,
  ListResult,
  ProgressResult,
  SessionResult,
  StartResult,
} from './candid.ts';
import { activeModel } from './model.ts';
import { drive, enqueue, finish, isFull, step, take, tooManyWait, wake, work } from './scheduler.ts';
import {
  finishReason,
  goOn,
  isSession,
  listSessions,
  newSession,
  remove,
  type Session,
  sessionForCaller,
  stateOf,
  underWay,
  usageOf,
} from './sessions.ts';
import { settings } from './settings.ts';
import { lacksCycles } from './status.ts';
import { MESSAGE_BUDGET } from './unit.ts';

const DEFAULT_NEW_TOKENS = 128;
/** Longer prompts are refused unread: reading one costs some thousand instructions a character. */
const MAX_PROMPT_CHARACTERS = 32_768;
const PAGE = 50;
const MAX_PAGE = 200;

type Options = [] | [GenerateOptions];

const fromSelf = (): boolean => msgCaller().compareTo(canisterSelf()) === 'eq';

/** Checks caller, prompt and options and opens a session, which is yet to be put in the queue. */
function open(method: string, prompt: string, [options]: Options): Session | GenerateError {
  const denied = notAllowed(method);
  if (denied) return { NotAllowed: denied };
  const model = activeModel();
  if (!model) return { NoModel: 'generate: no model loaded; upload one with npm run upload' };
  // the tokenizer is in the last chunk; a large model may take several messages to load
  if (!model.load(Number(MESSAGE_BUDGET))) {
    return { Unavailable: 'generate: the model is being loaded; try again' };
  }
  const { max_prompt_tokens: limit, tokens_per_call, max_queued } = settings();
  if (prompt.length > MAX_PROMPT_CHARACTERS) {
    const message = `generate: expected a prompt of at most ${MAX_PROMPT_CHARACTERS} characters, got ${prompt.length}`;
    return { PromptTooLong: { tokens: prompt.length, limit, message } };
  }
  if (prompt.trim() === '') return { EmptyPrompt: 'generate: expected a prompt, got no text' };
  const maxNewTokens =
    options?.max_new_tokens[0] ?? Math.min(model.head.generation.maxNewTokens ?? DEFAULT_NEW_TOKENS, MAX_TARGET_LENGTH);
  if (maxNewTokens < 1 || maxNewTokens > MAX_TARGET_LENGTH) {
    return { InvalidOptions: `generate: expected max_new_tokens from 1 to ${MAX_TARGET_LENGTH}, got ${maxNewTokens}` };
  }
  const perCall = options?.tokens_per_call[0] ?? { fixed: tokens_per_call };
  if (options?.tokens_per_call[0] && 'fixed' in perCall && perCall.fixed < 1) {
    return { InvalidOptions: `generate: expected tokens_per_call of at least 1, got ${perCall.fixed}` };
  }
  const owner = msgCaller().toText();
  const over = overLimit(method, owner, maxNewTokens);
  if (over) return { LimitReached: over };
  if (isFull()) return { Unavailable: `generate: expected fewer than ${max_queued} sessions to wait; try again later` };
  const poor = lacksCycles(method);
  if (poor) return { Unavailable: poor };
  const sourceIds = model.tokenizer.encode(prompt);
  if (sourceIds.length > limit) {
    const message = `generate: expected a prompt of at most ${limit} tokens, got ${sourceIds.length}`;
    return { PromptTooLong: { tokens: sourceIds.length, limit, message } };
  }
  const tokensPerCall = 'fixed' in perCall ? perCall.fixed : 0;
  return newSession({ owner, model: model.stored.sha256, prompt, sourceIds, maxNewTokens, tokensPerCall });
}

const textOf = (ids: readonly number[]): string => activeModel()!.tokenizer.decode(ids);

function result(session: Session, broken: string | undefined): GenerateResult {
  const { id, state, reason } = session;
  if (state === 'failed') return { Err: { Failed: { session: id, message: reason } } };
  if (state === 'cancelled')
    return { Err: { Cancelled: { session: id, message: 'generate: the session was cancelled' } } };
  if (underWay(session)) {
    const message = `generate: interrupted, the session goes on by itself: ${broken}`;
    return { Err: { Failed: { session: id, message } } };
  }
  return {
    Ok: {
      session: id,
      text: textOf(session.tokenIds),
      token_ids: session.tokenIds,
      finish_reason: finishReason(session),
      ...usageOf(session),
    },
  };
}

/** The arguments of `generate`. Candid lets a caller leave out what is `opt` at the end; the library insists on every argument. */
function decodeArgs(args: Uint8Array): [string, Options] {
  try {
    return IDL.decode([IDL.Text, IDL.Opt(GenerateOptions)], args) as unknown as [string, Options];
  } catch (error) {
    if (!(error as Error).message.includes('Wrong number')) throw error;
    const [prompt] = IDL.decode([IDL.Text], args) as unknown as [string];
    return [prompt, []];
  }
}

/** As `decodeArgs`; undefined after rejecting what is something else. */
function readArgs(method: string, args: Uint8Array): [string, Options] | undefined {
  try {
    return decodeArgs(args);
  } catch (error) {
    msgReject(`${method}: expected (text, opt GenerateOptions), got something else: ${(error as Error).message}`);
    return undefined;
  }
}

/** A call in Candid: opens a session, makes the first token and goes on to the end. */
async function answer(args: Uint8Array): Promise<void> {
  const decoded = readArgs('generate', args);
  if (!decoded) return;
  let found: Session | GenerateError;
  if (tooManyWait()) found = { Unavailable: 'generate: too many calls wait for their answer; try again, or use start' };
  else found = open('generate', ...decoded);
  const reply = isSession(found) ? await toTheEnd(found) : { Err: found };
  msgReply(IDL.encode([GenerateResult], [reply]));
}

async function toTheEnd(session: Session): Promise<GenerateResult> {
  const lease = take(session);
  enqueue(session);
  if (session.state === 'active') work(session);
  return result(session, await drive(session, lease));
}

export class GenerateMethods {
  /**
   * The answer to a prompt. Update; whom `access` lets. A message for every token (or as `tokens_per_call` says), all within this one call; while
   * other sessions have their turn it waits. If a message traps, its token is undone and tried again; the caller gets `Failed` where that does not
   * help, and the session can be resumed.
   */
  @update([IDL.Text, IDL.Opt(GenerateOptions)], GenerateResult, { manual: true })
  async generate(): Promise<void> {
    const args = msgArgData();
    // Candid begins with "DIDL"
    if (args[0] !== 0x44 && fromSelf()) {
      step(args);
      msgReply(new Uint8Array(0));
    } else {
      wake();
      await answer(args);
    }
  }

  /** Begins an answer and gives the session's id at once; the canister goes on by itself. Update; whom `access` lets. */
  @update([IDL.Text, IDL.Opt(GenerateOptions)], StartResult, { manual: true })
  start(): void {
    wake();
    const decoded = readArgs('start', msgArgData());
    if (!decoded) return;
    const session = open('start', ...decoded);
    if (isSession(session)) enqueue(session);
    msgReply(IDL.encode([StartResult], [isSession(session) ? { Ok: session.id } : { Err: session }]));
  }

  /** Goes on with a session that failed or was cancelled, or waits for one that is under way, and gives the answer. Update; its owner, controllers. */
  @update([IDL.Text], GenerateResult)
  async resume(id: string): Promise<GenerateResult> {
    wake();
    const session = sessionForCaller('resume', id);
    if (!isSession(session)) return { Err: session };
    const model = activeModel();
    if (model?.stored.sha256 !== session.model || !model.load(Number(MESSAGE_BUDGET))) {
      return { Err: { NoModel: `resume: expected the model ${session.model} to be active and loaded` } };
    }
    if (tooManyWait()) return { Err: { Unavailable: 'resume: too many calls wait for their answer; try again' } };
    if (underWay(session)) return result(session, await drive(session, take(session)));
    if (session.state !== 'failed' && session.state !== 'cancelled') return result(session, undefined);
    const over = overLimit('resume', session.owner, session.maxNewTokens - session.tokenIds.length);
    if (over) return { Err: { LimitReached: over } };
    if (isFull()) return { Err: { Unavailable: 'resume: too many sessions wait; try again later' } };
    goOn(session);
    return await toTheEnd(session);
  }

  /** Ends a session that is under way; what it has stays readable. Update; its owner, controllers. */
  @update([IDL.Text], SessionResult)
  cancel(id: string): SessionResult {
    wake();
    const session = sessionForCaller('cancel', id);
    if (!isSession(session)) return { Err: session };
    if (underWay(session)) finish(session, 'cancelled');
    return { Ok: null };
  }

  /** Forgets a session, and ends it if it is under way. Update; its owner, controllers. */
  @update([IDL.Text], SessionResult)
  delete(id: string): SessionResult {
    wake();
    const session = sessionForCaller('delete', id);
    if (!isSession(session)) return { Err: session };
    if (underWay(session)) finish(session, 'cancelled');
    remove(session);
    return { Ok: null };
  }

  /** A page of the caller's sessions, newest first, 50 unless told. The anonymous caller has none to list. Query; everyone. */
  @query([IDL.Opt(ListOptions)], ListResult)
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
    const limit = Math.min(options?.limit[0] ?? PAGE, MAX_PAGE);
    return { Ok: listSessions(owner.toText(), options?.after[0], limit) };
  }

  /** How far a session is, and the text that tokens from number `from` on have added. Query; its owner, controllers, or anyone for an anonymous caller's. */
  @query([IDL.Text, IDL.Nat32], ProgressResult)
  progress(id: string, from: number): ProgressResult {
    const session = sessionForCaller('progress', id);
    if (!isSession(session)) return { Err: session };
    const model = activeModel();
    if (!model?.load(Number.MAX_SAFE_INTEGER)) return { Err: { NoModel: 'progress: no model loaded' } };
    const before = textOf(session.tokenIds.slice(0, from)).length;
    return { Ok: { state: stateOf(session), text: textOf(session.tokenIds).slice(before), ...usageOf(session) } };
  }
}
