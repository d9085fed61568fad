/**
 * Fuzzed calls of every method by strangers: random bytes, Candid of other types, Candid of the right types with absurd
 * values, mutated Candid, what is dear to read (dear-arguments.ts); the id of somebody else's session and prompts of
 * nearly 2 MiB among them. What is held against each: no trap, no hint of that session, an `Err` or a reject that says
 * what was expected; and what is rejected took no more than that may.
 */

import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { RejectError } from '../../packages/replica/src/index.ts';
import { idlService as service } from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { type Random, randomFrom } from '../random.ts';
import { allowed, bombs, dearMessage, skipped } from './dear-arguments.ts';
import { change, install, ok, options, stranger, upload } from './llm.ts';

export interface AbuseReport {
  /** Calls with an `Ok` or a plain value. */
  answered: number;
  /** With an `Err`. */
  refused: number;
  rejected: number;
  /** Rejects by their beginnings. */
  rejects: Record<string, number>;
  unexpected: string[];
}

const texts = [
  '',
  ' ',
  '</s>',
  '<pad><unk></s>',
  '<extra_id_0>',
  '\ud800',
  '\u0000',
  '🙂'.repeat(50),
  'x'.repeat(40_000),
  '../../etc',
  '__proto__',
  '0'.repeat(64),
];
/** Nearly what a message may be. */
const HUGE = 'x'.repeat(2 ** 21 - 2_000);
const numbers = [0, 1, 2, 100, 513, 2 ** 31, 2 ** 32 - 1];
const floats = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e308, 0.5];

/**
 * A value of a type, as absurd as may be. Only one list of those that lie in each other is long: three of them would be
 * gigabytes.
 * @param more further texts to pick from
 */
export function absurd(
  type: IDL.Type,
  random: Random,
  more: readonly string[] = [],
  lengths = [0, 1, 3, 200],
): unknown {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  if (type instanceof IDL.TextClass) return pick([...texts, ...more]);
  if (type instanceof IDL.BoolClass) return random() < 0.5;
  if (type instanceof IDL.FloatClass) return pick(floats);
  if (type instanceof IDL.FixedNatClass) {
    if (type._bits === 64) return pick([0n, 1n, 64n, 2n ** 63n, 2n ** 64n - 1n]);
    return type._bits === 32 ? pick(numbers) : pick([0, 255]);
  }
  if (type instanceof IDL.NatClass) return pick([0n, 127n, 2n ** 64n]);
  if (type instanceof IDL.PrincipalClass)
    return pick([Principal.anonymous(), stranger, Principal.fromText('aaaaa-aa')]);
  if (type instanceof IDL.OptClass) return random() < 0.5 ? [] : [absurd(type._type, random, more, lengths)];
  if (type instanceof IDL.VecClass)
    return Array.from({ length: pick(lengths) }, () => absurd(type._type, random, more, [0, 1, 1, 3]));
  // a tuple is a record of numbered fields, written as an array
  if (type instanceof IDL.TupleClass) return type._fields.map(([, t]) => absurd(t, random, more, lengths));
  if (type instanceof IDL.RecordClass)
    return Object.fromEntries(type._fields.map(([name, t]) => [name, absurd(t, random, more, lengths)]));
  if (type instanceof IDL.VariantClass) {
    const [name, t] = pick(type._fields);
    return { [name]: absurd(t, random, more, lengths) };
  }
  return null;
}

const pickOf = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;

function argumentsFor(types: IDL.Type[], random: Random, more: readonly string[]): Uint8Array {
  const dear = random();
  if (dear < 0.1) return pickOf(random, dear < 0.05 ? bombs.map(([, bytes]) => bytes) : skipped);
  if (dear < 0.25) return dearMessage(types, random);
  const kind = random();
  if (kind < 0.15) return Uint8Array.from({ length: Math.floor(random() * 200) }, () => random() * 256);
  if (kind < 0.3) return new Uint8Array(IDL.encode([IDL.Vec(IDL.Nat), IDL.Opt(IDL.Text)], [[1n, 2n], ['x']]));
  const bytes = new Uint8Array(
    IDL.encode(
      types,
      types.map((type) => absurd(type, random, more)),
    ),
  );
  if (kind < 0.65) return bytes;
  if (kind < 0.75) return bytes.slice(0, Math.floor(random() * bytes.length));
  // not the head: a vector that claims 2^32 elements is another test's
  for (let i = 0; i < 3; i++) bytes[4 + Math.floor(random() * (bytes.length - 4))] = random() * 256;
  return bytes;
}

/** Methods that are about one session. */
const ofASession: ReadonlySet<string> = new Set(['progress', 'resume', 'cancel', 'delete']);
/**
 * A reject says what was expected, without the interpreter's stack; or is the replica's own about a message that is too
 * large.
 */
const clear = /^(?!.*Uncaught).*(expected|too large)/s;
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** @param calls how many */
export async function abuse(seed: number, calls: number, onProgress = (_: string) => {}): Promise<AbuseReport> {
  const random = randomFrom(seed);
  const llm = await install({ autoTick: false, seed });
  const owner = llm.as();
  await upload(owner, readFileSync((await packFolder('models/little-flan', 'int8')).path));
  // what strangers begin shall not push out the session that they are after
  ok(await owner.set_settings(change({ max_finished: 20_000 })));
  const asked = 'opposite of hot:';
  const secret = ok(await owner.generate_with(asked, ...options({ tokens_per_call: { auto: null } }))).session;
  const before = { settings: await owner.settings(), models: await owner.models(), roles: ok(await owner.roles()) };
  const report: AbuseReport = { answered: 0, refused: 0, rejected: 0, rejects: {}, unexpected: [] };
  const { replica, canisterId } = llm;
  for (let i = 0; i < calls; i++) {
    const [method, type] = service._fields[i % service._fields.length]!;
    const arg = argumentsFor(type.argTypes, random, [secret, HUGE]);
    const call = { canisterId, method, arg, sender: random() < 0.5 ? stranger : Principal.anonymous() };
    llm.newMessages();
    const wrong = (what: string): void =>
      void report.unexpected.push(`${method} ${Buffer.from(arg.slice(0, 200)).toString('hex')}: ${what}`);
    try {
      const reply = await (type.annotations.includes('query') ? replica.queryCall(call) : replica.updateCall(call));
      const [value] = IDL.decode(type.retTypes, reply as Uint8Array<ArrayBuffer>) as unknown as [object];
      if (latin1(reply).includes(asked)) wrong("the reply has somebody else's prompt");
      if (typeof value === 'object' && value && 'Err' in value) report.refused += 1;
      else {
        report.answered += 1;
        if (ofASession.has(method) && latin1(arg).includes(secret)) wrong("Ok for somebody else's session");
      }
    } catch (error) {
      report.rejected += 1;
      const { message } = error as Error;
      const text = message
        .replace(/^.*(message: '|Canister \S+: )/, '')
        .split(/[:\n,]/)[0]!
        .slice(0, 60);
      report.rejects[text] = (report.rejects[text] ?? 0) + 1;
      const isTrap = /unreachable|heap out of bounds|exceeded the limit|stack overflow/.test(message);
      if (!(error instanceof RejectError) || isTrap || !clear.test(message) || message.includes(asked)) wrong(message);
      for (const { kind, instructions } of llm.newMessages())
        if (kind === 'update' && instructions.total > allowed(arg.length)) wrong(`rejected for ${instructions.total}`);
    }
    if (i % 1000 === 999) onProgress(`${i + 1} of ${calls} calls`);
  }
  const after = { settings: await owner.settings(), models: await owner.models(), roles: ok(await owner.roles()) };
  const plain = (value: unknown): string => JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? String(v) : v));
  if (plain(after) !== plain(before)) report.unexpected.push(`a stranger changed something: ${plain(after)}`);
  if (ok(await owner.progress(secret, 0)).text !== 'cold') report.unexpected.push('the owner lost a session');
  return report;
}
