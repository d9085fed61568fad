import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  askingForNothing,
  CROSS,
  DONE,
  decodeReply,
  decodeRequest,
  ENCODE,
  encodeReply,
  encodeRequest,
  FORWARD,
  goingOn,
  instructionsOf,
  LACKING,
  lostOf,
  NOTHING,
  PART,
  PAUSED,
  PROMPT,
  REPLY_INSTRUCTIONS_AT,
  REPLY_LOST_AT,
  type Request,
} from '../../../src/model/stages/wire.ts';

const word = fc.nat({ max: 0xffff_ffff });
const few = <T>(of: fc.Arbitrary<T>) => fc.array(of, { maxLength: 4 });
const request: fc.Arbitrary<Request> = fc.record({
  kind: fc.constantFrom(FORWARD, ENCODE, CROSS),
  epoch: word,
  number: word,
  alive: few(word),
  closed: few(word),
  sequences: few(fc.record({ id: word, capacity: word, sourceLength: word, root: word })),
  copies: few(fc.record({ number: word, target: word, source: word, from: word, to: word })),
  rows: few(fc.tuple(word, word)),
  back: word,
  hidden: fc.uint8Array({ maxLength: 64 }),
  sent: word,
  all: word,
  taken: word,
  most: word,
});
const piece = { hidden: Uint8Array.of(1, 2, 3, 4), sent: 4, all: 12, taken: 8, most: 4 };

it('carries every request, and one that goes on', () => {
  fc.assert(
    fc.property(request, (given) => {
      expect(decodeRequest(encodeRequest(given))).toEqual(given);
    }),
    { seed: 1 },
  );
  expect(decodeRequest(encodeRequest(goingOn(7, 8, [8, 9], piece)))).toEqual(goingOn(7, 8, [8, 9], piece));
  expect(decodeRequest(askingForNothing()).kind).toBe(NOTHING);
});

it('refuses what is cut off or longer, and reads no byte of whatever else as a request, in words', () => {
  fc.assert(
    fc.property(request, fc.nat(), (given, at) => {
      const bytes = encodeRequest(given);
      expect(() => decodeRequest(bytes.subarray(0, at % bytes.length))).toThrow(/^stage: expected /);
      expect(() => decodeRequest(Uint8Array.of(...bytes, 0))).toThrow(/^stage: expected /);
    }),
    { seed: 2 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(() => decodeRequest(bytes)).toThrow(/^stage: expected /);
    }),
    { seed: 3 },
  );
});

it('counts that claim more than there is are refused before anything is made of them', () => {
  const bytes = encodeRequest(goingOn(1, 1, [], piece));
  // but for the eighth: how many rows are wanted back is looked at where the rows are
  for (const at of [4, 5, 6, 7, 9, 10]) {
    const claims = new Uint32Array(bytes.slice().buffer);
    claims[at] = 0xffff_ffff;
    expect(() => decodeRequest(new Uint8Array(claims.buffer)), `word ${at}`).toThrow(/^stage: expected /);
  }
});

it('carries every answer, with what it took', () => {
  for (const reply of [
    { kind: DONE, hidden: Uint8Array.of(1, 2, 3, 4) },
    { kind: PART, hidden: Uint8Array.of(5, 6, 7, 8) },
    { kind: PAUSED },
    {
      kind: LACKING,
      from: [
        [3, PROMPT],
        [4, 17],
      ],
    },
  ] as const) {
    const bytes = encodeReply(reply as Parameters<typeof encodeReply>[0]);
    expect(instructionsOf(bytes)).toBe(0);
    new DataView(bytes.buffer).setBigUint64(REPLY_INSTRUCTIONS_AT, 5_000_000_000n, true);
    expect([instructionsOf(bytes), lostOf(bytes)]).toEqual([5e9, 0]);
    new DataView(bytes.buffer).setBigUint64(REPLY_LOST_AT, 6_000_000_000n, true);
    expect([instructionsOf(bytes), lostOf(bytes)]).toEqual([5e9, 6e9]);
    expect(decodeReply(bytes)).toEqual(reply);
  }
});

it.each([
  ['nothing', new Uint8Array(0), 'got none, none'],
  ['an older one', new Uint8Array(Uint32Array.of(1, DONE, 0, 0).buffer), 'got 1, 0'],
  ['a kind that is none', new Uint8Array(Uint32Array.of(3, 4, 0, 0, 0, 0).buffer), 'got 3, 4'],
  ['a head cut off', new Uint8Array(Uint32Array.of(3, DONE, 0, 0, 0).buffer), 'got 3, 0'],
])('an answer that is %s: refused in words', (_, bytes, got) => {
  expect(() => decodeReply(bytes)).toThrow(`stage: expected an answer of version 3, ${got}`);
});
