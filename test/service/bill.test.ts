/** Bills: the fees that are on them, and the size of an envelope. */

import { Principal } from '@dfinity/principal';
import { describe, expect, it } from 'vitest';
import { agentEnvelopeBytes } from '../../packages/replica/src/envelope-size.ts';
import { callFees, cyclesOf, envelopeBytes, executed, ingressFees } from '../../src/service/bill.ts';

const canisterId = Principal.fromText('rwlgt-iiaaa-aaaaa-aaaaa-cai');

describe('a bill', () => {
  it('has the base fee of each message beside its instructions', () => {
    expect(cyclesOf(executed(1_000))).toBe(5_001_000);
    expect(cyclesOf(executed(1_000, 3))).toBe(15_001_000);
  });

  it('has a call by the bytes of its method and argument', () => {
    expect(callFees(17)).toBe(277_000);
    expect(callFees(17, 3)).toBe(831_000);
  });

  it.each([0, 1, 23, 24, 145, 255, 256, 5_000, 65_535, 65_536, 100_000])(
    'has the envelope that an agent signs around %i bytes, as the replica counts it',
    (bytes) => {
      for (const methodName of ['generate', 'generate_with', 'start']) {
        const counted = agentEnvelopeBytes({ canisterId, methodName, arg: new Uint8Array(bytes) });
        expect(envelopeBytes(methodName, bytes)).toBe(counted);
      }
    },
  );

  it('has 448 bytes for a `generate` with 145 bytes', () => {
    expect(envelopeBytes('generate', 145)).toBe(448);
    expect(ingressFees(448)).toBe(2_096_000);
  });
});
