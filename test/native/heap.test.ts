/** The allocator's native part (src/native/heap/), with another allocator in dlmalloc's place. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildNative } from '../../src/node/build/kernels.ts';

const PAGE = 65_536;
const HEADER = 8;

interface Heap {
  malloc(bytes: number): number;
  calloc(count: number, bytes: number): number;
  realloc(thing: number, bytes: number): number;
  free(thing: number): void;
  begin(): void;
  seal(): void;
  view: Uint8Array;
  /** What dlmalloc was asked for and given back, in order. */
  asked: number[];
  givenBack: number[];
}

let module: WebAssembly.Module;
beforeAll(async () => {
  module = new WebAssembly.Module((await buildNative()) as Uint8Array<ArrayBuffer>);
});

/** @param list of hot things, as the link puts it into the canister */
function heapWith(list = '', hotBytes = 0): Heap {
  const memory = new WebAssembly.Memory({ initial: 600 });
  const [view, words] = [new Uint8Array(memory.buffer), new DataView(memory.buffer)];
  const [asked, givenBack]: number[][] = [[], []];
  let top = PAGE;
  // never uses a place again, so that whatever is taken twice is taken by the code under test
  const aligned = (alignment: number, bytes: number): number => {
    asked!.push(bytes);
    const at = Math.ceil((top + HEADER) / alignment) * alignment;
    // as dlmalloc: four bytes before the thing say how many both have, in eights, with flags
    const whole = Math.ceil((bytes + 4) / 8) * 8;
    top = at - 4 + whole;
    if (top > view.length) throw new Error('heap: expected room in the stand-in, got none');
    words.setUint32(at - 4, whole | 3, true);
    return at;
  };
  const malloc = (bytes: number) => aligned(8, bytes);
  const own: Record<string, (...args: number[]) => unknown> = {
    'own dlmalloc': malloc as () => number,
    'own internal_memalign': aligned as () => number,
    'own calloc': (count, bytes) => malloc(count! * bytes!),
    'own realloc': (thing, bytes) => {
      const to = malloc(bytes!);
      view.copyWithin(to, thing!, thing! + Math.min(bytes!, (words.getUint32(thing! - 4, true) & ~7) - 4));
      return to;
    },
    'own free': (thing) => void givenBack!.push(thing!),
    heap_list: (to) => view.set(new TextEncoder().encode(list), to!),
  };
  const imports: WebAssembly.Imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    const given =
      kind === 'memory'
        ? memory
        : kind === 'table'
          ? new WebAssembly.Table({ element: 'anyfunc', initial: 1 })
          : (own[name] ?? (() => 0));
    imports[from] = { ...imports[from], [name]: given as WebAssembly.ImportValue };
  }
  const exported = new WebAssembly.Instance(module, imports).exports as Record<string, never>;
  const call = (name: string) => exported[name] as unknown as (...args: number[]) => number;
  (exported['heap_list_bytes'] as unknown as WebAssembly.Global).value = list.length;
  (exported['heap_hot_bytes'] as unknown as WebAssembly.Global).value = hotBytes;
  return {
    malloc: (bytes) => call('heap_dlmalloc')(bytes) >>> 0,
    calloc: (count, bytes) => call('heap_calloc')(count, bytes) >>> 0,
    realloc: (thing, bytes) => call('heap_realloc')(thing, bytes) >>> 0,
    free: (thing) => void call('heap_free')(thing),
    begin: () => void call('heap_begin')(),
    seal: () => void call('heap_seal')(),
    view,
    asked: asked!,
    givenBack: givenBack!,
  };
}

/** A heap whose program stands. */
function sealed(): Heap {
  const heap = heapWith();
  heap.begin();
  heap.malloc(100);
  heap.seal();
  heap.asked.length = 0;
  return heap;
}

describe('at the start', () => {
  it('puts what most messages touch side by side, and what some do at the other end', () => {
    // the 1st, 3rd and 6th allocation, and the 4th
    const heap = heapWith('0,2,1;2,', 400);
    heap.begin();
    const things = Array.from({ length: 8 }, (_, i) => (i === 5 ? heap.calloc(2, 20) : heap.malloc(40)));
    const [a, , c, d, , f] = things as [number, number, number, number, number, number];
    expect([c - a, f - c]).toEqual([48, 48]);
    expect(d).toBe(a - HEADER + 400 - 40);
    expect(heap.view.subarray(f, f + 40).every((byte) => byte === 0)).toBe(true);
  });
  it('counts realloc as an allocation, and a hot one moves with what it holds', () => {
    const heap = heapWith('1,', 200);
    heap.begin();
    const cold = heap.malloc(16);
    heap.view.fill(7, cold, cold + 16);
    const hot = heap.realloc(cold, 64);
    expect(heap.view.subarray(hot, hot + 16)).toEqual(new Uint8Array(16).fill(7));
    expect(heap.givenBack).toEqual([cold]);
    expect(heap.realloc(hot, 60)).toBe(hot);
    const grown = heap.realloc(hot, 4000);
    expect(heap.view.subarray(grown, grown + 16)).toEqual(new Uint8Array(16).fill(7));
    heap.free(hot);
    expect(heap.givenBack).toEqual([cold]);
  });
  it('lets things of other sizes than the list was made for lie elsewhere, once there is no room', () => {
    const heap = heapWith('0,1,1,', 100);
    heap.begin();
    const things = [heap.malloc(40), heap.malloc(4000), heap.malloc(40)];
    expect(things[2]! - things[0]!).toBe(48);
    expect(heap.asked).toContain(4000);
  });
  it('fills the holes that the program left, and keeps small things there that are freed', () => {
    const heap = heapWith();
    heap.begin();
    const [small, large] = [heap.malloc(100), heap.malloc(5000)];
    heap.seal();
    heap.givenBack.length = 0;
    heap.free(small);
    expect(heap.givenBack).toEqual([]);
    heap.free(large);
    expect(heap.givenBack).toEqual([large]);
  });
});

describe('what comes later', () => {
  it('keeps what it holds, and no two things overlap', () => {
    const step = fc.record({
      bytes: fc.nat(700),
      which: fc.nat(),
      what: fc.constantFrom('take', 'take', 'clear', 'grow', 'free'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const heap = sealed();
        const live: { at: number; bytes: number; mark: number }[] = [];
        const write = (at: number, bytes: number, mark: number) => {
          expect(at % 8).toBe(0);
          heap.view.fill(mark, at, at + bytes);
          live.push({ at, bytes, mark });
        };
        for (const [i, { bytes, which, what }] of steps.entries()) {
          const mark = (i % 255) + 1;
          const chosen =
            live.length > 0 && (what === 'grow' || what === 'free')
              ? live.splice(which % live.length, 1)[0]!
              : undefined;
          if (chosen)
            expect(heap.view.subarray(chosen.at, chosen.at + chosen.bytes).every((b) => b === chosen.mark)).toBe(true);
          if (what === 'free') chosen && heap.free(chosen.at);
          else if (what === 'clear') {
            const at = heap.calloc(1, bytes);
            expect(heap.view.subarray(at, at + bytes).every((b) => b === 0)).toBe(true);
            write(at, bytes, mark);
          } else if (what === 'grow' && chosen) {
            const at = heap.realloc(chosen.at, bytes);
            const kept = heap.view.subarray(at, at + Math.min(bytes, chosen.bytes));
            expect(kept.every((b) => b === chosen.mark)).toBe(true);
            write(at, bytes, mark);
          } else write(heap.malloc(bytes), bytes, mark);
        }
        for (const { at, bytes, mark } of live)
          expect(heap.view.subarray(at, at + bytes).every((b) => b === mark)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
  it('is close together: a thousand small things touch two pages', () => {
    const heap = sealed();
    const pages = new Set(Array.from({ length: 1000 }, () => heap.malloc(80) >> 16));
    expect(pages.size).toBeLessThanOrEqual(2);
  });
  it('goes where things of another size were, once they are gone', () => {
    const heap = sealed();
    for (let bytes = 16; bytes <= 512; bytes += 16) {
      const burst = Array.from({ length: 2000 }, () => heap.malloc(bytes));
      for (const thing of burst) heap.free(thing);
    }
    // what the largest burst takes, rounded up to blocks of 256 KiB
    expect(heap.asked.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(1.5 * 2000 * 512);
  });
  it('does not seek out single holes: after one of ten was freed, new things lie together', () => {
    const heap = sealed();
    const things = Array.from({ length: 20_000 }, () => heap.malloc(64));
    for (const [i, thing] of things.entries()) if (i % 10 === 0) heap.free(thing);
    const pages = new Set(Array.from({ length: 500 }, () => heap.malloc(64) >> 16));
    expect(pages.size).toBeLessThanOrEqual(2);
  });
  it('passes over a full slab that another was put before', () => {
    const heap = sealed();
    // seven to a slab; the eighth opens another
    const [first, second] = [0, 1].map(() => Array.from({ length: 7 }, () => heap.malloc(512)));
    for (const thing of first!.slice(0, 4)) heap.free(thing);
    const later = Array.from({ length: 5 }, () => heap.malloc(512));
    expect(later.slice(0, 4).sort()).toEqual(first!.slice(0, 4).sort());
    expect(later[4]! >> 12).toBeGreaterThan(second![0]! >> 12);
    expect(new Set([...first!.slice(4), ...second!, ...later]).size).toBe(3 + 7 + 5);
  });
  it('uses room again where more than half was freed', () => {
    const heap = sealed();
    const things = Array.from({ length: 20_000 }, () => heap.malloc(64));
    for (const [i, thing] of things.entries()) if (i % 3 !== 0) heap.free(thing);
    heap.asked.length = 0;
    for (let i = 0; i < 13_000; i++) heap.malloc(64);
    expect(heap.asked).toEqual([]);
  });
});
