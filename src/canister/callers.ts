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
/** Tokens given or promised to all callers on `day`. */
const all = { tokens: 0, day: 0 };
let restored = false;

const today = (): number => Number(time() / 86_400_000_000_000n);

/** After an upgrade: what was counted before. */
function restore(): void {
  if (restored) return;
  restored = true;
  for (const [name, [tokens, day]] of Object.entries(readRecord<Record<string, [number, number]>>('callers') ?? {})) {
    callers.set(name, { underWay: 0, tokens, day });
  }
  Object.assign(all, readRecord<typeof all>('all_callers'));
}

function newDay(counted: { tokens: number; day: number }): void {
  const day = today();
  if (counted.day === day) return;
  counted.day = day;
  counted.tokens = 0;
}

function callerOf(who: string): Caller {
  restore();
  let caller = callers.get(who);
  if (!caller) {
    caller = { underWay: 0, tokens: 0, day: today() };
    callers.set(who, caller);
  }
  newDay(caller);
  newDay(all);
  return caller;
}

function forgetIdle(who: string, { underWay, tokens }: Caller): void {
  if (underWay <= 0 && tokens === 0) callers.delete(who);
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

/** Why nobody gets a further session of up to `tokens` tokens. A new identity costs nothing: only this bounds what all of them are given. */
export function overallLimit(method: string, tokens: number): string | undefined {
  const { tokens_per_day_overall: perDay } = settings();
  restore();
  newDay(all);
  return perDay > 0 && all.tokens + tokens > perDay
    ? `${method}: expected at most ${perDay} tokens a day for all callers, got ${all.tokens} and up to ${tokens} more; the day ends at midnight UTC`
    : undefined;
}

/** A session begins, which may make as many tokens. */
export function sessionBegins(who: string, tokens: number): void {
  const caller = callerOf(who);
  caller.underWay += 1;
  caller.tokens += tokens;
  all.tokens += tokens;
}

/** A session is over and made fewer tokens than promised by `unused`. */
export function sessionEnds(who: string, unused: number): void {
  const caller = callerOf(who);
  caller.underWay -= 1;
  caller.tokens = Math.max(caller.tokens - unused, 0);
  all.tokens = Math.max(all.tokens - unused, 0);
  forgetIdle(who, caller);
}

/** Forgets callers of other days, and writes the rest down before an upgrade. */
export function saveCallers(): void {
  restore();
  const day = today();
  const counted = [...callers].filter(([, caller]) => caller.day === day && caller.tokens > 0);
  writeRecord('callers', Object.fromEntries(counted.map(([who, { tokens }]) => [who, [tokens, day]])));
  writeRecord('all_callers', all);
}

/** Called now and then, so that the map holds no more than the callers of a day. */
export function forgetCallers(): void {
  const day = today();
  for (const [who, caller] of callers) if (caller.underWay === 0 && caller.day !== day) callers.delete(who);
}
