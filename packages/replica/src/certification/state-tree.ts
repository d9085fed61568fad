/**
 * The system state tree of the core, as far as a subnet of one node that is its own root has one.
 * Left out: `/api_boundary_nodes`, `/subnet/<id>/metrics` and the streams between subnets.
 * Source: interface specification, "The system state tree".
 */
import { Principal } from '@dfinity/principal';
import type { CanisterInfo, Core, RequestStatus } from '../types.ts';
import type { Authority } from './authority.ts';
import { encode } from './cbor.ts';
import { leb128 } from './hash-of-map.ts';
import { type HashTree, leaf, node } from './hash-tree.ts';
import { LargeNode } from './large-node.ts';

/** The ids the subnet answers for: all that canisters can have. */
export const CANISTER_RANGE = [
  Principal.fromHex('00000000000000000101'),
  Principal.fromHex('ffffffffffffffff0101'),
] as const;

export class StateTree {
  readonly #core: Core;
  readonly #requests = new LargeNode();
  /** What does not change: the keys and the ranges of the subnet. */
  readonly #fixed: [label: string, HashTree][];

  constructor(core: Core, authority: Authority) {
    this.#core = core;
    const subnetId = authority.subnetId.toUint8Array();
    const ranges = leaf(encode([CANISTER_RANGE.map((id) => id.toUint8Array())]));
    const nodes = node([[authority.nodeId.toUint8Array(), node([['public_key', leaf(authority.nodeKey)]])]]);
    const subnet = node([
      ['canister_ranges', ranges],
      ['node', nodes],
      ['public_key', leaf(authority.rootKey)],
      ['type', leaf('application')],
    ]);
    this.#fixed = [
      ['canister_ranges', node([[subnetId, node([[CANISTER_RANGE[0].toUint8Array(), ranges]])]])],
      ['subnet', node([[subnetId, subnet]])],
    ];
  }

  /** The root's children as the core has them now, but for `/time`. */
  children(): [label: string, HashTree][] {
    const canisters = Array.from(
      this.#core.canisters(),
      (info) => [info.canisterId.toUint8Array(), canister(info)] as const,
    );
    const requests = Array.from(this.#core.requestStatuses(), ([id, status]) => [id, requestStatus(status)] as const);
    return [...this.#fixed, ['canister', node(canisters)], ['request_status', this.#requests.withChildren(requests)]];
  }
}

function canister(info: CanisterInfo): HashTree {
  const controllers = leaf(encode(info.controllers.map((id) => id.toUint8Array())));
  if (info.moduleHash === undefined) return node([['controllers', controllers]]);
  return node([
    ['certified_data', leaf(info.certifiedData)],
    ['controllers', controllers],
    ['metadata', node(Array.from(info.metadata, ([name, { content }]) => [name, remembered(content, leaf)]))],
    ['module_hash', leaf(info.moduleHash)],
  ]);
}

function requestStatus(status: RequestStatus): HashTree {
  return remembered(status, () => {
    if (status.status === 'replied') {
      return node([
        ['reply', leaf(status.reply)],
        ['status', leaf('replied')],
      ]);
    }
    if (status.status === 'rejected') {
      return node([
        ['error_code', leaf(status.errorCode)],
        ['reject_code', leaf(leb128(status.rejectCode))],
        ['reject_message', leaf(status.rejectMessage)],
        ['status', leaf('rejected')],
      ]);
    }
    return node([['status', leaf(status.status)]]);
  });
}

const trees = new WeakMap<object, HashTree>();

/** What the core hands out does not change, so replies and metadata are hashed once, however large they are. */
function remembered<T extends object>(source: T, build: (source: T) => HashTree): HashTree {
  let tree = trees.get(source);
  if (tree === undefined) {
    tree = build(source);
    trees.set(source, tree);
  }
  return tree;
}
