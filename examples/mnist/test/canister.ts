/** The canister as `npm run build` made it, on a replica in this process. */
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { Replica } from 'stepwise-replica';

export const Answer = IDL.Variant({ Ok: IDL.Vec(IDL.Float32), Err: IDL.Text });
export type Answer = { Ok: number[] } | { Err: string };

export const noArguments = new Uint8Array(IDL.encode([], []));
export const wasm = (): Uint8Array => readFileSync('build/mnist.wasm.gz');

export async function install() {
  const replica = new Replica();
  const { canisterId } = replica.createCanister();
  await replica.installCode({ canisterId, wasm: wasm(), arg: noArguments });
  /** `update`: the same method through consensus. */
  const classify = async (pixels: Uint8Array | number[], how: 'query' | 'update' = 'query'): Promise<Answer> => {
    const call = { canisterId, method: 'classify', arg: new Uint8Array(IDL.encode([IDL.Vec(IDL.Nat8)], [pixels])) };
    const reply = await (how === 'query' ? replica.queryCall(call) : replica.updateCall(call));
    return IDL.decode([Answer], reply)[0] as unknown as Answer;
  };
  return { replica, canisterId, classify };
}
