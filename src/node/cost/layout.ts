/**
 * Recorded messages as a subnet would execute them that runs its canisters side by side: which message caused which,
 * and when each would begin and end. The replica executes one after the other, in the order in which they were sent.
 */
import { Executor, type Outcome, type Run } from '../../../packages/replica/src/executor.ts';
import type { MessageRecord } from '../../../packages/replica/src/index.ts';

export interface Caused {
  record: MessageRecord;
  /** Index of the message that sent it, or answered it; undefined of what came from outside. */
  cause?: number;
}

/**
 * The messages that `work` makes the replica execute, each with its cause. The replica's queue is one for all
 * canisters: calls are executed in the order in which they were sent, and answered in the order in which they were
 * executed. What the management canister answers is not told apart, so `work` asks it nothing.
 */
export async function causesOf(work: () => Promise<MessageRecord[]>): Promise<Caused[]> {
  const { run } = Executor.prototype;
  /** Of each message in its order: how many calls it has sent, and whether it came from a canister. */
  const seen: { kind: Run['kind']; calls: number; isInner: boolean }[] = [];
  Executor.prototype.run = function (this: Executor, what: Run): Outcome {
    const outcome = run.call(this, what);
    if (isMessage(what.kind)) {
      // a principal of a canister has 10 bytes
      const isInner = what.caller.toUint8Array().length === 10;
      seen.push({ kind: what.kind, calls: outcome.trap ? 0 : outcome.execution.calls.length, isInner });
    }
    return outcome;
  };
  let records: MessageRecord[];
  try {
    records = (await work()).filter(({ kind }) => isMessage(kind));
  } finally {
    Executor.prototype.run = run;
  }
  const those = seen.slice(seen.length - records.length);
  const [sent, executed]: number[][] = [[], []];
  return records.map((record, i) => {
    const { kind, calls, isInner } = those[i]!;
    const isCall = kind === 'update' && isInner;
    const from = kind === 'replyCallback' || kind === 'rejectCallback' ? executed : isCall ? sent : undefined;
    const cause = from?.shift();
    if (isCall) executed!.push(i);
    for (let call = 0; call < calls; call++) sent!.push(i);
    return { record, ...(cause !== undefined && { cause }) };
  });
}

const isMessage = (kind: Run['kind']): boolean => ['update', 'replyCallback', 'rejectCallback', 'timer'].includes(kind);

export interface Placed {
  canister: string;
  start: number;
  end: number;
}

/**
 * Lays messages out, one thread a canister.
 * @param perSecond instructions
 * @param round seconds of a round, at whose end messages from one canister to another arrive; 0: they arrive at once
 * @returns when each begins and ends, in seconds
 */
export function layOut(
  messages: readonly Caused[],
  { perSecond, round }: { perSecond: number; round: number },
): Placed[] {
  const placed: Placed[] = [];
  const free = new Map<string, number>();
  const left = new Set(messages.keys());
  const canisterOf = (i: number): string => messages[i]!.record.canisterId.toText();
  const readyAt = (i: number): number => {
    const { cause } = messages[i]!;
    if (cause === undefined) return 0;
    const { end, canister } = placed[cause]!;
    return round > 0 && canister !== canisterOf(i) ? (Math.floor(end / round) + 1) * round : end;
  };
  while (left.size > 0) {
    let best: { i: number; start: number } | undefined;
    for (const i of left) {
      const { cause } = messages[i]!;
      if (cause !== undefined && !placed[cause]) continue;
      const start = Math.max(readyAt(i), free.get(canisterOf(i)) ?? 0);
      if (!best || start < best.start) best = { i, start };
    }
    const { i, start } = best!;
    const end = start + messages[i]!.record.instructions.total / perSecond;
    placed[i] = { canister: canisterOf(i), start, end };
    free.set(canisterOf(i), end);
    left.delete(i);
  }
  return placed;
}

/** When all messages are through, in seconds. */
export const endOf = (placed: readonly Placed[]): number => Math.max(0, ...placed.map(({ end }) => end));

/** Of each canister the share of the time between two moments in which it executes nothing. */
export const idleShares = (placed: readonly Placed[], canisters: readonly string[], from: number, to: number) =>
  canisters.map((id) => {
    let busy = 0;
    for (const { canister, start, end } of placed)
      if (canister === id) busy += Math.max(0, Math.min(end, to) - Math.max(start, from));
    return 1 - busy / (to - from);
  });

/**
 * When all answers of a run are under way: a round of tokens after the first ones, to a round before the end.
 * @param prompts when all first tokens are made, in a run that makes no others; `end` of a run of `tokens` each
 */
export function allUnderWay(prompts: number, end: number, tokens: number): [from: number, to: number] {
  const round = (end - prompts) / (tokens - 1);
  return [prompts + round, end - round];
}
