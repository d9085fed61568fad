import { describe, expect, it } from 'vitest';
import { checkMethods, parseDid } from '../../../src/node/build/did.ts';

const azle = `service: () -> {
    ask: (text, opt record {b:opt nat32; a:vec variant {no; yes:nat}}) -> (variant {Ok:record {"text":text}; Err:variant {no; yes:nat}});
    pairs: () -> (vec record {text; variant {yes:nat; no}}, nat) query;
}`;
const written = `// A file; with { signs } in its comments.
type Choice = variant { yes : nat; no };
type Options = record {
  // In any order.
  a : vec Choice;
  b : opt nat32; // behind a field
};
service : () -> {
  // What it does: (text) -> ();
  pairs : () -> (vec record { text; Choice }, nat) query;
  ask : (text, opt Options) -> (variant { Ok : record { "text" : text }; Err : Choice });
}
`;

describe('a Candid file written by people', () => {
  it('says the same as what Azle makes of the class, whatever names, order and comments it has', () => {
    expect(new Map([...parseDid(written)].sort())).toEqual(new Map([...parseDid(azle)].sort()));
    expect(() => checkMethods('a.did', written, azle)).not.toThrow();
  });

  it.each([
    [
      'a method without a class',
      written.replace('  ask', '  other : () -> ();\n  ask'),
      azle,
      'the method other, got none; write it',
    ],
    [
      'a method that only the class has',
      written,
      azle.replace('pairs', 'more: () -> ();\n pairs'),
      'the method more in it',
    ],
    ['another argument', written, azle.replace('(text, opt', '(nat, opt'), 'expected ask : text,opt record'],
    ['another result', written, azle.replace(', nat) query', ', int) query'), 'expected pairs : '],
    ['another kind of call', written, azle.replace(' query', ''), 'expected pairs : '],
    ['a field more', written, azle.replace('{b:opt', '{c:opt nat; b:opt'), 'expected ask : '],
  ])('is held against the class: %s', (_, did, made, message) => {
    expect(() => checkMethods('a.did', did, made)).toThrow(message);
  });
});

it('refuses what is not in that form', () => {
  expect(() => parseDid('service: (nat) -> {}')).toThrow(/^did: expected \) at token \d+, got nat$/);
});
