/**
 * Calls to the management canister with arguments that are nearly right: a reply or a reject each time, and the replica
 * goes on.
 */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultSettings } from '../src/canister.ts';
import { RejectError, Replica } from '../src/index.ts';
import { managementTypes } from '../src/management/idl.ts';
import { programmable } from './programmable.ts';

const management = Principal.managementCanister();
const alice = Principal.selfAuthenticating(Uint8Array.of(1));
const methods = [
  ...Object.keys(managementTypes),
  'http_request',
  'take_canister_snapshot',
  'toString',
  '__proto__',
  '',
];

/** A change of one place of some bytes, or of their end. */
const mutation = fc.record({
  how: fc.constantFrom(...Array<'none'>(8).fill('none'), 'flip', 'insert', 'cut', 'repeat'),
  at: fc.nat(),
  byte: fc.nat({ max: 255 }),
});
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

function mutate(bytes: Uint8Array, { how, at, byte }: Mutation): Uint8Array {
  const place = bytes.length === 0 ? 0 : at % bytes.length;
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  if (how === 'flip') return Uint8Array.from(bytes, (value, i) => (i === place ? value ^ (byte || 1) : value));
  if (how === 'insert') return new Uint8Array(Buffer.concat([before, Uint8Array.of(byte), after]));
  if (how === 'cut') return before.slice();
  if (how === 'repeat') return new Uint8Array(Buffer.concat([before, after, after]));
  return bytes;
}

test('each call has an answer', async () => {
  const replica = new Replica({ autoTick: false });
  const { canisterId } = replica.createCanister({ controllers: [alice] });
  const anyOf = (type: IDL.Type, pick: (n: number) => number): unknown => {
    if (type instanceof IDL.RecordClass || type instanceof IDL.VariantClass) {
      const fields = (type as unknown as { _fields: [string, IDL.Type][] })._fields;
      const chosen = type instanceof IDL.RecordClass ? fields : [fields[pick(fields.length)]!];
      return Object.fromEntries(chosen.map(([name, of]) => [name, anyOf(of, pick)]));
    }
    const { _type } = type as unknown as { _type: IDL.Type };
    if (type instanceof IDL.OptClass) return pick(3) === 0 ? [anyOf(_type, pick)] : [];
    if (type instanceof IDL.VecClass)
      return _type instanceof IDL.FixedNatClass
        ? [new Uint8Array(0), programmable, Uint8Array.of(0x1f, 0x8b, 8, 0)][pick(3)]
        : Array.from({ length: pick(3) }, () => anyOf(_type, pick));
    if (type instanceof IDL.PrincipalClass)
      return [alice, management, Principal.fromHex('00000000000000990101')][pick(20)] ?? canisterId;
    if (type instanceof IDL.TextClass) return ['', 'candid:service', 'é'][pick(3)];
    if (type instanceof IDL.BoolClass) return pick(2) === 0;
    if (type instanceof IDL.NullClass) return null;
    if (type instanceof IDL.FloatClass) return [0, -1.5, Number.NaN][pick(3)];
    if (type instanceof IDL.FixedIntClass) return [0, 1, -1][pick(3)];
    return [0n, 1n, 5_000n, 2n ** 63n, 2n ** 64n - 1n][pick(5)];
  };
  const ended = { replied: 0, rejected: 0 };
  const call = async (method: string, picks: number[], change: Mutation, ask: 'updateCall' | 'queryCall') => {
    let next = 0;
    const pick = (n: number) => picks[next++ % picks.length]! % n;
    const types = managementTypes[method]?.arg ?? [];
    const arg = mutate(
      new Uint8Array(
        IDL.encode(
          types,
          types.map((type) => anyOf(type, pick)),
        ),
      ),
      change,
    );
    try {
      await replica[ask]({ canisterId: management, method, arg, sender: alice });
      ended.replied++;
    } catch (error) {
      if (!(error instanceof RejectError)) throw error;
      expect(error.rejectMessage).not.toBe('');
      ended.rejected++;
    }
    const target = replica.canister(canisterId);
    if (target) Object.assign(target, { status: 'running', cycles: 10n ** 14n });
    else replica.createCanister({ specifiedId: canisterId, controllers: [alice] });
    // A freezing threshold or an allocation at random would have every later call refused.
    replica.canister(canisterId)!.settings = defaultSettings([alice]);
  };
  const asks = ['updateCall', 'updateCall', 'updateCall', 'queryCall'] as const;
  const picks = fc.array(fc.nat({ max: 59 }), { minLength: 30, maxLength: 60 });
  await fc.assert(fc.asyncProperty(fc.constantFrom(...methods), picks, mutation, fc.constantFrom(...asks), call), {
    numRuns: 800,
  });
  const ledger = Principal.fromText('um5iw-rqaaa-aaaaq-qaaba-cai');
  for (const method of ['toString', '__proto__', 'constructor', ''])
    for (const ask of ['updateCall', 'queryCall'] as const)
      await expect(replica[ask]({ canisterId: ledger, method, arg: new Uint8Array(0) })).rejects.toThrow(RejectError);
  console.log(`calls to the management canister: ${ended.replied} replied, ${ended.rejected} rejected`);
  expect(ended.replied).toBeGreaterThan(10);
});
