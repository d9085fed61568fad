/** Replies as the canister encodes them are what the library encodes, whatever is in them. */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import fc, { type Arbitrary } from 'fast-check';
import { expect, it } from 'vitest';
import { candidEncoder, openEncoder } from '../../src/canister/candid/candid-encoder.ts';
import { idlService as service } from '../../src/interface/llm.did.ts';

const text = fc.string({ unit: 'binary', maxLength: 60 });

/** Any value of a type that methods give. */
function anyOf(type: IDL.Type): Arbitrary<unknown> {
  if (type instanceof IDL.TextClass) return text;
  if (type instanceof IDL.BoolClass) return fc.boolean();
  if (type instanceof IDL.NullClass) return fc.constant(null);
  if (type instanceof IDL.FloatClass) return fc.double({ noNaN: true });
  if (type instanceof IDL.PrincipalClass)
    return fc.uint8Array({ maxLength: 29 }).map((bytes) => Principal.fromUint8Array(bytes));
  if (type instanceof IDL.FixedNatClass)
    return type._bits === 64
      ? fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
      : fc.nat(Math.min(2 ** type._bits - 1, 2 ** 31 - 1));
  if (type instanceof IDL.NatClass) return fc.bigInt({ min: 0n, max: 2n ** 100n });
  if (type instanceof IDL.OptClass) return fc.array(anyOf(type._type), { maxLength: 1 });
  if (type instanceof IDL.VecClass) {
    const list = fc.array(anyOf(type._type), { maxLength: 5 });
    const of = type._type;
    if (!(of instanceof IDL.FixedNatClass) || of._bits === 64) return list;
    const all = list.map((values) => (of._bits === 8 ? Uint8Array : Uint32Array).from(values as number[]));
    // a window of something longer, too
    return fc.oneof(
      all,
      all.map((array) => array.subarray(1)),
      list,
    );
  }
  const fields = (type as IDL.RecordClass | IDL.VariantClass)._fields;
  if (type instanceof IDL.TupleClass) return fc.tuple(...fields.map(([, of]) => anyOf(of)));
  if (type instanceof IDL.RecordClass)
    return fc.record(Object.fromEntries(fields.map(([name, of]) => [name, anyOf(of)])), { noNullPrototype: true });
  return fc.oneof(...fields.map(([name, of]) => anyOf(of).map((value) => ({ [name]: value }))));
}

const results = new Map(
  service._fields.flatMap(([name, { retTypes }]) => (retTypes[0] ? [[name, retTypes[0] as IDL.Type] as const] : [])),
);
const decoded = (type: IDL.Type, bytes: Uint8Array): unknown => IDL.decode([type], bytes)[0];

it.each([...results])('replies of %s', (_, type) => {
  const encode = candidEncoder(type);
  const property = fc.property(anyOf(type), (value) => {
    expect(decoded(type, encode(value))).toEqual(decoded(type, new Uint8Array(IDL.encode([type], [value]))));
  });
  fc.assert(property, { seed: 13, numRuns: 30 });
});

it('tells where numbers are', () => {
  const type = results.get('generate') as IDL.VariantClass;
  const encode = openEncoder(type, 'Ok', ['instructions', 'cycles']);
  const property = fc.property(anyOf(type), (value) => {
    const { bytes, places } = encode(value);
    expect(decoded(type, bytes)).toEqual(decoded(type, new Uint8Array(IDL.encode([type], [value]))));
    const { Ok } = value as { Ok?: { instructions: bigint; cycles: bigint } };
    const view = new DataView(bytes.buffer);
    expect(places.map((at) => view.getBigUint64(at, true))).toEqual(Ok ? [Ok.instructions, Ok.cycles] : []);
  });
  fc.assert(property, { seed: 13, numRuns: 100 });
});
