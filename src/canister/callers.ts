/** What each caller has under way and has been given today, against the limits that the settings put on one caller. In the heap; kept over upgrades. */
import { time } from 'azle';
import { settings } from './settings.ts';
import { readRecord, writeRecord } from './stable.ts';

interface Caller {
  /** Sessions waiting or worked on. */
  underWay: number;
  /** Tokens given or promised on `day`. */
  tokens: number;
  day: number;
}

const callers = new Map<string, Caller>();
let restored = false;

const today = (): number => Number(time() / 86_400_000_000_000n);

function callerOf(who: string): Caller {
  if (!restored) {
    restored = true;
    for (const [name, [tokens, day]] of Object.entries(readRecord<Record<string, [number, number]>>('callers') ?? {})) {
      callers.set(name, { underWay: 0, tokens, day });
    }
  }
  let caller = callers.get(who);
  if (!caller) {
    caller = { underWay: 0, tokens: 0, day: today() };
    callers.set(who, caller);
  }
  if (caller.day !== today()) {
    caller.day = today();
    caller.tokens = 0;
  }
  return caller;
}

/** Why this caller gets no further session of up to `tokens` tokens. */
export function overLimit(method: string, who: string, tokens: number): string | undefined {
  const { max_sessions_per_caller: most, tokens_per_day: perDay } = settings();
  const caller = callerOf(who);
  if (caller.underWay >= most) {
    return `${method}: expected fewer than ${most} sessions of one caller under way, got ${caller.underWay}`;
  }
  if (perDay > 0 && caller.tokens + tokens > perDay) {
    return `${method}: expected at most ${perDay} tokens a day, got ${caller.tokens} and up to ${tokens} more; the day ends at midnight UTC`;
  }
  return undefined;
}

/** A session begins, which may make as many tokens. */
export function sessionBegins(who: string, tokens: number): void {
  const caller = callerOf(who);
  caller.underWay += 1;
  caller.tokens += tokens;
}

/** A session is over and made fewer tokens than promised by `unused`. */
export function sessionEnds(who: string, unused: number): void {
  const caller = callerOf(who);
  caller.underWay -= 1;
  caller.tokens = Math.max(caller.tokens - unused, 0);
  if (caller.underWay <= 0 && caller.tokens === 0) callers.delete(who);
}

/** Forgets callers of other days, and writes the rest down before an upgrade. */
export function saveCallers(): void {
  const day = today();
  const counted = [...callers].filter(([, caller]) => caller.day === day && caller.tokens > 0);
  writeRecord('callers', Object.fromEntries(counted.map(([who, { tokens }]) => [who, [tokens, day]])));
}

/** Called now and then, so that the map holds no more than the callers of a day. */
export function forgetCallers(): void {
  const day = today();
  for (const [who, caller] of callers) if (caller.underWay === 0 && caller.day !== day) callers.delete(who);
}
