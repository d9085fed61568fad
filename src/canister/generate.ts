/**
 * `generate` and its kin. One token a message: a call from outside opens a session and makes the first, then the canister calls its own `generate`
 * for each further one. Those calls carry no Candid but a few bytes, [kind, session id], since Candid in an interpreter costs more than a token.
 */
import { call, canisterSelf, IDL, msgArgData, msgCaller, msgReject, msgReply, query, update } from 'azle';
import { MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH } from '../model/pack/tensors.ts';
import { decodeUtf8 } from '../model/tokenizer/utf8.ts';
import { type GenerateError, GenerateOptions, GenerateResult, ProgressResult, StartResult } from './candid.ts';
import { candidEncoder } from './candid-encoder.ts';
import { activeModel } from './model.ts';
import {
  advance,
  failSession,
  findSession,
  finishReason,
  isSession,
  reviveSession,
  type Session,
  sessionForCaller,
  startSession,
  stateOf,
  usageOf,
} from './sessions.ts';
import { utf8 } from './stable.ts';
import { instructionsNow, MESSAGE_BUDGET } from './unit.ts';

const DEFAULT_NEW_TOKENS = 128;

/** First byte of a call to ourselves: someone waits for the answer, or nobody does and the step sends the next. No Candid begins so. */
const STEP = 1;
const CHAIN = 2;
/** The one byte of a step's answer. */
const MORE = 1;
const OVER = 0;

const encodeResult = candidEncoder<GenerateResult>(GenerateResult, { Err: { NoModel: '' } });

type Options = [] | [GenerateOptions];

function stepArgs(kind: number, session: Session): Uint8Array {
  return Uint8Array.of(kind, ...utf8(session.id));
}

const callSelf = (kind: number, session: Session): Promise<Uint8Array> => {
  const options = { raw: true, args: stepArgs(kind, session), oneway: kind === CHAIN } as const;
  return call<Uint8Array, Uint8Array>(canisterSelf(), 'generate', options);
};

const fromSelf = (): boolean => msgCaller().toText() === canisterSelf().toText();

/** Checks prompt and options and opens a session. */
function open(prompt: string, [options]: Options): Session | GenerateError {
  const model = activeModel();
  if (!model) return { NoModel: 'generate: no model loaded; upload one with npm run upload' };
  // the tokenizer is in the last chunk; a large model may take several messages to load
  while (!model.load(Number(MESSAGE_BUDGET))) {
    return { Unavailable: 'generate: the model is being loaded; try again' };
  }
  if (prompt.trim() === '') return { EmptyPrompt: 'generate: expected a prompt, got no text' };
  const maxNewTokens =
    options?.max_new_tokens[0] ?? Math.min(model.head.generation.maxNewTokens ?? DEFAULT_NEW_TOKENS, MAX_TARGET_LENGTH);
  if (maxNewTokens < 1 || maxNewTokens > MAX_TARGET_LENGTH) {
    return { InvalidOptions: `generate: expected max_new_tokens from 1 to ${MAX_TARGET_LENGTH}, got ${maxNewTokens}` };
  }
  const perCall = options?.tokens_per_call[0] ?? { fixed: 1 };
  if ('fixed' in perCall && perCall.fixed < 1) {
    return { InvalidOptions: `generate: expected tokens_per_call of at least 1, got ${perCall.fixed}` };
  }
  const ids = model.tokenizer.encode(prompt);
  if (ids.length > MAX_SOURCE_LENGTH) {
    const message = `generate: expected a prompt of at most ${MAX_SOURCE_LENGTH} tokens, got ${ids.length}`;
    return { PromptTooLong: { tokens: ids.length, limit: MAX_SOURCE_LENGTH, message } };
  }
  return startSession(model, ids, maxNewTokens, 'fixed' in perCall ? perCall.fixed : 0);
}

function result(session: Session): GenerateResult {
  if (session.state === 'failed') return { Err: { Failed: { session: session.id, message: session.reason } } };
  return {
    Ok: {
      session: session.id,
      text: textOf(session.tokenIds),
      token_ids: session.tokenIds,
      finish_reason: finishReason(session),
      ...usageOf(session),
    },
  };
}

const textOf = (ids: readonly number[]): string => activeModel()!.tokenizer.decode(ids);

/** Goes on, a self-call at a time, until the session is over. */
async function toTheEnd(session: Session): Promise<void> {
  try {
    while (session.state === 'generating') {
      await callSelf(STEP, session);
      session.instructions += instructionsNow();
    }
  } catch (error) {
    failSession(session, `a step was rejected: ${(error as Error).message}`);
  }
}

/** Candid lets a caller leave out what is `opt` at the end; the library insists on every argument. */
function decodeArgs(args: Uint8Array): [string, Options] {
  try {
    return IDL.decode([IDL.Text, IDL.Opt(GenerateOptions)], args) as unknown as [string, Options];
  } catch (error) {
    if (!(error as Error).message.includes('Wrong number')) throw error;
    const [prompt] = IDL.decode([IDL.Text], args) as unknown as [string];
    return [prompt, []];
  }
}

/** A call in Candid: opens a session, makes the first token and goes on to the end. */
async function answer(args: Uint8Array): Promise<void> {
  let decoded: [string, Options];
  try {
    decoded = decodeArgs(args);
  } catch (error) {
    msgReject(`generate: expected (text, opt GenerateOptions), got something else: ${(error as Error).message}`);
    return;
  }
  const session = open(...decoded);
  if (isSession(session)) {
    advance(session);
    await toTheEnd(session);
  }
  msgReply(encodeResult(isSession(session) ? result(session) : { Err: session }));
}

/** One message of a session, called by the canister itself. */
function step(args: Uint8Array): void {
  const kind = args[0];
  const session = findSession(decodeUtf8(args, 1));
  if (session?.state === 'generating') advance(session);
  const more = session?.state === 'generating';
  if (more && kind === CHAIN) callSelf(CHAIN, session);
  msgReply(Uint8Array.of(more ? MORE : OVER));
}

export class GenerateMethods {
  /**
   * The answer to a prompt. Update; everyone. A message for every token (or as `tokens_per_call` says), all within this one call. If a message
   * traps, its token is undone, the caller gets `Failed`, and the session can be resumed.
   */
  @update([IDL.Text, IDL.Opt(GenerateOptions)], GenerateResult, { manual: true })
  async generate(): Promise<void> {
    const args = msgArgData();
    // Candid begins with "DIDL"
    if (args[0] !== 0x44 && fromSelf()) step(args);
    else await answer(args);
  }

  /** Begins an answer and gives the session's id at once; the canister goes on by itself. Update; everyone. */
  @update([IDL.Text, IDL.Opt(GenerateOptions)], StartResult)
  start(prompt: string, options: Options): StartResult {
    const session = open(prompt, options);
    if (!isSession(session)) return { Err: session };
    callSelf(CHAIN, session);
    return { Ok: session.id };
  }

  /** Goes on with a session that failed, and gives the answer. Update; its owner. */
  @update([IDL.Text], GenerateResult)
  async resume(id: string): Promise<GenerateResult> {
    const session = sessionForCaller('resume', id);
    if (!isSession(session)) return { Err: session };
    if (session.state === 'failed') reviveSession(session);
    await toTheEnd(session);
    return result(session);
  }

  /** How far a session is, and the text that tokens from number `from` on have added. Query; its owner, or anyone for an anonymous caller's. */
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
