/**
 * Hash trees: how the Internet Computer certifies its state, and how a part of it is shown without the rest.
 * A tree is plain data in the shape it has in CBOR; its hash is computed once for each node and remembered beside it,
 * so a node must not be changed after it was built. No lookup here: reading certificates is the client's side.
 * Source: interface specification, "Certification" (encoding of hash trees, `reconstruct`, witnesses of absence).
 */
import { hash } from 'node:crypto';

export type HashTree =
  | readonly [0]
  | readonly [1, HashTree, HashTree]
  | readonly [2, label: Uint8Array, HashTree]
  | readonly [3, contents: Uint8Array]
  | readonly [4, hash: Uint8Array];

/** A path from the root: one label a step. */
export type Path = readonly Uint8Array[];

const utf8 = new TextEncoder();
const hashes = new WeakMap<HashTree, Uint8Array>();

const domain = (name: string) => Uint8Array.of(name.length, ...utf8.encode(name));
const FORK = domain('ic-hashtree-fork');
const LABELED = domain('ic-hashtree-labeled');
const LEAF = domain('ic-hashtree-leaf');

export const EMPTY: HashTree = [0];
const EMPTY_HASH = sha256(domain('ic-hashtree-empty'));

/** SHA-256 of the concatenation of `parts`, 32 bytes. */
export function sha256(...parts: Uint8Array[]): Uint8Array {
  return hash('sha256', parts.length === 1 ? parts[0]! : Buffer.concat(parts), 'buffer');
}

/** A label or a leaf's contents from text. */
export function bytes(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? utf8.encode(value) : value;
}

export function leaf(contents: string | Uint8Array): HashTree {
  return [3, bytes(contents)];
}

/** A node with the given children, sorted by label and joined by a balanced tree of forks. Labels must differ. */
export function node(children: Iterable<readonly [label: string | Uint8Array, HashTree]>): HashTree {
  const sorted = Array.from(children, ([label, tree]): HashTree => [2, bytes(label), tree]);
  sorted.sort((a, b) => Buffer.compare(a[1] as Uint8Array, b[1] as Uint8Array));
  return join(sorted);
}

/** Trees whose labels follow each other, joined by a balanced tree of forks. */
export function join(trees: readonly HashTree[], from = 0, to = trees.length): HashTree {
  if (to - from <= 1) return trees[from] ?? EMPTY;
  const middle = (from + to + 1) >> 1;
  return [1, join(trees, from, middle), join(trees, middle, to)];
}

/** The root hash of a tree, 32 bytes; a pruned tree has the hash of the whole one. */
export function rootHash(tree: HashTree): Uint8Array {
  if (tree[0] === 0) return EMPTY_HASH;
  if (tree[0] === 4) return tree[1];
  let known = hashes.get(tree);
  if (known === undefined) {
    if (tree[0] === 1) known = sha256(FORK, rootHash(tree[1]), rootHash(tree[2]));
    else if (tree[0] === 2) known = sha256(LABELED, tree[1], rootHash(tree[2]));
    else known = sha256(LEAF, tree[1]);
    hashes.set(tree, known);
  }
  return known;
}

/**
 * A tree that `node` built, with everything pruned but what the paths ask for: all that lies below each path, and where
 * a path does not exist, the labels on both sides of the gap, so that its absence can be told.
 */
export function witness(tree: HashTree, paths: readonly Path[]): HashTree {
  if (tree[0] === 0 || tree[0] === 4) return tree;
  if (paths.some((path) => path.length === 0)) return tree;
  if (paths.length === 0) return [4, rootHash(tree)];
  if (tree[0] === 3) return tree;
  if (tree[0] === 2) {
    const below = paths.filter(([label]) => Buffer.compare(label!, tree[1]) === 0).map((path) => path.slice(1));
    return [2, tree[1], witness(tree[2], below)];
  }
  const [, left, right] = tree;
  const end = edgeLabel(left, 2);
  const start = edgeLabel(right, 1);
  // A label in the gap between the two sides is sent to both: each shows its label next to the gap.
  const toLeft = paths.filter(([label]) => Buffer.compare(label!, start) < 0);
  const toRight = paths.filter(([label]) => Buffer.compare(label!, end) > 0);
  return [1, witness(left, toLeft), witness(right, toRight)];
}

/** The first (side 1) or last (side 2) label of a node. */
function edgeLabel(tree: HashTree, side: 1 | 2): Uint8Array {
  let at = tree;
  while (at[0] === 1) at = at[side];
  return at[1] as Uint8Array;
}
