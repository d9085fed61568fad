/** Request ids, against the specification's worked example and against the agent's. */
import { requestIdOf } from '@dfinity/agent';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Hashable, hashOfMap, leb128 } from '../../src/certification/hash-of-map.ts';
import { bytes, sha256 } from '../../src/certification/hash-tree.ts';
import { Refused } from '../../src/certification/refused.ts';

const hex = (value: Uint8Array) => Buffer.from(value).toString('hex');

test('the request id of the specification, "Request ids"', () => {
  const content = new Map<string, Hashable>([
    ['request_type', 'call'],
    ['sender', Uint8Array.of(4)],
    ['ingress_expiry', 1_685_570_400_000_000_000n],
    ['canister_id', Buffer.from('00000000000004d2', 'hex')],
    ['method_name', 'hello'],
    ['arg', Buffer.from('4449444c00fd2a', 'hex')],
  ]);
  expect(hex(hashOfMap(content))).toBe('1d1091364d6bb8a6c16b203ee75467d59ead468f523eb058880ae8ec80e2b101');
});

test('a nested map is hashed as a map, as in the specification', () => {
  const arg = bytes('DIDL\0\0');
  const inner = sha256(sha256(bytes('arg')), sha256(arg));
  const reply = new Map<string, Hashable>([['reply', new Map([['arg', arg]])]]);
  expect(hashOfMap(reply)).toEqual(sha256(sha256(bytes('reply')), inner));
});

test('unsigned LEB128 as in the specification', () => {
  expect(hex(leb128(0))).toBe('00');
  expect(hex(leb128(624_485))).toBe('e58e26');
  expect(hex(leb128(2n ** 64n - 1n))).toBe('ffffffffffffffffff01');
  expect(() => leb128(-1)).toThrow('expected a natural number, got -1');
});

test('agrees with the agent on random content', () => {
  const scalar = fc.oneof(fc.string(), fc.uint8Array(), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat());
  const value = fc.oneof(scalar, fc.array(fc.array(fc.uint8Array())));
  const key = fc.string({ minLength: 1 }).filter((name) => name !== '__proto__');
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value)), (fields) => {
      const content = new Map(fields);
      expect(hex(hashOfMap(content))).toBe(hex(requestIdOf(Object.fromEntries(content))));
    }),
  );
});

test('refuses what cannot be hashed', () => {
  expect(() => hashOfMap(new Map([['flag', true as unknown as Hashable]]))).toThrow(Refused);
  expect(() => hashOfMap(new Map([['half', 0.5]]))).toThrow('expected text, blob, natural, array or map, got 0.5');
  expect(() => hashOfMap(new Map([['debt', -1]]))).toThrow('got -1');
  const named = new Map([[1, 'one']]) as unknown as Map<string, Hashable>;
  expect(() => hashOfMap(named)).toThrow('expected fields named by text, got 1');
  let nested: Hashable = [];
  for (let depth = 0; depth < 40; depth++) nested = [nested];
  expect(() => hashOfMap(new Map([['nested', nested]]))).toThrow('expected at most 32 levels of nesting');
});
