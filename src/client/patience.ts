/** How long a canister that is busy, just installed, or out of reach is waited for. */
import { AgentError, ErrorKindEnum } from '@dfinity/agent';
import type * as Candid from '../interface/llm.did.ts';
import { generateError } from './errors.ts';
import { sleep } from './wait.ts';

export interface Patience {
  /** Ends the waiting; the signal's reason is thrown. */
  signal?: AbortSignal;
  /** Milliseconds without a useful word from the canister after which it is given up; default: 60,000. */
  patience?: number;
}

export const DEFAULT_PATIENCE = 60_000;
const PAUSE = 1_000;

/**
 * Calls again while the canister says `Unavailable`.
 * @throws GenerateError for every other `Err`, and for this one when patience ends
 */
export async function whenAvailable<T>(
  call: () => Promise<{ Ok: T } | { Err: Candid.GenerateError }>,
  { signal, patience = DEFAULT_PATIENCE }: Patience,
): Promise<T> {
  const end = Date.now() + patience;
  for (;;) {
    const result = await call();
    if ('Ok' in result) return result.Ok;
    if (!('Unavailable' in result.Err) || Date.now() + PAUSE > end) throw generateError(result.Err);
    await sleep(PAUSE, signal);
  }
}

/** The reject code of what may go well later. */
const TRANSIENT = 2;
/** Canister stopped, and stopping: as during an upgrade. */
const PASSING_REJECTS = ['IC0508', 'IC0509'];

/** Whether a call that threw this may go well the next time: not where the canister trapped, or is not there at all. */
export function mayPass(error: unknown): error is AgentError {
  if (!(error instanceof AgentError)) return false;
  return error.kind !== ErrorKindEnum.Reject || isRejected(error, PASSING_REJECTS);
}

/** Whether the network or the canister rejected a call: for the time being, or with one of these codes. */
export function isRejected(error: unknown, codes: readonly string[]): error is AgentError {
  if (!(error instanceof AgentError) || error.kind !== ErrorKindEnum.Reject) return false;
  const { rejectCode, rejectErrorCode = '' } = error.code as unknown as {
    rejectCode: number;
    rejectErrorCode?: string;
  };
  return rejectCode === TRANSIENT || codes.includes(rejectErrorCode);
}
