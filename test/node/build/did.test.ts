import { describe, expect, it } from 'vitest';
import { parseDid, parseType, printDid } from '../../../src/node/build/did.ts';

const azle = `service: () -> {
    ask: (text, opt record {b:opt nat32; a:vec variant {no; yes:nat}}) -> (variant {Ok:record {"text":text}; Err:variant {no; yes:nat}});
    pairs: () -> (vec record {text; variant {yes:nat; no}}, nat) query;
}`;
const names: [string, ReturnType<typeof parseType>][] = [
  ['Choice', parseType('variant {yes:nat; no}')],
  ['Same', parseType('variant {no; yes:nat}')],
  ['Options', parseType('record {a:vec variant {no; yes:nat}; b:opt nat32}')],
  ['Unused', parseType('record {}')],
];

describe('a Candid file with names', () => {
  const named = printDid(parseDid(azle), names);

  it('has each used one once, before what needs it, by the first name it has', () => {
    expect(named).toBe(`type Choice = variant {
  no;
  yes : nat;
};
type Options = record {
  a : vec Choice;
  b : opt nat32;
};
service : () -> {
  ask : (text, opt Options) -> (variant { Ok : record { "text" : text }; Err : Choice });
  pairs : () -> (vec record { text; Choice }, nat) query;
}
`);
  });

  it('says the same as the one without', () => {
    expect(parseDid(named)).toEqual(parseDid(azle));
    expect(printDid(parseDid(named), [])).toBe(printDid(parseDid(azle), []));
  });
});

it('refuses what is not in that form', () => {
  expect(() => parseDid('service: (nat) -> {}')).toThrow(/^did: expected \) at token \d+, got nat$/);
});
