/**
 * `choose` and its kin: which of some listed answers the model finds likeliest. Sessions as those of `generate`, whose
 * answer is one of the texts.
 */
import type { IDL } from 'azle';
import type { ChatMessage, ChooseOptions, ChooseResult } from '../../interface/llm.did.ts';
import { likeliestOf, scoresOf } from '../../model/generation/scoring.ts';
import { openEncoder } from '../candid/candid-encoder.ts';
import { conversation } from '../candid/chat-messages.ts';
import type { Opt, Plain } from '../candid/opt.ts';
import type { Session } from '../sessions/session.ts';
import { usageOf } from '../sessions/sessions.ts';
import { answer, answerAtOnce, outcomeOf, type Reply } from './generate.ts';
import { candid, typesOf } from './methods.ts';
import { type Asking, readTask } from './opening.ts';

type Options = Opt<Plain<ChooseOptions>>;

const encodeOpen = openEncoder<ChooseResult>(typesOf('choose').result as IDL.VariantClass, 'Ok', [
  'instructions',
  'cycles',
]);

/** What a session has come to, its size but for the text a matter of the number of choices alone. */
function chosen(method: string, session: Session, broken: string | undefined): ChooseResult {
  const error = outcomeOf(method, session, broken);
  if (error) return { Err: error };
  const { id, choices, sums, options } = session;
  const scores = scoresOf(sums!, options);
  const index = likeliestOf(scores);
  const { output_tokens: _o, answer_cached: _a, ...usage } = usageOf(session);
  return {
    Ok: {
      session: id,
      index,
      text: choices![index]!,
      choices: scores.map(({ logProbability, probability, tokens }) => ({
        log_probability: logProbability,
        probability,
        tokens,
      })),
      ...usage,
    },
  };
}

const CHOSEN: Reply<ChooseResult> = { of: chosen, encode: encodeOpen };

function chooseAtOnce(method: string, asking: Asking, texts: string[], [options]: Options): ChooseResult {
  return answerAtOnce(method, () => readTask({ method, asking, options: [], choosing: { texts, options } }), chosen);
}

export class ChooseMethods {
  /**
   * Which of 2 to 64 texts the model finds likeliest behind a prompt, and how likely each is. Update; whom `access`
   * lets. Messages, bill and price as `generate`'s; a step
   * that traps is tried again.
   */
  @candid()
  async choose(prompt: string, texts: string[], [options]: Options): Promise<void> {
    await answer({ method: 'choose', asking: prompt, options: [], choosing: { texts, options } }, CHOSEN);
  }

  /** The same of what the assistant says next in a conversation. Update; whom `access` lets. */
  @candid()
  async choose_chat(messages: ChatMessage[], texts: string[], [options]: Options): Promise<void> {
    const asking = conversation(messages);
    await answer({ method: 'choose_chat', asking, options: [], choosing: { texts, options } }, CHOSEN);
  }

  /**
   * As `choose`, at once, certified by nobody but the one node that made it, and written down nowhere. Query; whom
   * `access` lets.
   */
  @candid()
  choose_query(prompt: string, texts: string[], options: Options): ChooseResult {
    return chooseAtOnce('choose_query', prompt, texts, options);
  }

  /** As `choose_chat`, at once. Query; whom `access` lets. */
  @candid()
  choose_chat_query(messages: ChatMessage[], texts: string[], options: Options): ChooseResult {
    return chooseAtOnce('choose_chat_query', conversation(messages), texts, options);
  }
}
