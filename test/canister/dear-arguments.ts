/**
 * Arguments that are dear to read or to refuse, and a search for dearer ones: for each method, hill-climbing over
 * Candid's types, values and bytes, the cost being what the replica counts. Calls come from another canister, so that
 * `inspect_message` stops none of them.
 */
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { canister } from '../../packages/replica/test/wat.ts';
import { idlService as service } from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { change, controller, type Installed, install, ok, options, upload } from './llm.ts';

type Random = () => number;

const leb = (n: number): number[] => (n < 128 ? [n] : [(n % 128) | 128, ...leb(Math.floor(n / 128))]);
const endless = (n: number): number[] => Array(n).fill(255);
const HEAD = [0x44, 0x49, 0x44, 0x4c];
/** An argument of type `type` where text is wanted, with this table before and these bytes of value after. */
const instead = (table: number[], type: number, value: number[]): Uint8Array =>
  Uint8Array.from([...HEAD, ...table, 1, type, ...value]);
const doubling = (n: number): number[] =>
  Array.from({ length: n }, (_, i) => (i === 0 ? [0x6c, 2, 0, 0x7f, 1, 0x7f] : [0x6c, 2, 0, i - 1, 1, i - 1])).flat();

/** What cost up to 40 B instructions when an interpreter read it: refused by who wants a text. */
export const bombs: [string, Uint8Array][] = [
  ['2^31 nulls', instead([1, 0x6d, 0x7f], 0, leb(2 ** 31))],
  ['2^31 reserved', instead([1, 0x6d, 0x70], 0, leb(2 ** 31))],
  ['2^31 empty records', instead([2, 0x6c, 0, 0x6d, 0], 1, leb(2 ** 31))],
  ['2^40 nulls in records of records', instead([40, ...doubling(40)], 39, [])],
  ['a record of itself', instead([1, 0x6c, 1, 0, 0], 0, [])],
  ['options in options', instead([1, 0x6e, 0], 0, [...Array(100_000).fill(1), 0])],
  ['a number without end', instead([0], 0x7d, endless(100_000))],
  ['a length without end', Uint8Array.from([...HEAD, 0, 1, 0x71, ...endless(100_000)])],
  ['a table without end', Uint8Array.from([...HEAD, ...endless(100_000)])],
  ['50,000 types', instead([...leb(50_000), ...Array(50_000).fill([0x6e, 0]).flat()], 0x71, [0])],
  ['25,000 floats', new Uint8Array(IDL.encode([IDL.Vec(IDL.Float32)], [Array(25_000).fill(1)]))],
];

/**
 * The same as a field that nobody wants, which is skipped if it is not too much.
 * @param options the record that has it
 */
const asField = (table: number[], type: number, value: number[]): Uint8Array => {
  const types = table[0]!;
  return Uint8Array.from([...HEAD, types + 1, ...table.slice(1), 0x6c, 1, 1, type, 2, 0x71, types, 0, ...value]);
};
/** Behind a text, for methods that take options. */
export const skipped: Uint8Array[] = [
  asField([1, 0x6d, 0x7f], 0, leb(2 ** 31)),
  asField([1, 0x6d, 0x7f], 0, leb(100_000)),
  asField([2, 0x6c, 0, 0x6d, 0], 1, leb(2 ** 31)),
  asField([20, ...doubling(20)], 19, []),
  asField([1, 0x6c, 1, 0, 0], 0, []),
  asField([1, 0x6e, 0], 0, [...Array(90).fill(1), 0]),
  asField([1, 0x6d, 0x7e], 0, [...leb(100_000), ...Array(100_000).fill(1)]),
  asField([2, 0x6e, 0x7f, 0x6d, 0], 1, [...leb(100_000), ...Array(100_000).fill(1)]),
  asField([2, 0x6e, 0x7f, 0x6d, 0], 1, [...leb(100_000), ...Array(100_000).fill(0)]),
  asField([1, 0x6d, 0x7d], 0, [...leb(100_000), ...Array(100_000).fill(1)]),
  asField([1, 0x6d, 0x71], 0, [...leb(100_000), ...Array(100_000).fill(0)]),
  asField([0], 0x7d, [...endless(100_000), 1]),
];

/**
 * A canister that hands calls on: its argument is [repeats u32, length of the callee's id u8, id, length of the
 * method's name u8, name, argument], and the argument is sent so many times over, one behind the other. It replies when
 * the call is answered, whatever the answer.
 */
const messenger = canister(
  `(table 1 funcref) (elem (i32.const 0) $done)
   (func $done (param i32) (call $msg_reply))
   (func (export "canister_update pass") (local $id i32) (local $name i32) (local $arg i32) (local $times i32)
     (call $msg_arg_data_copy (i32.const 0) (i32.const 0) (call $msg_arg_data_size))
     (local.set $times (i32.load (i32.const 0)))
     (local.set $id (i32.load8_u (i32.const 4)))
     (local.set $name (i32.add (i32.const 5) (local.get $id)))
     (local.set $arg (i32.add (i32.add (local.get $name) (i32.const 1)) (i32.load8_u (local.get $name))))
     (call $call_new (i32.const 5) (local.get $id) (i32.add (local.get $name) (i32.const 1)) (i32.load8_u (local.get $name))
       (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
     (loop $more
       (call $call_data_append (local.get $arg) (i32.sub (call $msg_arg_data_size) (local.get $arg)))
       (local.set $times (i32.sub (local.get $times) (i32.const 1)))
       (br_if $more (local.get $times)))
     (drop (call $call_perform)))`,
  40,
);

/** What a message took of the canister that it came to, all messages that it led to included. */
export type Cost = (method: string, arg: Uint8Array, times?: number) => Promise<number>;

/** Calls from another canister, and that canister. */
export async function fromCanister(llm: Installed): Promise<{ cost: Cost; sender: Principal }> {
  const { replica, canisterId } = llm;
  const sender = replica.createCanister({ controllers: [controller], cycles: 10n ** 17n }).canisterId;
  await replica.installCode({ canisterId: sender, wasm: messenger, sender: controller });
  const id = canisterId.toUint8Array();
  const cost: Cost = async (method, arg, times = 1) => {
    const name = new TextEncoder().encode(method);
    const head = [...new Uint8Array(Uint32Array.of(times).buffer), id.length, ...id, name.length, ...name];
    const whole = new Uint8Array(head.length + arg.length);
    whole.set(head);
    whole.set(arg, head.length);
    llm.newMessages();
    await replica.updateCall({ canisterId: sender, method: 'pass', arg: whole, sender: controller });
    const mine = llm.newMessages().filter((message) => message.canisterId.toText() === canisterId.toText());
    return mine.reduce((sum, { instructions }) => sum + instructions.total, 0);
  };
  return { cost, sender };
}

/**
 * A canister with a model that has answered, and whose other callers have used up what they are given: all that is
 * asked for is refused.
 */
export async function locked(): Promise<Installed> {
  const llm = await install();
  const owner = llm.as();
  await upload(owner, readFileSync((await packFolder('models/little-flan', 'int8')).path));
  ok(await owner.generate_with('opposite of hot:', ...options({ max_new_tokens: 1 })));
  ok(await owner.set_settings(change({ tokens_per_day_overall: 1n, tokens_per_day: 1n })));
  return llm;
}

// --- the search -------------------------------------------------------------------------------------------

/** Types and values for a message, as the search changes them. */
interface Candidate {
  types: IDL.Type[];
  values: unknown[];
  /** Bytes that are changed once it is encoded: place from the beginning, 0 to 1, and what is put there. */
  changes: [number, number][];
}

const pickFrom =
  (random: Random) =>
  <T>(from: readonly T[]): T =>
    from[Math.floor(random() * from.length)]!;

const plainTypes = [
  IDL.Null,
  IDL.Bool,
  IDL.Nat,
  IDL.Int,
  IDL.Nat8,
  IDL.Nat32,
  IDL.Int64,
  IDL.Float32,
  IDL.Float64,
  IDL.Text,
  IDL.Reserved,
  IDL.Principal,
];
const Func = IDL.Func([IDL.Text, IDL.Nat], [IDL.Text], ['query']);

function someType(random: Random, depth: number): IDL.Type {
  const pick = pickFrom(random);
  if (depth === 0 || random() < 0.3) return pick([...plainTypes, Func, IDL.Service({ f: Func })]);
  const inner = (): IDL.Type => someType(random, depth - 1);
  const fields = (most: number) =>
    Object.fromEntries(Array.from({ length: 1 + Math.floor(random() * most) }, (_, i) => [`f${i}`, inner()]));
  return pick([
    () => IDL.Opt(inner()),
    () => IDL.Vec(inner()),
    () => IDL.Record(fields(pick([2, 8, 60]))),
    () => IDL.Variant(fields(pick([2, 30]))),
  ])();
}

const letters = ['x', '\0', 'é', '€', '🙂', '\ufdfa', ' ', 'İ', '"', '&'];

/** A value of a type, of about `size` bytes. */
function someValue(type: IDL.Type, random: Random, size: number): unknown {
  const pick = pickFrom(random);
  if (type instanceof IDL.TextClass) {
    const letter = pick(letters);
    // a wide letter makes all others wide
    if (random() < 0.2) return `${pick(['', '€'])}${'x'.repeat(Math.max(0, size - 6))}€`;
    return letter.repeat(Math.floor((size * pick([1, 1, 0.5, 0.01])) / new TextEncoder().encode(letter).length));
  }
  if (type instanceof IDL.NatClass)
    return 2n ** BigInt(Math.min(Math.floor(size * 4), 60_000) % pick([63, 127, 10_000])) - 1n;
  if (type instanceof IDL.IntClass) return -(2n ** BigInt(Math.floor(random() * 126)));
  if (type instanceof IDL.FixedNatClass || type instanceof IDL.FixedIntClass) {
    const value = 2n ** BigInt(type._bits - 1) - 1n;
    return type._bits === 64 ? value : Number(value);
  }
  if (type instanceof IDL.FloatClass) return pick([1, Number.NaN, 1e-300]);
  if (type instanceof IDL.BoolClass) return true;
  if (type instanceof IDL.PrincipalClass || type instanceof IDL.ServiceClass)
    return Principal.selfAuthenticating(new Uint8Array([size & 255]));
  if (type instanceof IDL.FuncClass) return [Principal.anonymous(), 'f'.repeat(Math.min(size, 1_000))];
  if (type instanceof IDL.OptClass) return random() < 0.1 ? [] : [someValue(type._type, random, size)];
  if (type instanceof IDL.VecClass) {
    // about as many as a method takes, too; within others, fewer
    const many = Math.floor(size ** pick([1, 0.9, 0.5])) + 1;
    const length = size < 100 ? Math.min(many, 3) : pick([many, 1_000, 480, 250].filter((n) => n <= size + 1));
    const few = Array.from({ length: Math.min(length, 8) }, () => someValue(type._type, random, size / length));
    return Array.from({ length }, (_, i) => few[i % few.length]);
  }
  if (type instanceof IDL.TupleClass) return type._fields.map(([, of]) => someValue(of, random, size / 2));
  if (type instanceof IDL.RecordClass)
    return Object.fromEntries(
      type._fields.map(([name, of]) => [name, someValue(of, random, size / type._fields.length)]),
    );
  if (type instanceof IDL.VariantClass) {
    const [name, of] = pick(type._fields);
    return { [name]: someValue(of, random, size) };
  }
  return null;
}

/** A type that is taken for `type`: with more fields. */
function wider(type: IDL.Type, random: Random): IDL.Type {
  if (type instanceof IDL.OptClass) return IDL.Opt(wider(type._type, random));
  if (!(type instanceof IDL.RecordClass) || type instanceof IDL.TupleClass) return type;
  return IDL.Record({
    ...Object.fromEntries(type._fields),
    [`more${Math.floor(random() * 1e6)}`]: someType(random, 3),
  });
}

const MOST = 110_000;

function message({ types, values, changes }: Candidate): Uint8Array {
  const bytes = new Uint8Array(IDL.encode(types, values)).slice(0, MOST);
  for (const [place, value] of changes) bytes[4 + Math.floor(place * (bytes.length - 4))] = value;
  return bytes;
}

function fresh(argTypes: IDL.Type[], random: Random): Candidate {
  const size = pickFrom(random)([10, 300, 5_000, 30_000, 95_000]);
  const types = argTypes.map((type) => (random() < 0.4 ? wider(type, random) : type));
  if (random() < 0.3) types.push(someType(random, 3));
  if (random() < 0.1 && types.length > 0) types[0] = someType(random, 3);
  const largest = Math.floor(random() * types.length);
  return { types, values: types.map((type, i) => someValue(type, random, i === largest ? size : 20)), changes: [] };
}

/** A message for a method of these types, as the search begins with. */
export const dearMessage = (argTypes: IDL.Type[], random: Random): Uint8Array => message(fresh(argTypes, random));

function changed(candidate: Candidate, random: Random): Candidate {
  const { types, values, changes } = candidate;
  const i = Math.floor(random() * types.length);
  const kind = random();
  if (kind < 0.25)
    return { types, values, changes: [...changes.slice(-4), [random() ** 3, Math.floor(random() * 256)]] };
  const type = kind < 0.5 && types[i] ? wider(types[i], random) : types[i];
  if (!type) return candidate;
  const value = someValue(type, random, pickFrom(random)([20, 1_000, 10_000, 40_000, 98_000]));
  return { types: types.with(i, type), values: values.with(i, value), changes: kind < 0.75 ? changes : [] };
}

/** The bar: what reading and refusing n bytes may take. */
export const allowed = (bytes: number): number => 20e6 + 150 * bytes;

export interface Dearest {
  method: string;
  bytes: number;
  instructions: number;
  /** What it took beyond the method's cheapest call, for each byte. */
  perByte: number;
  tried: number;
}

/**
 * Lists of ids or texts, all of them different, for methods that take options: as long as they may be, as many as the
 * model knows, and none.
 */
function manyIds(argTypes: IDL.Type[]): Uint8Array[] {
  const last = argTypes.at(-1);
  if (!last || argTypes.length < 2) return [];
  const record = last instanceof IDL.OptClass ? last._type : last;
  const prompt = argTypes[0] instanceof IDL.VecClass ? [{ role: { user: null }, content: 'hi' }] : 'hi';
  if (!(record instanceof IDL.RecordClass)) return [];
  return record._fields.flatMap(([name, type]) => {
    if (!(type instanceof IDL.OptClass && type._type instanceof IDL.VecClass)) return [];
    const element = type._type._type;
    const nested = element instanceof IDL.VecClass;
    const item = (i: number) => (nested ? [i] : element === IDL.Text ? `text ${i}` : i);
    return [nested ? 500 : 1_000, nested ? 250 : 380, 0].map((length) => {
      const ids = Array.from({ length }, (_, i) => item(i));
      const given = Object.fromEntries(record._fields.map(([field]) => [field, field === name ? [ids] : []]));
      const value = last instanceof IDL.OptClass ? [given] : given;
      return new Uint8Array(IDL.encode(argTypes, [prompt, value]));
    });
  });
}

/** As many messages as a conversation may have, short and long, of letters that make the whole text wide. */
function manyMessages(argTypes: IDL.Type[]): Uint8Array[] {
  const [list = IDL.Null, options] = argTypes;
  const element: IDL.Type = list instanceof IDL.VecClass ? list._type : IDL.Null;
  if (!(element instanceof IDL.RecordClass) || !element._fields.some(([name]) => name === 'content')) return [];
  return ['', 'hi', 'x'.repeat(400), '\u20ac'.repeat(150), 'hi', '\u20ac'].map((content, i) => {
    const messages = Array.from({ length: i < 4 ? 200 : 330 }, () => ({ role: { user: null }, content }));
    return new Uint8Array(IDL.encode(options ? [list, options] : [list], options ? [messages, []] : [messages]));
  });
}

/** Requests of HTTP whose URL is all that is dear: short and long, before and behind what ends a path. */
function longUrls(argTypes: IDL.Type[]): Uint8Array[] {
  const [request = IDL.Null] = argTypes;
  if (!(request instanceof IDL.RecordClass) || !request._fields.some(([name]) => name === 'url')) return [];
  const before = ['/', '/?', '/#', 'a://', '/status?', '/status#', '/metrics?', '/v1/chat/completions?', '/v1/models/'];
  const urls = before.flatMap((start) =>
    ['x', '&', '<', '?', '%2f', '&canisterId=', '\u0130', '\u20ac'].flatMap((part) =>
      [1_000, 90_000].map((bytes) => start + part.repeat(bytes / new TextEncoder().encode(part).length)),
    ),
  );
  const rest = { method: 'GET', headers: [], body: new Uint8Array(), certificate_version: [] };
  return urls.map((url) => new Uint8Array(IDL.encode([request], [{ ...rest, url }])));
}

/** Climbs to the dearest arguments of one method: what counts is how much of the bar is used. */
export async function dearest(method: string, rounds: number, random: Random, cost: Cost): Promise<Dearest> {
  const [, { argTypes }] = service._fields.find(([name]) => name === method)!;
  let best: (Dearest & { used: number; candidate?: Candidate }) | undefined;
  let least = Number.POSITIVE_INFINITY;
  let tried = 0;
  const attempt = async (arg: Uint8Array, candidate?: Candidate): Promise<void> => {
    let instructions = await cost(method, arg);
    // now and then a message collects garbage, for some 8 M, whatever its arguments: those that are dear are so again
    if (instructions >= allowed(arg.length)) instructions = Math.min(instructions, await cost(method, arg));
    tried += 1;
    least = Math.min(least, instructions);
    const used = instructions / allowed(arg.length);
    if (!best || used > best.used)
      best = { method, bytes: arg.length, instructions, perByte: 0, tried, used, candidate };
  };
  for (const [, bomb] of bombs) await attempt(bomb);
  for (const bytes of argTypes.length > 1 ? skipped : []) await attempt(bytes);
  for (const bytes of [...manyIds(argTypes), ...manyMessages(argTypes), ...longUrls(argTypes)]) await attempt(bytes);
  let candidate = fresh(argTypes, random);
  for (let i = 0; i < rounds; i++) {
    const next = i % 3 === 0 ? fresh(argTypes, random) : changed(best?.candidate ?? candidate, random);
    const before = best?.used;
    await attempt(message(next), next);
    if (best?.used !== before) candidate = next;
  }
  const { used: _, candidate: __, ...found } = best!;
  return { ...found, tried, perByte: (found.instructions - least) / found.bytes };
}
