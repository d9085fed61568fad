/**
 * Several canisters that hold the same model, as one actor: a question goes to the least busy of them, and on to the
 * next where one is stopped, full or out of cycles. What concerns a session goes to the canister that has it.
 */
import type * as Candid from '../interface/llm.did.ts';
import { isRejected } from './patience.ts';

type Llm = Candid._SERVICE;
type Result = { Ok: unknown } | { Err: object };

/** Methods that begin an answer: any canister can. */
const ASKING = [
  'generate',
  'generate_with',
  'start',
  'chat',
  'start_chat',
  'generate_query',
  'choose',
  'choose_chat',
  'choose_query',
  'choose_chat_query',
] as const;
/** Methods whose first argument is a session: the canister that has it answers. */
const OF_SESSION = ['progress', 'resume', 'cancel', 'delete'] as const;

/** The canister is out of cycles, is not there, is stopped, is stopping, has no code. It has done nothing. */
const DID_NOTHING = ['IC0207', 'IC0301', 'IC0508', 'IC0509', 'IC0537'];

const isErr = (result: Result, ...cases: string[]): boolean =>
  'Err' in result && cases.some((name) => name in result.Err);

/**
 * One actor over `members`. Methods that are not a question or a session's go to the first member.
 * @param members at least one; all with the same model
 * @throws RangeError where there is none
 */
export function together(members: readonly Llm[]): Llm {
  if (members.length === 0) throw new RangeError('connect: expected the id of at least one canister, got none');
  const [first] = members;
  if (members.length === 1) return first!;
  const owners = new Map<string, Llm>();
  const one = { ...first } as unknown as Record<string, unknown>;
  for (const method of ASKING) {
    one[method] = async (...args: unknown[]) => {
      const [result, member] = await ask(await leastBusyFirst(members), method, args);
      const session = sessionOf(result);
      if (session !== undefined) owners.set(session, member);
      return result;
    };
  }
  for (const method of OF_SESSION) {
    one[method] = async (session: string, ...rest: unknown[]) => {
      const owner = owners.get(session);
      if (owner) return await call(owner, method, [session, ...rest]);
      const [result, member] = await ask(members, method, [session, ...rest], 'NoSuchSession', 'NotYours');
      if ('Ok' in result) owners.set(session, member);
      return result;
    };
  }
  one.status = async () => sum(await Promise.all(members.map((member) => member.status())));
  return one as unknown as Llm;
}

const call = (member: Llm, method: string, args: readonly unknown[]): Promise<Result> =>
  (member as unknown as Record<string, (...args: readonly unknown[]) => Promise<Result>>)[method]!(...args);

/**
 * Asks one member after the other until one takes it.
 * @param passing cases of `Err` that send the question on
 * @returns the first result that stands, or the last refusal; and whose it is
 * @throws what a member throws that may have begun to work, and what the last one throws
 */
async function ask(
  members: readonly Llm[],
  method: string,
  args: readonly unknown[],
  ...passing: string[]
): Promise<[Result, Llm]> {
  let refused: [Result, Llm] | undefined;
  let thrown: unknown;
  for (const member of members) {
    try {
      const result = await call(member, method, args);
      if (!isErr(result, 'Unavailable', 'NoModel', ...passing)) return [result, member];
      // of several refusals, one that may pass says more than one of a canister without a model
      if (refused === undefined || isErr(result, 'Unavailable')) refused = [result, member];
    } catch (error) {
      // where it may have begun to work, no other one is asked
      if (!isRejected(error, DID_NOTHING)) throw error;
      thrown = error;
    }
  }
  if (refused) return refused;
  throw thrown;
}

/** Fewest sessions at work or waiting first; those that are as busy in random order; those that do not say last. */
async function leastBusyFirst(members: readonly Llm[]): Promise<Llm[]> {
  const loads = await Promise.all(
    members.map(async (member) => {
      try {
        const { generating, queued, model } = await member.status();
        return { member, load: model.length > 0 ? generating + queued : Number.MAX_VALUE, tie: Math.random() };
      } catch {
        return { member, load: Number.POSITIVE_INFINITY, tie: Math.random() };
      }
    }),
  );
  return loads.sort((a, b) => (a.load === b.load ? a.tie - b.tie : a.load - b.load)).map(({ member }) => member);
}

/** The session that a result begins or tells of: `start` gives its id, an answer has it among its fields. */
function sessionOf(result: Result): string | undefined {
  const told = 'Ok' in result ? result.Ok : Object.values(result.Err)[0];
  if (typeof told === 'string') return 'Ok' in result ? told : undefined;
  const { session } = (told ?? {}) as { session?: string | [] | [string] };
  return typeof session === 'string' ? session : session?.[0];
}

/** What all of them have and do; the model is the first one's. */
function sum(all: readonly Candid.Status[]): Candid.Status {
  const total = { ...all[0]! } as Record<string, unknown>;
  for (const status of all.slice(1)) {
    for (const [name, value] of Object.entries(status)) {
      if (typeof value === 'number') total[name] = (total[name] as number) + value;
      else if (typeof value === 'bigint') total[name] = (total[name] as bigint) + value;
    }
  }
  return total as unknown as Candid.Status;
}
