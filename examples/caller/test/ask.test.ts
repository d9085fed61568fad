/**
 * The caller beside a stand-in for the model's canister, on a replica in this process. `npm test` builds both first.
 */
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { Replica } from 'stepwise-replica';
import { afterAll, beforeAll, expect, it } from 'vitest';

const Answer = IDL.Variant({ Ok: IDL.Text, Err: IDL.Text });
const replica = new Replica();
let caller: ReturnType<Replica['createCanister']>['canisterId'];

async function install(name: string, arg: ArrayBuffer | Uint8Array) {
  const { canisterId } = replica.createCanister();
  await replica.installCode({ canisterId, wasm: readFileSync(`build/${name}.wasm.gz`), arg: new Uint8Array(arg) });
  return canisterId;
}
beforeAll(async () => {
  const llm = await install('stand-in', IDL.encode([], []));
  caller = await install('caller', IDL.encode([IDL.Opt(IDL.Principal)], [[llm]]));
});
afterAll(() => replica.close());

async function ask(prompt: string): Promise<unknown> {
  const arg = new Uint8Array(IDL.encode([IDL.Text], [prompt]));
  return IDL.decode([Answer], await replica.updateCall({ canisterId: caller, method: 'ask', arg }))[0];
}
async function spent(): Promise<unknown> {
  const arg = new Uint8Array(IDL.encode([], []));
  return IDL.decode([IDL.Nat], await replica.queryCall({ canisterId: caller, method: 'spent', arg }))[0];
}

it('hands on the text', async () => {
  expect(await ask('say hello')).toEqual({ Ok: 'hello' });
  expect(await spent()).toBe(0n);
});

it('pays what is asked for, and counts what was kept', async () => {
  expect(await ask('charge hello')).toEqual({ Ok: 'hello' });
  expect(await spent()).toBe(2_500_000_000n);
});

it('goes on with an answer that broke off', async () => {
  expect(await ask('break here')).toEqual({ Ok: 'here, gone on with' });
});

it('says why there is no answer', async () => {
  expect(await ask('busy')).toEqual({
    Err: 'busy, try again later: generate: expected room in the queue; try again later',
  });
  expect(await ask('trap')).toEqual({ Err: expect.stringMatching(/^ask: .*the model is no more/s) });
});
