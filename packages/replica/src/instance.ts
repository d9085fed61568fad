/**
 * A canister's module brought to life: its memory behind the page map, its globals, and the log that undoes a message.
 * Undoing costs what was written: pages, mutable globals, the size of memory. Plumbing, but for what a page costs
 * (wasm/costs.ts).
 */

import { Trap } from './errors.ts';
import { limits } from './limits.ts';
import type { Meter } from './meter.ts';
import { PageMemory } from './page-memory.ts';
import { dirtyPageCost, osPageBytes, type PageRules, pageBytes, pageTouchCost } from './wasm/costs.ts';
import type { Instrumented, SnapshotGlobal } from './wasm/instrument.ts';

/** A module that was rewritten and compiled. */
export interface Compiled extends Instrumented {
  module: WebAssembly.Module;
}

/** An access of up to 16 bytes may reach beyond the page it is counted for. */
const straddle = 15;
const written = 3;
const savedBytes = pageBytes + straddle;
/** Saves of pages that are kept to be used again, 16 MiB at most: to make one anew takes longer than to fill it. */
const mostSpare = 256;

/** A run's changes to an instance, taken out of it: what `suspend` gives and `resume` takes. */
export interface InstanceChanges {
  pages: [page: number, content: Uint8Array][];
  globals: unknown[];
}

/** A global's value as a snapshot has it; one of type v128 is 128 bits. */
export interface GlobalValue {
  type: SnapshotGlobal['type'];
  value: number | bigint;
}

const zeroPage = new Uint8Array(pageBytes);

/** A mutable global of type v128, as a pair of integers. */
function vectorGlobal(exports: WebAssembly.Exports, index: number): { value: unknown } {
  const function_ = (name: string) => exports[`${name} ${index}`] as (...args: bigint[]) => bigint;
  const [low, high, set] = [function_('low'), function_('high'), function_('set')];
  return {
    get value(): unknown {
      return [low(), high()];
    },
    set value(pair: unknown) {
      set(...(pair as [bigint, bigint]));
    },
  };
}

export class Instance {
  readonly #compiled: Compiled;
  readonly #exports: WebAssembly.Exports;
  readonly #memory: WebAssembly.Memory;
  readonly #pagesGlobal: WebAssembly.Global;
  readonly #globals: { value: unknown }[];
  readonly counter: WebAssembly.Global;
  #bytes: Uint8Array;
  #touched: number[] = [];
  #writtenPages = 0;
  /**
   * Pages as they were before the first write of the run that may be undone, with the bytes beyond that such a write
   * can reach.
   */
  readonly #log = new Map<number, Uint8Array>();
  readonly #spare: Uint8Array[] = [];
  #globalsBefore: unknown[] = [];
  /** Bytes that memory may grow to in the message in hand. */
  memoryLimit: number = limits.wasmMemoryLimit;

  constructor(
    compiled: Compiled,
    systemApi: WebAssembly.ModuleImports,
    readonly meter: Meter,
    readonly rules: PageRules,
  ) {
    this.#compiled = compiled;
    const hooks = {
      touchRead: (low: number, high: number, own: number) => this.#touchBoth(low, high, own, false),
      touchWrite: (low: number, high: number, own: number) => this.#touchBoth(low, high, own, true),
      touchRange: (pointer: number, length: number, write: number) =>
        this.touch(pointer >>> 0, length >>> 0, write === 1),
      grow: (pages: number) => this.#grow(pages >>> 0),
      outOfInstructions: () => meter.outOfInstructions(),
      beforeBulk: (length: number) => meter.beforeBulk(length >>> 0),
    };
    const instance = new WebAssembly.Instance(compiled.module, { ic0: systemApi, replica: hooks });
    this.#exports = instance.exports;
    this.#memory = instance.exports['memory'] as WebAssembly.Memory;
    this.counter = instance.exports['counter'] as WebAssembly.Global;
    this.#pagesGlobal = instance.exports['pages'] as WebAssembly.Global;
    this.#globals = compiled.globals.map((name) => instance.exports[name] as WebAssembly.Global);
    this.#globals.push(...compiled.vectorGlobals.map((index) => vectorGlobal(instance.exports, index)));
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#saveGlobals();
  }

  /** Size of the canister's memory in bytes. */
  get memoryBytes(): number {
    return this.#pagesGlobal.value * pageBytes;
  }

  /** Pages of the heap touched and written by the message in hand. */
  get touchedPages(): { touched: number; written: number } {
    return { touched: this.#touched.length, written: this.#writtenPages };
  }

  has(entryPoint: string): boolean {
    return typeof this.#exports[entryPoint] === 'function';
  }

  /** Calls an exported function; entry points have no parameters and no results. */
  call(entryPoint: string, ...args: number[]): unknown {
    return (this.#exports[entryPoint] as (...args: number[]) => unknown)(...args);
  }

  /** Calls a callback through the module's table. @throws Trap where there is none of type (i32) -> () */
  invoke(fun: number, env: number): void {
    const { maxTable } = this.#compiled;
    if (maxTable === 0) throw new Trap('IC0502', 'expected a table to call a callback through, got a module without');
    // so begins a call whose answer nobody waits for: its callback is number -1
    if (fun >>> 0 >= maxTable)
      throw new Trap('IC0513', `Canister requested to invoke a non-existent Wasm function ${fun >>> 0} from table 0`);
    (this.#exports['invoke'] as (fun: number, env: number) => void)(fun, env);
  }

  /** A message begins: no page is touched. */
  begin(): void {
    for (const page of this.#touched) this.#bytes[page] = 0;
    this.#touched = [];
    this.#writtenPages = 0;
  }

  /** Keeps what was written since the last commit or rollback. */
  commit(): void {
    this.begin();
    this.#clearLog();
    this.#saveGlobals();
  }

  #clearLog(): void {
    for (const before of this.#log.values())
      if (this.#spare.length < mostSpare && before.length === savedBytes) this.#spare.push(before);
    this.#log.clear();
  }

  /** Undoes what was written since the last commit or rollback. */
  rollback(): void {
    this.begin();
    // The last page saved comes back first: what a page's save holds of the next page may be younger than that page's
    // own.
    for (const [page, before] of [...this.#log].reverse()) this.#bytes.set(before, (page + 1) * pageBytes);
    this.#clearLog();
    const pages = this.#pagesGlobal.value;
    for (const [i, before] of this.#globalsBefore.entries()) this.#globals[i].value = before;
    // Memory does not shrink: what was grown is zeroed, and hidden behind the size.
    this.#bytes.fill(0, (this.#pagesGlobal.value + 1) * pageBytes, (pages + 1) * pageBytes);
  }

  /**
   * Takes the changes since the last commit out, so that others see the instance as it was; `resume` puts them back.
   */
  suspend(): InstanceChanges {
    const content = (page: number) => this.#bytes.slice((page + 1) * pageBytes, (page + 2) * pageBytes);
    const pages = [...this.#log.keys()].map((page): [number, Uint8Array] => [page, content(page)]);
    const changes = { pages, globals: this.#globals.map((global) => global.value) };
    this.rollback();
    return changes;
  }

  /** Puts changes back that were taken out with `suspend`; they can still be undone. */
  resume({ pages, globals }: InstanceChanges): void {
    for (const [i, value] of globals.entries()) this.#globals[i].value = value;
    for (const [page, content] of pages) {
      this.#save(page);
      this.#bytes.set(content, (page + 1) * pageBytes);
    }
  }

  /** Saves a page before its first write. */
  #save(page: number): void {
    if (this.#log.has(page)) return;
    const at = (page + 1) * pageBytes;
    const now = this.#bytes.subarray(at, at + savedBytes);
    // the last page has nothing beyond it
    const spare = now.length === savedBytes ? this.#spare.pop() : undefined;
    spare?.set(now);
    this.#log.set(page, spare ?? now.slice());
  }

  #saveGlobals(): void {
    this.#globalsBefore = this.#globals.map((global) => global.value);
  }

  /** @throws Trap where memory with so many pages more is larger than it may be */
  checkMemoryLimit(pages: number): void {
    if (this.memoryBytes + pages * pageBytes > this.memoryLimit)
      throw new Trap('IC0539', `Canister exceeded its current Wasm memory limit of ${this.memoryLimit} bytes.`);
  }

  #grow(pages: number): number {
    const before: number = this.#pagesGlobal.value;
    const after = before + pages;
    if (after > this.#compiled.maxPages) return -1;
    this.checkMemoryLimit(pages);
    return this.#resize(after) ? before : -1;
  }

  /** Sets the size in pages, if the engine has room for it. */
  #resize(pages: number): boolean {
    const real = this.#memory.buffer.byteLength / pageBytes - 1;
    if (pages > real) {
      try {
        this.#memory.grow(pages - real);
      } catch {
        return false;
      }
      this.#bytes = new Uint8Array(this.#memory.buffer);
    }
    this.#pagesGlobal.value = pages;
    return true;
  }

  /** The heap as it was committed last, for a snapshot: a copy, without the pages that are all zero. */
  committed(): PageMemory {
    const memory = new PageMemory(this.#pagesGlobal.value);
    for (let page = 0; page < memory.size; page++) {
      const bytes = this.#bytes.subarray((page + 1) * pageBytes, (page + 2) * pageBytes);
      if (Buffer.compare(bytes, zeroPage) !== 0) memory.pages.set(page, bytes.slice());
    }
    return memory;
  }

  /** The values of the globals that a snapshot holds. */
  globalValues(): GlobalValue[] {
    return this.#compiled.snapshotGlobals.map(({ index, type }) => {
      if (type !== 'v128') return { type, value: (this.#exports[`global ${index}`] as WebAssembly.Global).value };
      const half = (name: string) => BigInt.asUintN(64, (this.#exports[`${name} ${index}`] as () => bigint)());
      return { type, value: (half('high') << 64n) | half('low') };
    });
  }

  /**
   * Makes a fresh instance what a snapshot holds; `globals` are as many and of the types as `globalValues` gives.
   * @returns whether the engine has room for the heap
   */
  restore(heap: PageMemory, globals: readonly GlobalValue[]): boolean {
    // what the module's data segments have put there
    this.#bytes.fill(0, pageBytes);
    if (heap.size > this.#compiled.maxPages || !this.#resize(heap.size)) return false;
    for (const [page, bytes] of heap.pages) this.#bytes.set(bytes, (page + 1) * pageBytes);
    for (const [i, { index, type, mutable }] of this.#compiled.snapshotGlobals.entries()) {
      const { value } = globals[i];
      if (!mutable) continue;
      if (type !== 'v128') (this.#exports[`global ${index}`] as WebAssembly.Global).value = value;
      else vectorGlobal(this.#exports, index).value = [BigInt(value), BigInt(value) >> 64n];
    }
    this.commit();
    return true;
  }

  /** For accesses from `low` to `high`, of which that at `own` is made now. */
  #touchBoth(low: number, high: number, own: number, write: boolean): void {
    const pages = this.#pagesGlobal.value;
    if (low >>> 16 >= pages || high >>> 16 >= pages) {
      this.#touchPage(own >>> 16, write);
      // The engine traps where the others go out of bounds, unless memory was longer once.
      if (this.#bytes.length > (pages + 1) * pageBytes) throw new Trap('IC0502', 'heap out of bounds');
      return;
    }
    this.#touchPage(low >>> 16, write);
    if (high >>> 16 !== low >>> 16) this.#touchPage(high >>> 16, write);
  }

  #touchPage(page: number, write: boolean): void {
    const state = this.#bytes[page];
    if (state === written || (state !== 0 && !write)) return;
    if (page >= this.#pagesGlobal.value) throw new Trap('IC0502', 'heap out of bounds');
    if (this.rules === '2026') this.meter.chargePages(pageTouchCost * (Number(state === 0) + Number(write)));
    if (state === 0) this.#touched.push(page);
    this.#bytes[page] = write ? written : 1;
    if (!write) return;
    this.#writtenPages++;
    this.#save(page);
  }

  /** Touches the pages of a range as the canister's own accesses do. @throws Trap out of bounds */
  touch(pointer: number, length: number, write: boolean): void {
    if (pointer + length > this.memoryBytes) throw new Trap('IC0502', 'heap out of bounds');
    if (length === 0) return;
    const last = (pointer + length - 1) >>> 16;
    for (let page = pointer >>> 16; page <= last; page++) this.#touchPage(page, write);
  }

  /** The bytes of a range, in place: for reading before the next run of the canister. @throws Trap out of bounds */
  view(pointer: number, length: number, write = false): Uint8Array {
    this.touch(pointer, length, write);
    return this.#bytes.subarray(pointer + pageBytes, pointer + pageBytes + length);
  }

  /** Rules of 2025: charges for the 4 KiB pages that the message changed. */
  chargeDirtyPages(): void {
    if (this.rules !== '2025') return;
    let dirty = 0;
    for (const page of this.#touched) {
      const before = this.#bytes[page] === written ? this.#log.get(page) : undefined;
      if (!before) continue;
      for (let at = 0; at < pageBytes; at += osPageBytes) if (this.#differs(page, before, at)) dirty++;
    }
    this.meter.chargeAfterwards(dirty * dirtyPageCost);
  }

  #differs(page: number, before: Uint8Array, at: number): boolean {
    const from = (page + 1) * pageBytes + at;
    return Buffer.compare(before.subarray(at, at + osPageBytes), this.#bytes.subarray(from, from + osPageBytes)) !== 0;
  }
}
