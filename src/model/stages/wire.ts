/**
 * What the first stage asks another one, and what that one answers: words of 32 bits, the least significant byte
 * first, then rows of float32. A pack's hash says which model and which cut both have; the sender is the canister's
 * business.
 */

/** What is to be done. */
export const [FORWARD, ENCODE, CROSS, GO_ON, NOTHING] = [1, 2, 3, 4, 5] as const;
export type ErrandKind = typeof FORWARD | typeof ENCODE | typeof CROSS;

/**
 * What came of it: done; the message is full, or not all rows are there: ask to go on; keys and values are lacking;
 * done, and more of the rows are yet to be fetched.
 */
export const [DONE, PAUSED, LACKING, PART] = [0, 1, 2, 3] as const;

/**
 * Bytes of rows that a request or an answer carries at most; what is more goes in several. A call between canisters of
 * different subnets may have 2 MB, and a request has a few bytes beside rows.
 */
export const ROWS_A_HOP = 1_500_000;

/** In place of a position: the prompt's keys and values are lacking. */
export const PROMPT = 0xffff_ffff;

const VERSION = 3;
const HEAD_WORDS = 15;
const SEQUENCE_WORDS = 4;
const COPY_WORDS = 5;
const ROW_WORDS = 2;

/** A sequence as stages know it. */
export interface SequenceOf {
  id: number;
  /** Positions that it may have. */
  capacity: number;
  /** Of its prompt, where an encoder reads it; else 0. */
  sourceLength: number;
  /** The sequence whose prompt's keys and values it shares: itself, or another. */
  root: number;
}

/** Keys and values of positions `from` to `to` that a sequence takes from another. */
export interface CopyOf {
  /** Rises from copy to copy: a stage makes each once, however often it is told. */
  number: number;
  target: number;
  source: number;
  from: number;
  to: number;
}

export interface Request {
  kind: ErrandKind | typeof GO_ON | typeof NOTHING;
  /** Of whoever asks, since its memory began. Another one's sequences are none of this one's. */
  epoch: number;
  /** Rises from errand to errand; one that goes on has the number of what it goes on with. */
  number: number;
  /** Numbers of the errands that are under way: what a stage has begun of others is given up. */
  alive: readonly number[];
  /** Sequences that are no more. */
  closed: readonly number[];
  /** Those that rows and copies are of. */
  sequences: readonly SequenceOf[];
  /** To be made before the rows. */
  copies: readonly CopyOf[];
  /** Of each row, its sequence's id and its position. */
  rows: readonly (readonly [sequence: number, position: number])[];
  /** Rows that are wanted back, the first ones. */
  back: number;
  /** Of float32 [rows, padded width], bytes from `sent` on; and how many there are of all. */
  hidden: Uint8Array;
  sent: number;
  all: number;
  /** Bytes of the answer's rows that are there already, and how many more of them an answer may carry. */
  taken: number;
  most: number;
}

/** Where in a reply the instructions of its message stand, as 64 bits: native code writes them at its end. */
export const REPLY_INSTRUCTIONS_AT = 8;
/** And cycles that messages took which trapped since the last answer, as 64 bits: the canister writes them. */
export const REPLY_LOST_AT = 16;
const REPLY_HEAD_BYTES = 24;

export type Reply =
  | { kind: typeof DONE | typeof PART; hidden: Uint8Array }
  | { kind: typeof PAUSED }
  /** From which position on each of these sequences lacks keys and values, or PROMPT. */
  | { kind: typeof LACKING; from: readonly (readonly [sequence: number, position: number])[] };

/** Rows on their way: what of them goes with this request, and what of the answer is there. */
export type Piece = Pick<Request, 'hidden' | 'sent' | 'all' | 'taken' | 'most'>;

/** The same that goes on with an errand whose message was full, or whose rows go in several. */
export const goingOn = (epoch: number, number: number, alive: readonly number[], piece: Piece): Request => ({
  kind: GO_ON,
  epoch,
  number,
  alive,
  closed: [],
  sequences: [],
  copies: [],
  rows: [],
  back: 0,
  ...piece,
});

const noPiece: Piece = { hidden: new Uint8Array(0), sent: 0, all: 0, taken: 0, most: 0 };

/** Asks for nothing but what every answer says: what was lost. */
export const askingForNothing = (): Uint8Array => encodeRequest({ ...goingOn(0, 0, [], noPiece), kind: NOTHING });

export function encodeRequest(request: Request): Uint8Array {
  const { kind, epoch, number, alive, closed, sequences, copies, rows, back, hidden, sent, all, taken, most } = request;
  const counts = [closed, sequences, copies, rows].map(({ length }) => length);
  const words = [VERSION, kind, epoch, number, ...counts, back, hidden.length, alive.length, sent, all, taken, most];
  words.push(...alive, ...closed);
  for (const { id, capacity, sourceLength, root } of sequences) words.push(id, capacity, sourceLength, root);
  for (const { number: copy, target, source, from, to } of copies) words.push(copy, target, source, from, to);
  for (const row of rows) words.push(...row);
  return withWords(words, hidden);
}

function withWords(words: readonly number[], rest: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 4 + rest.length);
  new Uint32Array(bytes.buffer, 0, words.length).set(words);
  bytes.set(rest, words.length * 4);
  return bytes;
}

const wordsOf = (bytes: Uint8Array): Uint32Array => new Uint32Array(bytes.slice(0, bytes.length & ~3).buffer);

/** @throws Error for bytes that are no request of this version */
export function decodeRequest(bytes: Uint8Array): Request {
  const wrong = (expected: string, got: number | string): Error =>
    new Error(`stage: expected ${expected}, got ${got}; are both canisters of the same version?`);
  if (bytes.length < HEAD_WORDS * 4) throw wrong(`a request of at least ${HEAD_WORDS * 4} bytes`, bytes.length);
  const [version, kind, epoch, number, closed, sequences, copies, rows, back, hidden, alive, sent, total, taken, most] =
    wordsOf(bytes.subarray(0, HEAD_WORDS * 4)) as unknown as number[] & { length: 15 };
  if (version !== VERSION) throw wrong(`a request of version ${VERSION}`, version!);
  if (![FORWARD, ENCODE, CROSS, GO_ON, NOTHING].includes(kind as never)) throw wrong('a request of kind 1 to 5', kind!);
  const words = HEAD_WORDS + alive! + closed! + sequences! * SEQUENCE_WORDS + copies! * COPY_WORDS + rows! * ROW_WORDS;
  if (bytes.length !== words * 4 + hidden!) throw wrong(`${words * 4 + hidden!} bytes`, bytes.length);
  const all = wordsOf(bytes.subarray(0, words * 4));
  let at = HEAD_WORDS;
  const take = <T>(count: number, size: number, make: (...words: number[]) => T): T[] =>
    Array.from({ length: count }, () => {
      at += size;
      return make(...all.subarray(at - size, at));
    });
  return {
    kind: kind as Request['kind'],
    epoch: epoch!,
    number: number!,
    alive: take(alive!, 1, (id) => id!),
    closed: take(closed!, 1, (id) => id!),
    sequences: take(sequences!, SEQUENCE_WORDS, (id, capacity, sourceLength, root) => {
      return { id: id!, capacity: capacity!, sourceLength: sourceLength!, root: root! };
    }),
    copies: take(copies!, COPY_WORDS, (copy, target, source, from, to) => {
      return { number: copy!, target: target!, source: source!, from: from!, to: to! };
    }),
    rows: take(rows!, ROW_WORDS, (sequence, position) => [sequence!, position!] as const),
    back: back!,
    hidden: bytes.slice(words * 4),
    sent: sent!,
    all: total!,
    taken: taken!,
    most: most!,
  };
}

export function encodeReply(reply: Reply): Uint8Array {
  // from the third word on: instructions, and cycles that were lost
  const head = [VERSION, reply.kind, 0, 0, 0, 0];
  if ('hidden' in reply) return withWords(head, reply.hidden);
  return withWords('from' in reply ? [...head, ...reply.from.flat()] : head, new Uint8Array(0));
}

const wordOf64 = (reply: Uint8Array, at: number): number =>
  reply.length < REPLY_HEAD_BYTES ? 0 : Number(new DataView(reply.buffer, reply.byteOffset).getBigUint64(at, true));

/** What a stage's message took that has answered so. */
export const instructionsOf = (reply: Uint8Array): number => wordOf64(reply, REPLY_INSTRUCTIONS_AT);

/** Cycles that its messages took which trapped since its last answer. */
export const lostOf = (reply: Uint8Array): number => wordOf64(reply, REPLY_LOST_AT);

/** @throws Error for bytes that are no reply of this version */
export function decodeReply(bytes: Uint8Array): Reply {
  const [version, kind] = wordsOf(bytes.subarray(0, REPLY_HEAD_BYTES));
  if (version !== VERSION || kind === undefined || kind > PART || bytes.length < REPLY_HEAD_BYTES)
    throw new Error(
      `stage: expected an answer of version ${VERSION}, got ${version ?? 'none'}, ${kind ?? 'none'}; are both canisters of the same version?`,
    );
  const rest = bytes.slice(REPLY_HEAD_BYTES);
  if (kind === DONE || kind === PART) return { kind, hidden: rest };
  if (kind === PAUSED) return { kind };
  const words = wordsOf(rest);
  const from = Array.from({ length: words.length >> 1 }, (_, i) => [words[2 * i]!, words[2 * i + 1]!] as const);
  return { kind: LACKING, from };
}
