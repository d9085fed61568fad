/** A model over several canisters of one replica, cut, uploaded and told of each other as `npm run upload` does. */
import { createHash } from 'node:crypto';
import type { Principal } from '@dfinity/principal';
import type { ReplicaOptions } from '../../packages/replica/src/index.ts';
import type { _SERVICE as Llm } from '../../src/interface/llm.did.ts';
import { cutOf, cutStage } from '../../src/model/pack/cut.ts';
import { decodePackHead, packHeadBytes } from '../../src/model/pack/pack.ts';
import { actor, builtLlm, controller, type Installed, install, ok, upload } from './llm.ts';

export interface Staged extends Installed {
  /** All canisters, the first one first. */
  ids: Principal[];
  stage(index: number, sender?: Principal): Llm;
  upgradeStage(index: number): Promise<void>;
}

/** The packs of the stages of a model. */
export async function cutPack(pack: Uint8Array, stages: number): Promise<Uint8Array[]> {
  const head = decodePackHead(pack.subarray(0, packHeadBytes(pack)), pack.length);
  const parts = cutOf(head, stages);
  const packs: Uint8Array[] = [];
  for (let i = 0; i < stages; i++) {
    let bytes = new Uint8Array(0);
    const write = (at: number, piece: Uint8Array): void => {
      const grown = new Uint8Array(Math.max(bytes.length, at + piece.length));
      grown.set(bytes);
      grown.set(piece, at);
      bytes = grown;
    };
    const read = (at: number, size: number): Uint8Array => pack.subarray(at, at + size);
    await cutStage(head, parts, i, read, { write }, createHash('sha256'));
    packs.push(bytes);
  }
  return packs;
}

export async function installStaged(
  pack: Uint8Array,
  stages = 3,
  replicaOptions: ReplicaOptions = {},
): Promise<Staged> {
  const first = await install(replicaOptions);
  const { replica } = first;
  const { gz } = await builtLlm();
  const ids = [first.canisterId];
  while (ids.length < stages) {
    const { canisterId } = replica.createCanister({ controllers: [controller], cycles: 10n ** 15n });
    await replica.installCode({ canisterId, wasm: gz, sender: controller });
    ids.push(canisterId);
  }
  const stage = (index: number, sender = controller): Llm => actor(replica, ids[index]!, sender);
  for (const [i, bytes] of (await cutPack(pack, stages)).entries()) await upload(stage(i), bytes);
  for (const i of ids.keys()) ok(await stage(i).set_stages(ids));
  return {
    ...first,
    ids,
    stage,
    upgradeStage: (i) => replica.installCode({ canisterId: ids[i]!, wasm: gz, mode: 'upgrade', sender: controller }),
  };
}
