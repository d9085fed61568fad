// A trie in one Int32Array, so that following a byte is one read: the pieces of a vocabulary, looked up by prefix.
// Builds only; whoever looks up writes the few lines of the loop inline (see `viterbi.ts`), where they are hot. Idea:
// J. Aoe, An efficient digital search algorithm by using a double-array structure (1989); XOR form as in darts-clone.
//
//   unit  31        10 9   8   7      0     the child of a unit for byte b is   units[(unit >> 10) ^ b],
//         |   base    |mark|key| label |     if its label is b; a slot that is free or holds a value has label 0,
//                                           a byte that keys and texts must not contain.
//   key set: a key ends here, and its value is   units[unit >> 10] >> 8.   mark: what the caller says of that key.

export const LABEL_MASK = 0xff;
export const HAS_VALUE = 0x100;
export const MARK = 0x200;
export const BASE_SHIFT = 10;
export const VALUE_SHIFT = 8;
const MAX_SLOTS = 2 ** (31 - BASE_SHIFT);

/**
 * A key: bytes 1 to 255, at least one; its value in [0, 2^21); the hotter a key, the nearer to the front its units lie.
 */
export interface Key {
  bytes: Uint8Array;
  value: number;
  /** Any number; larger is hotter. Likely keys then share few memory pages, and a page's first touch is dear. */
  heat: number;
}

/**
 * Builds the units; unit 0 is the root.
 * @throws RangeError if two keys are equal or the keys need more than 2^21 units.
 */
export function buildDoubleArray(keys: Key[]): Int32Array<ArrayBuffer> {
  const nodes = buildNodes(keys);
  // A parent is at least as hot as its children and comes before them, so it has its slot when they ask for theirs.
  nodes.sort((a, b) => b.heat - a.heat || a.order - b.order);

  const slots = new Slots();
  let units = new Int32Array(1024);
  for (const node of nodes) {
    if (node.children.length === 0 && node.value < 0) continue; // only the root of no keys
    const labels = node.children.map((child) => child.label);
    const base = slots.place(node.value >= 0 ? [0, ...labels] : labels);
    if (slots.length > units.length) {
      const larger = new Int32Array(Math.max(slots.length, units.length * 2));
      larger.set(units);
      units = larger;
    }
    units[node.slot] = (base << BASE_SHIFT) | (node.value >= 0 ? HAS_VALUE : 0) | node.label;
    if (node.value >= 0) units[base] = node.value << VALUE_SHIFT;
    for (const child of node.children) child.slot = base ^ child.label;
  }
  return units.slice(0, Math.max(slots.length, 256));
}

interface Node {
  label: number;
  children: Node[];
  /** Value of the key that ends here, -1 if none does. */
  value: number;
  heat: number;
  order: number;
  slot: number;
}

/** The plain trie of the keys, as a list in which parents stand before children; the root first, in slot 0. */
function buildNodes(keys: Key[]): Node[] {
  const nodes: Node[] = [];
  const add = (label: number, heat: number): Node => {
    const node: Node = { label, children: [], value: -1, heat, order: nodes.length, slot: 0 };
    nodes.push(node);
    return node;
  };
  const root = add(0, Number.POSITIVE_INFINITY);
  for (const key of [...keys].sort((a, b) => compareBytes(a.bytes, b.bytes))) {
    let node = root;
    for (const byte of key.bytes) {
      // Keys come sorted: a byte that is there already is the last one added.
      const last = node.children.at(-1);
      const child = last?.label === byte ? last : add(byte, key.heat);
      if (child !== last) node.children.push(child);
      child.heat = Math.max(child.heat, key.heat);
      node = child;
    }
    if (node.value >= 0) throw new RangeError(`double array: expected keys that differ, got one twice: ${node.value}`);
    node.value = key.value;
  }
  return nodes;
}

/** Which slots are taken; finds the first base at which a set of labels fits. */
class Slots {
  /** Slots in use, a multiple of 256 so that no label leads out of the array. */
  length = 0;
  /** The slot itself if it is free, else a later one, from which to look on. */
  private freeFrom = Int32Array.from({ length: 1024 }, (_, slot) => slot);
  private usedBase = new Uint8Array(1024);

  constructor() {
    this.freeFrom[0] = 1;
  }

  place(labels: number[]): number {
    const last = labels.length - 1;
    for (let slot = this.nextFree(1); slot < MAX_SLOTS; slot = this.nextFree(slot + 1)) {
      const base = slot ^ labels[last]!;
      // Two parents with one base could take each other's children for their own: labels alone tell them apart.
      if (this.usedBase[base]) continue;
      this.reserve((base | 255) + 1);
      let fits = true;
      for (let i = 0; fits && i < last; i++) fits = this.isFree(base ^ labels[i]!);
      if (!fits) continue;
      this.usedBase[base] = 1;
      for (const label of labels) this.freeFrom[base ^ label] = (base ^ label) + 1;
      this.length = Math.max(this.length, (base | 255) + 1);
      return base;
    }
    throw new RangeError(`double array: expected keys that fit ${MAX_SLOTS} units, got more`);
  }

  private isFree(slot: number): boolean {
    return this.freeFrom[slot] === slot;
  }

  /** The first free slot from `slot` on; what it passes over is shortened for the next time. */
  private nextFree(slot: number): number {
    let free = slot;
    this.reserve(free + 1);
    while (!this.isFree(free)) {
      free = this.freeFrom[free]!;
      this.reserve(free + 1);
    }
    while (slot !== free) {
      const next = this.freeFrom[slot]!;
      this.freeFrom[slot] = free;
      slot = next;
    }
    return free;
  }

  private reserve(length: number): void {
    const before = this.freeFrom.length;
    if (length <= before) return;
    const freeFrom = Int32Array.from({ length: length * 2 }, (_, slot) => slot);
    const usedBase = new Uint8Array(length * 2);
    freeFrom.set(this.freeFrom);
    usedBase.set(this.usedBase);
    this.freeFrom = freeFrom;
    this.usedBase = usedBase;
  }
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}
