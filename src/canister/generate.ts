/**
 * `generate` and its kin. One token a message: a call from outside opens a session and makes the first, then the canister calls its own `generate`
 * for each further one. Those calls carry no Candid but a few bytes (scheduler.ts), since Candid in an interpreter costs more than a token.
 */
import {
  update as azleUpdate,
  canisterSelf,
  IDL,
  inReplicatedExecution,
  msgArgData,
  msgCaller,
  msgCyclesAccept,
  msgReply,
} from 'azle';
import { isPlainGreedy } from '../model/generation/choice.ts';
import { generationOptions, seedOf } from '../model/generation/options.ts';
import { MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH } from '../model/limits.ts';
import { NoRoom } from '../tensor/arena.ts';
import { isAdmin, notAllowed } from './access.ts';
import { declareArguments, isCandid } from './arguments.ts';
import {
  GenerateOptions,
  GenerateResult,
  ListOptions,
  ListResult,
  ProgressResult,
  Quote,
  SessionResult,
  StartResult,
} from './candid.ts';
import { candidEncoder } from './candid-encoder.ts';
import { estimate, priceOf } from './cost.ts';
import { admit, query, update } from './methods.ts';
import { activeModel } from './model.ts';
import {
  isTask,
  lacksPayment,
  mayNotWait,
  noRoom,
  type Options,
  openSession,
  pays,
  readTask,
  type Task,
} from './opening.ts';
import { seedRandom } from './random.ts';
import { drive, enqueue, finish, step, take, wake, work } from './scheduler.ts';
import type { Session } from './session.ts';
import {
  findToChange,
  finishReason,
  goOn,
  isFinished,
  isSession,
  listSessions,
  passingSession,
  remove,
  sessionForCaller,
  stateOf,
  underWay,
  usageOf,
} from './sessions.ts';
import { settings } from './settings.ts';
import { makeTokens, QUERY } from './steps.ts';
import { instructionsNow, MESSAGE_BUDGET, unit } from './unit.ts';

const ONLY_QUERY = 'generate_query: expected a query call, got an update call; use generate';
const PAGE = 50;
/** As an update call, which costs the canister what the page takes, there is less of it. */
const maxPage = () =>
  inReplicatedExecution() ? { sessions: 50, characters: 20_000 } : { sessions: 200, characters: 100_000 };

const fromSelf = (): boolean => msgCaller().compareTo(canisterSelf()) === 'eq';

const textOf = ({ text, tokenIds }: Session): string => text ?? activeModel()!.tokenizer.decode(tokenIds);

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
      text: textOf(session),
      token_ids: session.tokenIds,
      finish_reason: finishReason(session),
      seed: session.options.doSample ? [seedOf(session.options)] : [],
      ...usageOf(session),
    },
  };
}

const asking = [IDL.Text, IDL.Opt(GenerateOptions)];

/** Opens a session, makes the first token and goes on to the end. */
async function answer(method: string, prompt: string, options: Options): Promise<GenerateResult> {
  wake();
  await seedRandom();
  const found = mayNotWait(method) ?? openSession(method, prompt, options);
  return isSession(found) ? await toTheEnd(found) : { Err: found };
}

async function toTheEnd(session: Session): Promise<GenerateResult> {
  if (!underWay(session)) return result(session, undefined);
  // what is asked now is what was quoted, whatever is set meanwhile
  const percent = pays() ? settings().price_percent : 0;
  const before = usageOf(session).cycles;
  const lease = take(session);
  enqueue(session);
  if (session.state === 'active') work(session);
  const broken = await drive(session, lease, msgCaller().toText());
  // who cancels has had what was made until then
  if (percent > 0 && (isFinished(session) || session.state === 'cancelled')) {
    msgCyclesAccept(priceOf(Number(usageOf(session).cycles - before), percent));
  }
  return result(session, broken);
}

const encodeResult = candidEncoder(GenerateResult);
declareArguments('generate', asking, [IDL.Text]);

export class GenerateMethods {
  /**
   * The answer to a prompt. Update; whom `access` lets. A message for every token (or as `tokens_per_call` says), all within this one call; while
   * other sessions have their turn it waits. If a message traps, its token is undone and tried again; the caller gets `Failed` where that does not
   * help, and the session can be resumed. A second argument, `opt GenerateOptions`, counts where it comes: callers built against the first release
   * send it. It is not in the Candid file, since `icp` and `dfx` insist on a value for each argument there.
   */
  @azleUpdate([IDL.Text], GenerateResult, { manual: true })
  async generate(): Promise<void> {
    if (fromSelf()) {
      const args = msgArgData();
      if (!isCandid(args)) {
        step(args);
        msgReply(new Uint8Array(0));
        return;
      }
    }
    const args = admit('generate', GenerateResult, encodeResult) as [string, Options] | undefined;
    if (args) msgReply(encodeResult(await answer('generate', ...args)));
  }

  /** As `generate`, and as the options say. Update; whom `access` lets. */
  @update([IDL.Text, GenerateOptions], GenerateResult)
  async generate_with(prompt: string, options: GenerateOptions): Promise<GenerateResult> {
    return await answer('generate_with', prompt, [options]);
  }

  /** Begins an answer and gives the session's id at once; the canister goes on by itself. Update; whom `access` lets. */
  @update(asking, StartResult)
  async start(prompt: string, options: Options): Promise<StartResult> {
    wake();
    await seedRandom();
    const session = openSession('start', prompt, options);
    if (!isSession(session)) return { Err: session };
    if (underWay(session)) enqueue(session);
    return { Ok: session.id };
  }

  /** Goes on with a session that failed or was cancelled, or waits for one that is under way, and gives the answer. Update; its owner, controllers. */
  @update([IDL.Text], GenerateResult)
  async resume(id: string): Promise<GenerateResult> {
    wake();
    const session = sessionForCaller('resume', id, findToChange);
    if (!isSession(session)) return { Err: session };
    if (isFinished(session) && session.text !== undefined) return result(session, undefined);
    const model = activeModel();
    if (model?.stored.sha256 !== session.model || !model.load(Number(MESSAGE_BUDGET))) {
      return { Err: { NoModel: `resume: expected the model ${session.model} to be active and loaded` } };
    }
    if (isFinished(session)) return result(session, undefined);
    const denied = notAllowed('resume');
    if (denied) return { Err: { NotAllowed: denied } };
    const hasToGo = mayNotWait('resume');
    if (hasToGo) return { Err: hasToGo };
    if (underWay(session)) return result(session, await drive(session, take(session), msgCaller().toText()));
    const { owner, options, sourceIds, tokenIds, tokensPerCall } = session;
    const refused =
      noRoom('resume', owner, options.maxNewTokens - tokenIds.length) ??
      lacksPayment('resume', { model, options, sourceIds, tokenIds, tokensPerCall });
    if (refused) return { Err: refused };
    const full = goOn(session);
    return full ? { Err: full } : await toTheEnd(session);
  }

  /** Ends a session that is under way; what it has stays readable. Update; its owner, controllers. */
  @update([IDL.Text], SessionResult)
  cancel(id: string): SessionResult {
    wake();
    const session = sessionForCaller('cancel', id, findToChange);
    if (!isSession(session)) return { Err: session };
    if (underWay(session)) finish(session, 'cancelled');
    return { Ok: null };
  }

  /** Forgets a session, and ends it if it is under way. Update; its owner, controllers. */
  @update([IDL.Text], SessionResult)
  delete(id: string): SessionResult {
    wake();
    const session = sessionForCaller('delete', id, findToChange);
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
    const most = maxPage();
    const limit = Math.min(options?.limit[0] ?? PAGE, most.sessions);
    return { Ok: listSessions(owner.toText(), options?.after[0], limit, most.characters) };
  }

  /** How far a session is, and the text that tokens from number `from` on have added. Query; its owner, controllers, or anyone for an anonymous caller's. */
  @query([IDL.Text, IDL.Nat32], ProgressResult)
  progress(id: string, from: number): ProgressResult {
    return progressOf(id, from);
  }

  /**
   * The answer in a query: at once, written down nowhere, and certified by nobody but the one node that made it. Query; whom `access` lets. Refused
   * with `TooLong` where it does not fit the 5 B instructions of a query.
   */
  @query(asking, GenerateResult)
  generate_query(prompt: string, options: Options): GenerateResult {
    // as an update call it would cost the canister up to 5 B cycles, past every limit
    if (inReplicatedExecution()) return { Err: { NotAllowed: ONLY_QUERY } };
    const task = readTask('generate_query', prompt, options);
    return isTask(task) ? answerAtOnce(task) : { Err: task };
  }

  /** What an answer of at most so many tokens, without options, is thought to take, and the cycles a canister has to attach to `generate` or `generate_with`. Query; everyone. */
  @query([IDL.Nat32, IDL.Nat32], Quote)
  quote(promptTokens: number, maxNewTokens: number): Quote {
    const model = activeModel();
    if (!model) return { cycles: 0n, instructions: 0n };
    const [prompt, tokens] = [Math.min(promptTokens, MAX_SOURCE_LENGTH), Math.min(maxNewTokens, MAX_TARGET_LENGTH)];
    const relayed = isPlainGreedy(generationOptions({}, model.head.generation, model.head.config, () => 0n));
    const { instructions, cycles } = estimate(model.head, prompt, tokens, { relayed });
    return { cycles: priceOf(cycles), instructions: BigInt(instructions) };
  }
}

function progressOf(id: string, from: number): ProgressResult {
  const session = sessionForCaller('progress', id);
  if (!isSession(session)) return { Err: session };
  const { tokenIds, model: sha256 } = session;
  const about = { state: stateOf(session), ...usageOf(session) };
  if (from >= tokenIds.length) return { Ok: { text: '', ...about } };
  if (from === 0 && session.text !== undefined) return { Ok: { text: session.text, ...about } };
  const model = activeModel();
  if (model?.stored.sha256 !== sha256 || !model.load(Number.MAX_SAFE_INTEGER)) {
    const instead = session.text === undefined ? '' : '; ask for what is from token 0 on';
    return { Err: { NoModel: `progress: expected the model ${sha256} to be active and loaded${instead}` } };
  }
  const before = model.tokenizer.decode(tokenIds.slice(0, from)).length;
  return { Ok: { text: textOf(session).slice(before), ...about } };
}

/** In a query, whose changes are thrown away. */
function answerAtOnce({ model, ...rest }: Task): GenerateResult {
  const tooLong = (instructions: number): GenerateResult => {
    const message = `generate_query: expected an answer of at most ${QUERY.most} instructions, got up to ${instructions}; ask for fewer tokens, or use generate`;
    return { Err: { TooLong: { instructions: BigInt(instructions), limit: BigInt(QUERY.most), message } } };
  };
  const { instructions } = estimate(model.head, rest.sourceIds.length, 1, { atOnce: true });
  if (instructions > QUERY.most)
    return tooLong(
      estimate(model.head, rest.sourceIds.length, rest.options.maxNewTokens * rest.options.numBeams, { atOnce: true })
        .instructions,
    );
  const session = passingSession({
    owner: msgCaller().toText(),
    model: model.stored.sha256,
    ...rest,
    tokensPerCall: 0,
  });
  let over: 'stop' | 'length' | undefined;
  const before = unit.instructions;
  try {
    over = makeTokens(session, model, QUERY);
  } catch (error) {
    if (!(error instanceof NoRoom)) throw error;
    return { Err: { Unavailable: `generate_query: ${error.message}; try again when others are over` } };
  }
  if (!over) {
    if (instructionsNow() < Number(QUERY.budget) && session.tokenIds.length === 0) {
      return { Err: { Unavailable: 'generate_query: another session is in the middle of a step; try again' } };
    }
    return tooLong(
      estimate(model.head, rest.sourceIds.length, rest.options.maxNewTokens * rest.options.numBeams, { atOnce: true })
        .instructions,
    );
  }
  session.state = over;
  session.calls = 1;
  session.unitInstructions = unit.instructions - before;
  session.instructions = instructionsNow();
  return result(session, undefined);
}
