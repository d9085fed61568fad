/** A node in parts: the same labels and answers as a plain one, whatever changes between two of its trees. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EMPTY, type HashTree, leaf, node, rootHash, witness } from '../../src/certification/hash-tree.ts';
import { LargeNode } from '../../src/certification/large-node.ts';

/** Labels and leaves in order, as a certificate shows them. */
function listed(tree: HashTree): string[] {
  if (tree[0] === 1) return [...listed(tree[1]), ...listed(tree[2])];
  return tree[0] === 2 ? [`${Buffer.from(tree[1]).toString('hex')}=${listed(tree[2])}`] : [JSON.stringify(tree)];
}

test('follows children that come, change and go', () => {
  const id = fc.uint8Array({ minLength: 2, maxLength: 2 });
  const contents = fc.uint8Array({ maxLength: 2 });
  const state = fc.uniqueArray(fc.tuple(id, contents), { maxLength: 60, selector: ([label]) => String(label) });
  fc.assert(
    fc.property(fc.array(state, { minLength: 1, maxLength: 5 }), (states) => {
      const large = new LargeNode();
      const leaves = new Map<string, HashTree>();
      for (const children of states) {
        const trees = children.map(([label, value]) => {
          const key = String(value);
          const tree = leaves.get(key) ?? leaf(value);
          leaves.set(key, tree);
          return [label, tree] as const;
        });
        const tree = large.withChildren(trees);
        expect(listed(tree)).toEqual(listed(node(trees)));
        const asked = trees.slice(0, 3).map(([label]) => [label]);
        expect(rootHash(witness(tree, asked))).toEqual(rootHash(tree));
      }
    }),
  );
});

test('keeps the parts that did not change', () => {
  const large = new LargeNode();
  const one = [Uint8Array.of(1, 1), leaf('one')] as const;
  const two = [Uint8Array.of(2, 2), leaf('two')] as const;
  const before = large.withChildren([one, two]);
  const after = large.withChildren([one, [two[0], leaf('changed')]]);
  expect(after[1]).toBe(before[1]);
  expect(after[2]).not.toBe(before[2]);
});

test('without children is empty', () => {
  expect(new LargeNode().withChildren([])).toEqual(EMPTY);
});
