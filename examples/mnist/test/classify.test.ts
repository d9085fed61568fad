/** `classify` on the replica, against the digits that training never saw. `npm test` builds the canister first. */
import { nodeUnit } from 'stepwise-tensor/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digits } from '../net.ts';
import { plainDigits } from '../plain.ts';
import { install, noArguments, wasm } from './canister.ts';
import { heldOut, likeliest } from './held-out.ts';

let canister: Awaited<ReturnType<typeof install>>;
beforeAll(async () => {
  canister = await install();
}, 120_000);
afterAll(() => canister.replica.close());

const probabilities = async (...call: Parameters<typeof canister.classify>): Promise<number[]> => {
  const answer = await canister.classify(...call);
  if ('Err' in answer) throw new Error(answer.Err);
  return Array.from(answer.Ok);
};

describe('classify', () => {
  it('is right for at least 97% of the held-out digits', { timeout: 300_000 }, async () => {
    let right = 0;
    for (const { digit, pixels } of heldOut) right += likeliest(await probabilities(pixels)) === digit ? 1 : 0;
    expect(heldOut.length).toBe(1996);
    expect(right / heldOut.length).toBeGreaterThanOrEqual(0.97);
    // the seed is training's; another right count is another net or other kernels
    expect(right).toBe(1976);
  });

  it('says the same as a query, as an update, and in Node, to the bit', async () => {
    const net = digits(nodeUnit());
    for (const { pixels } of heldOut.filter((_, i) => i % 400 === 0)) {
      const here = Array.from(net.run(pixels));
      expect(await probabilities(pixels)).toEqual(here);
      expect(await probabilities(pixels, 'update')).toEqual(here);
    }
  });

  it('comes close to the net in plain TypeScript, in float32', () => {
    const [plain, float32, int8] = [plainDigits(), digits(nodeUnit(), 'float32'), digits(nodeUnit())];
    for (const { pixels } of heldOut.filter((_, i) => i % 100 === 0)) {
      const exact = plain(pixels);
      exact.forEach((p, digit) => {
        expect(Math.abs(float32.run(pixels)[digit]! - p)).toBeLessThan(1e-5);
        expect(Math.abs(int8.run(pixels)[digit]! - p)).toBeLessThan(0.05);
      });
    }
  });

  it('gives ten probabilities', async () => {
    for (const pixels of [heldOut[7]!.pixels, new Uint8Array(784), new Uint8Array(784).fill(255)]) {
      const made = await probabilities(pixels);
      expect(made.length).toBe(10);
      for (const p of made) expect(p >= 0 && p <= 1).toBe(true);
      expect(made.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    }
  });

  it.each([0, 1, 783, 785, 28, 100_000])('refuses %i grey values in words, query and update', async (length) => {
    const wrong = { Err: `classify: expected 784 grey values, 28 rows of 28, got ${length}` };
    expect(await canister.classify(new Uint8Array(length))).toEqual(wrong);
    expect(await canister.classify(new Uint8Array(length), 'update')).toEqual(wrong);
  });

  it('takes few instructions', async () => {
    await canister.classify(heldOut[0]!.pixels);
    const { instructions } = canister.replica.messages.at(-1)!;
    // the net in plain TypeScript takes 2,100 M
    expect(instructions.total).toBeLessThan(15_000_000);
  });

  it('goes on after an upgrade', async () => {
    const { replica, canisterId } = canister;
    const before = await probabilities(heldOut[3]!.pixels);
    await replica.installCode({ canisterId, wasm: wasm(), arg: noArguments, mode: 'upgrade' });
    expect(await probabilities(heldOut[3]!.pixels)).toEqual(before);
  });
});
