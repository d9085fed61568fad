/**
 * Hash trees, against the interface specification's worked example, its lookup and the agent's hashing. The agent's own
 * lookup is no judge of absence: it takes [0, 1] to be greater than [3, 0] (agent 3.4.3, `isBufferGreaterThan`).
 */
import { type HashTree as AgentTree, reconstruct } from '@dfinity/agent';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bytes,
  EMPTY,
  type HashTree,
  leaf,
  node,
  rootHash,
  sha256,
  witness,
} from '../../src/certification/hash-tree.ts';

const hex = (value: Uint8Array) => Buffer.from(value).toString('hex');
const path = (text: string) => text.split('/').map(bytes);

/** The example tree of the specification, "Certification", in its own shape. */
const fork = (left: HashTree, right: HashTree): HashTree => [1, left, right];
const labeled = (label: string, tree: HashTree): HashTree => [2, bytes(label), tree];
const EXAMPLE = fork(
  fork(
    labeled('a', fork(fork(labeled('x', leaf('hello')), EMPTY), labeled('y', leaf('world')))),
    labeled('b', leaf('good')),
  ),
  fork(labeled('c', EMPTY), labeled('d', leaf('morning'))),
);

describe('rootHash', () => {
  test('is the one the specification gives for its example', () => {
    expect(hex(rootHash(EXAMPLE))).toBe('eb5c5b2195e62d996b84c9bcc8259d19a83786a2f59e0878cec84c811f669aa0');
  });

  test('of a leaf is worked out by hand', () => {
    expect(rootHash(leaf('hi'))).toEqual(sha256(Uint8Array.of(16), bytes('ic-hashtree-leafhi')));
  });
});

describe('node', () => {
  test('sorts children by label, bytewise, shorter first', () => {
    const tree = node([
      ['b', leaf('2')],
      [Uint8Array.of(0xff), leaf('4')],
      ['a', leaf('0')],
      ['aa', leaf('1')],
    ]);
    expect(labels(tree).map((label) => Buffer.from(label).toString('latin1'))).toEqual(['a', 'aa', 'b', 'ÿ']);
  });

  test('without children is empty', () => {
    expect(node([])).toEqual(EMPTY);
  });
});

describe('witness', () => {
  test('shows what lies below a path and prunes the rest', () => {
    const a = node([
      ['x', leaf('hello')],
      ['y', leaf('world')],
    ]);
    const tree = node([
      ['a', a],
      ['b', leaf('good')],
      ['d', leaf('morning')],
    ]);
    const shown = witness(tree, [path('a/y')]);
    expect(rootHash(shown)).toEqual(rootHash(tree));
    expect(lookup(shown, path('a/y'))).toBe('world');
    expect(lookup(shown, path('a/x'))).toBe('Unknown');
    expect(lookup(shown, path('d'))).toBe('Unknown');
    expect(JSON.stringify(shown)).not.toContain(JSON.stringify(bytes('hello')));
  });

  test('shows the labels on both sides of a path that does not exist', () => {
    const tree = node(['aa', 'cc', 'ee', 'gg'].map((label) => [label, leaf(label)]));
    const shown = witness(tree, [path('dd')]);
    expect(labels(shown).map((label) => Buffer.from(label).toString())).toEqual(['cc', 'ee']);
    expect(lookup(shown, path('dd'))).toBe('Absent');
    expect(lookup(shown, path('cc'))).toBe('Unknown');
  });

  test('keeps the root hash and answers every path it was asked for, in random trees', async () => {
    const label = fc.uint8Array({ minLength: 1, maxLength: 2, max: 7 });
    const layer = (below: fc.Arbitrary<HashTree>): fc.Arbitrary<HashTree> =>
      fc
        .uniqueArray(fc.tuple(label, below), { maxLength: 12, selector: ([name]) => hex(name) })
        .map((children) => node(children));
    const tree = layer(layer(fc.uint8Array().map((contents) => leaf(contents))));
    const paths = fc.array(fc.array(label, { minLength: 1, maxLength: 2 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(tree, paths, async (whole, asked) => {
        const shown = witness(whole, asked);
        expect(hex(await reconstruct(shown as AgentTree))).toBe(hex(rootHash(whole)));
        for (const one of asked) expect(lookup(shown, one)).toEqual(lookup(whole, one));
      }),
      { numRuns: 500 },
    );
  });
});

/** The text at a path, or why there is none. Specification, "Lookup". */
function lookup(tree: HashTree, at: Uint8Array[]): string {
  const [label, ...further] = at;
  if (label === undefined)
    return tree[0] === 3 ? Buffer.from(tree[1]).toString() : ['Absent', 'Error', 'Error', '', 'Unknown'][tree[0]]!;
  const found = find(tree, label);
  return typeof found === 'string' ? found : lookup(found, further);
}

function find(tree: HashTree, label: Uint8Array): HashTree | 'Absent' | 'Unknown' {
  const level = flatten(tree);
  const at = level.findIndex((one) => one[0] === 2 && Buffer.compare(one[1], label) >= 0);
  const next = level[at];
  if (next?.[0] === 2 && Buffer.compare(next[1], label) === 0) return next[2];
  const before = level[(at < 0 ? level.length : at) - 1];
  return before?.[0] === 4 ? 'Unknown' : 'Absent';
}

/** A level of the tree without its forks. */
function flatten(tree: HashTree): HashTree[] {
  return tree[0] === 1 ? [...flatten(tree[1]), ...flatten(tree[2])] : [tree];
}

/** The labels of a tree's first level that are shown. */
function labels(tree: HashTree): Uint8Array[] {
  return flatten(tree).flatMap((one) => (one[0] === 2 ? [one[1]] : []));
}
