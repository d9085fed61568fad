/**
 * A canister that asks another one: `ask` calls `generate_with` of the language model's canister, pays what it asks
 * for, and hands on its answer. A starting point to copy: it needs nothing but Azle. The model's canister is told at
 * install, or later by a controller.
 */
import {
  call,
  IDL,
  init,
  isController,
  msgCaller,
  msgCyclesRefunded,
  type Principal,
  postUpgrade,
  query,
  StableBTreeMap,
  update,
} from 'azle';
import { type GenerateError, GenerateOptions, GenerateResult, Quote } from './model.ts';

const Answer = IDL.Variant({ Ok: IDL.Text, Err: IDL.Text });
type Answer = { Ok: string } | { Err: string };

/**
 * What an answer may cost at most, in cycles: the model's canister names its price, but it does not take what it likes.
 */
const MOST_CYCLES = 100_000_000_000n;

/** Kept over upgrades: under `llm`, the model's canister. */
const settings = new StableBTreeMap<string, Principal>(0);
/** Under `spent`, cycles that answers have cost. */
const counters = new StableBTreeMap<string, bigint>(1);

export default class {
  @init([IDL.Opt(IDL.Principal)])
  @postUpgrade([IDL.Opt(IDL.Principal)])
  start([llm]: [] | [Principal]): void {
    if (llm) settings.insert('llm', llm);
  }

  /** Which canister is asked from now on. Controllers only. */
  @update([IDL.Principal], Answer)
  set_llm(llm: Principal): Answer {
    if (!isController(msgCaller())) return { Err: 'set_llm: expected a controller' };
    settings.insert('llm', llm);
    return { Ok: llm.toText() };
  }

  @query([], IDL.Opt(IDL.Principal))
  llm(): [] | [Principal] {
    const llm = settings.get('llm');
    return llm ? [llm] : [];
  }

  /** Cycles that answers have cost so far, without what came back. */
  @query([], IDL.Nat)
  spent(): bigint {
    return counters.get('spent') ?? 0n;
  }

  /** Cycles that `ask` would have to attach for an answer of that size; 0 where the model's canister asks for none. */
  @update([IDL.Nat32, IDL.Nat32], IDL.Nat)
  async price(promptTokens: number, maxNewTokens: number): Promise<bigint> {
    const llm = settings.get('llm');
    if (!llm) return 0n;
    const quote = await call<[number, number], Quote>(llm, 'quote', {
      paramIdlTypes: [IDL.Nat32, IDL.Nat32],
      returnIdlType: Quote,
      args: [promptTokens, maxNewTokens],
    });
    return quote.cycles;
  }

  /**
   * Asks the model. The answer takes as many messages in the model's canister as it has tokens; this call waits for the
   * last.
   */
  @update([IDL.Text], Answer)
  async ask(prompt: string): Promise<Answer> {
    const llm = settings.get('llm');
    if (!llm) return { Err: 'ask: no model canister set; call set_llm' };
    try {
      let result = await generate(llm, prompt, 0n);
      if ('Err' in result && 'PaymentRequired' in result.Err) {
        const { cycles } = result.Err.PaymentRequired;
        if (cycles > MOST_CYCLES)
          return { Err: `ask: expected a price of at most ${MOST_CYCLES} cycles, got ${cycles}` };
        result = await generate(llm, prompt, cycles);
      }
      // one step of it went wrong: what is written so far is kept, and it can be gone on with
      if ('Err' in result && 'Failed' in result.Err) result = await resume(llm, result.Err.Failed.session);
      return 'Ok' in result ? { Ok: result.Ok.text } : { Err: explain(result.Err) };
    } catch (error) {
      // The call itself failed: no such canister, stopped, out of cycles, a trap. Cycles that were attached are back.
      return { Err: `ask: ${(error as Error).message}` };
    }
  }
}

/** @param cycles attached; what the model's canister does not take comes back with its answer */
async function generate(llm: Principal, prompt: string, cycles: bigint): Promise<GenerateResult> {
  const result = await call<[string, GenerateOptions], GenerateResult>(llm, 'generate_with', {
    paramIdlTypes: [IDL.Text, GenerateOptions],
    returnIdlType: GenerateResult,
    args: [prompt, { max_new_tokens: [200] }],
    cycles,
  });
  if (cycles > 0n) counters.insert('spent', (counters.get('spent') ?? 0n) + cycles - msgCyclesRefunded());
  return result;
}

function resume(llm: Principal, session: string): Promise<GenerateResult> {
  return call<[string], GenerateResult>(llm, 'resume', {
    paramIdlTypes: [IDL.Text],
    returnIdlType: GenerateResult,
    args: [session],
  });
}

/** What to tell whoever asked. The compiler sees to it that no case is forgotten. */
function explain(error: GenerateError): string {
  // may go well another time
  if ('Unavailable' in error) return `busy, try again later: ${error.Unavailable}`;
  if ('LimitReached' in error) return `enough for now: ${error.LimitReached}`;
  if ('NoModel' in error) return `not ready: ${error.NoModel}`;
  // of the prompt
  if ('EmptyPrompt' in error) return error.EmptyPrompt;
  if ('PromptTooLong' in error) return error.PromptTooLong.message;
  // of the session: it failed again, or somebody cancelled it
  if ('Failed' in error) return `failed again: ${error.Failed.message}`;
  if ('Cancelled' in error) return error.Cancelled.message;
  // of this canister: who it is, what it pays, how it asks
  if ('NotAllowed' in error) return `this canister may not ask: ${error.NotAllowed}`;
  if ('PaymentRequired' in error) return error.PaymentRequired.message;
  if ('InvalidOptions' in error) return error.InvalidOptions;
  if ('NoSuchSession' in error) return error.NoSuchSession;
  if ('NotYours' in error) return error.NotYours;
  return error.TooLong.message;
}
