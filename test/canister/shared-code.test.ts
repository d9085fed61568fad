/** Code that one thread has compiled is found by the next. */
import { describe, expect, it, vi } from 'vitest';
import { Replica } from '../../packages/replica/src/index.ts';
import { compiledCode } from '../../packages/replica/src/modules.ts';
import keep, { sharingCode } from './shared-code.ts';

const EMPTY_MODULE = new Uint8Array([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

describe('shared code', () => {
  it('is there before the next install, and runs', async () => {
    // this thread plays the main one: what that is given, threads that begin later have
    const stop = keep();
    const install = async (): Promise<void> => {
      const replica = new Replica();
      await replica.installCode({ canisterId: replica.createCanister().canisterId, wasm: EMPTY_MODULE });
    };
    await sharingCode(install);
    const [key, own] = [...compiledCode].at(-1)!;
    await vi.waitFor(async () => {
      compiledCode.clear();
      await sharingCode(async () => expect(compiledCode.has(key)).toBe(true));
    });
    const shared = compiledCode.get(key);
    expect({ ...shared, compiled: undefined }).toEqual({ ...own, compiled: undefined });
    await sharingCode(install);
    expect(compiledCode.get(key)).toBe(shared);
    stop();
  });
});
