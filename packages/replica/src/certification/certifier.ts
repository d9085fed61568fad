/**
 * Certificates over the core's state. A BLS signature costs some 15 ms, so it is made for a state, not for a request:
 * whoever asks while one is due shares it, and a state that has not changed keeps its signature for a second.
 * Source: interface specification, "Certificate".
 */
import type { Principal } from '@dfinity/principal';
import type { Core } from '../types.ts';
import type { Authority } from './authority.ts';
import { encode } from './cbor.ts';
import { leb128 } from './hash-of-map.ts';
import { bytes, type HashTree, leaf, node, type Path, rootHash, witness } from './hash-tree.ts';
import { StateTree } from './state-tree.ts';

/** How long an unchanged state keeps its `/time`, in nanoseconds. Clients take up to five minutes. */
const MAX_AGE = 1_000_000_000n;

interface CertifiedState {
  time: bigint;
  /** Root hash of the state without `/time`. */
  stateHash: Uint8Array;
  tree: HashTree;
  signature: Uint8Array;
}

export class Certifier {
  readonly #core: Core;
  readonly #authority: Authority;
  readonly #state: StateTree;
  #latest: CertifiedState | undefined;
  #next: Promise<CertifiedState> | undefined;
  /** When the last signature was ready, and how long it took; milliseconds. */
  #signedAt = 0;
  #signingTook = 0;

  constructor(core: Core, authority: Authority) {
    this.#core = core;
    this.#authority = authority;
    this.#state = new StateTree(core, authority);
  }

  /** A certificate of the state as it is now or a moment later, that shows `/time` and what lies below `paths`. */
  async certificate(paths: readonly Path[]): Promise<Uint8Array> {
    this.#next ??= this.#certifyNext();
    return certificateOf(await this.#next, paths);
  }

  /** The certificate a canister gets in a query, see `Core.dataCertificate`: it cannot wait, so it may sign at once. */
  dataCertificate(canisterId: Principal): Uint8Array {
    const path = [bytes('canister'), canisterId.toUint8Array(), bytes('certified_data')];
    return certificateOf(this.#certify(), [path]);
  }

  /**
   * Waits for the requests that come in the same turn, and after a signature for as long again as it took: under load
   * at least half of the time goes to executing, and one signature serves all that has ended meanwhile.
   */
  async #certifyNext(): Promise<CertifiedState> {
    const pause = this.#signedAt + this.#signingTook - performance.now();
    await new Promise((resolve) => (pause > 1 ? setTimeout(resolve, pause) : setImmediate(resolve)));
    this.#next = undefined;
    return this.#certify();
  }

  #certify(): CertifiedState {
    const time = this.#core.time();
    const state = this.#state.children();
    const stateHash = rootHash(node(state));
    const latest = this.#latest;
    if (latest !== undefined && Buffer.compare(latest.stateHash, stateHash) === 0) {
      const age = time - latest.time;
      if (age >= 0n && age <= MAX_AGE) return latest;
    }
    const began = performance.now();
    const tree = node([...state, ['time', leaf(leb128(time))]]);
    const signature = this.#authority.signStateRoot(rootHash(tree));
    this.#signedAt = performance.now();
    this.#signingTook = this.#signedAt - began;
    this.#latest = { time, stateHash, tree, signature };
    return this.#latest;
  }
}

function certificateOf({ tree, signature }: CertifiedState, paths: readonly Path[]): Uint8Array {
  return encode({ tree: witness(tree, [...paths, [bytes('time')]]), signature });
}
