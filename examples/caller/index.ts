/**
 * A canister that asks another one: `ask` calls `generate` of the language model's canister and hands on its answer.
 * A starting point to copy: it needs nothing but Azle. The model's canister is told at install, or later by a controller.
 */
import {
  call,
  IDL,
  init,
  isController,
  msgCaller,
  type Principal,
  postUpgrade,
  query,
  StableBTreeMap,
  update,
} from 'azle';

const Message = IDL.Record({ message: IDL.Text });

/** What we read of `generate`'s answer. Candid lets a caller leave out fields of a record that it has no use for, but no case of a variant. */
const Generated = IDL.Variant({
  Ok: IDL.Record({ text: IDL.Text }),
  Err: IDL.Variant({
    NoModel: IDL.Text,
    EmptyPrompt: IDL.Text,
    PromptTooLong: Message,
    InvalidOptions: IDL.Text,
    Unavailable: IDL.Text,
    NoSuchSession: IDL.Text,
    NotYours: IDL.Text,
    Failed: Message,
  }),
});
type Generated = { Ok: { text: string } } | { Err: Record<string, string | { message: string }> };

const Answer = IDL.Variant({ Ok: IDL.Text, Err: IDL.Text });
type Answer = { Ok: string } | { Err: string };

/** Kept over upgrades: under `llm`, the model's canister. */
const settings = new StableBTreeMap<string, Principal>(0);

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

  /** Asks the model. The answer takes as many messages in the model's canister as it has tokens; this call waits for the last. */
  @update([IDL.Text], Answer)
  async ask(prompt: string): Promise<Answer> {
    const llm = settings.get('llm');
    if (!llm) return { Err: 'ask: no model canister set; call set_llm' };
    try {
      const answer = await call<[string, []], Generated>(llm, 'generate', {
        paramIdlTypes: [IDL.Text, IDL.Opt(IDL.Record({}))],
        returnIdlType: Generated,
        args: [prompt, []],
      });
      if ('Ok' in answer) return { Ok: answer.Ok.text };
      const [[name, reason]] = Object.entries(answer.Err);
      return { Err: `${name}: ${typeof reason === 'string' ? reason : reason.message}` };
    } catch (error) {
      // The call itself failed: no such canister, stopped, out of cycles, a trap.
      return { Err: `ask: ${(error as Error).message}` };
    }
  }
}
