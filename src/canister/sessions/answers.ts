/**
 * The answer cache: a prompt that was answered before gets that answer at once, where the settings say so. In the heap;
 * begins anew with an upgrade.
 */

import { settings } from '../storage/settings.ts';
import type { Session } from './session.ts';
import { end, findSession, isFinished } from './sessions.ts';

/** Ids of finished sessions by what was asked, oldest first. */
const answers = new Map<string, string>();

const asked = ({ model, options, sourceIds }: Session): string =>
  `${model} ${JSON.stringify(options)} ${sourceIds.join()}`;

/** Remembers a session that has just ended. */
export function rememberAnswer(session: Session): void {
  const { answer_cache, max_finished } = settings();
  if (!answer_cache || session.options.doSample || !isFinished(session)) return;
  const key = asked(session);
  answers.delete(key);
  answers.set(key, session.id);
  if (answers.size > max_finished) answers.delete(answers.keys().next().value!);
}

/** Ends a new session with the answer of an earlier one, if there is one. */
export function answerFromCache(session: Session): void {
  if (!settings().answer_cache || session.options.doSample) return;
  const id = answers.get(asked(session));
  const earlier = id === undefined ? undefined : findSession(id);
  if (!earlier || !isFinished(earlier)) return;
  session.tokenIds = [...earlier.tokenIds];
  session.sums = earlier.sums;
  session.answerCached = true;
  end(session, earlier.state as 'stop' | 'length');
}
