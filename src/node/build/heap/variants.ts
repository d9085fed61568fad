/**
 * Two variants of the canister's module by the layout of its heap (src/native/heap/): the one that is run to see what
 * of the heap is in use, and the one that is deployed.
 */
import { editExports, Kind, readExports, setGlobals } from '../exports.ts';
import { addPassiveData, readSections, type Section, writeSections } from '../sections.ts';
import { markAccesses } from './marks.ts';

export interface HeapLayout {
  /** What is hot, in the order of the allocations. */
  things: HotThing[];
  /** Bytes of them all, each with its header and rounded as src/native/heap/ does it. */
  bytes: number;
}

interface HotThing {
  /** How many allocations came before it since QuickJS began. */
  number: number;
  /** Whether most of the calls touched it. */
  isHottest: boolean;
}

/** The module that marks what it touches. */
export function traced(linked: Uint8Array): Uint8Array {
  const sections = readSections(linked);
  const flagged = setGlobals(sections, new Map([[heapExport(sections, 'heap_traced', Kind.global), 1]]));
  return writeSections(withoutHeap(markAccesses(flagged, heapExport(sections, 'heap_mark', Kind.function))));
}

/** The module with this layout of its heap. */
export function placed(linked: Uint8Array, { things, bytes }: HeapLayout): Uint8Array {
  const sections = readSections(linked);
  const distances = things.map(({ number, isHottest }, i) => {
    const distance = number - (things[i - 1]?.number ?? 0);
    return `${distance}${isHottest ? ',' : ';'}`;
  });
  const list = new TextEncoder().encode(distances.join(''));
  const sizes = new Map([
    [heapExport(sections, 'heap_list_bytes', Kind.global), list.length],
    [heapExport(sections, 'heap_hot_bytes', Kind.global), bytes],
  ]);
  const filled = addPassiveData(setGlobals(sections, sizes), list, heapExport(sections, 'heap_list', Kind.function));
  return writeSections(withoutHeap(filled));
}

const withoutHeap = (sections: readonly Section[]): Section[] =>
  editExports(sections, (all) => all.filter(({ name }) => !name.startsWith('heap_')));

function heapExport(sections: readonly Section[], name: string, kind: number): number {
  const found = readExports(sections).find((e) => e.name === name && e.kind === kind);
  if (!found) throw new Error(`heap: expected an export ${name} of kind ${kind}, got none`);
  return found.index;
}
