/**
 * A node with thousands of children, few of which change from one certificate to the next: it keeps its children in 256
 * parts, by the first byte of their labels, and rebuilds and rehashes the parts that changed. Not for labels that share
 * their first byte, as canister ids do; request ids are hashes.
 */
import { type HashTree, join, node } from './hash-tree.ts';

type Child = readonly [label: Uint8Array, HashTree];

export class LargeNode {
  readonly #parts: { children: Child[]; tree: HashTree }[] = [];

  /** The node with these children: the same tree as `node` would give, but for where its forks are. */
  withChildren(children: Iterable<Child>): HashTree {
    const parts: Child[][] = Array.from({ length: 256 }, () => []);
    for (const child of children) parts[child[0][0]!]!.push(child);
    const trees = parts.map((part, at) => {
      if (!same(part, this.#parts[at]?.children)) this.#parts[at] = { children: part, tree: node(part) };
      return this.#parts[at]!.tree;
    });
    return join(trees.filter((tree) => tree[0] !== 0));
  }
}

/** Whether two parts are alike; a child's tree is the same object for as long as the child does not change. */
function same(part: Child[], before: Child[] | undefined): boolean {
  if (part.length !== before?.length) return false;
  return part.every(([label, tree], at) => tree === before[at]![1] && Buffer.compare(label, before[at]![0]) === 0);
}
