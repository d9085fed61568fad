/**
 * Stable memory: 64 KiB pages, of which only those ever written exist, up to 500 GiB; with the log that undoes a
 * message. Bounds and growth as the interface specification says, section "Stable memory"; what a touch costs is in
 * wasm/costs.ts.
 */

import { Trap } from './errors.ts';
import { limits } from './limits.ts';
import type { Meter } from './meter.ts';
import { PageMemory } from './page-memory.ts';
import { dirtyPageCost, osPageBytes, type PageRules, pageBytes, pageTouchCost } from './wasm/costs.ts';

const maximalPages = limits.stableBytes / pageBytes;
const osPagesInPage = pageBytes / osPageBytes;

/** The OS pages of a range within a page, as bits. */
function osPages(at: number, count: number): number {
  const [first, last] = [Math.floor(at / osPageBytes), Math.floor((at + count - 1) / osPageBytes)];
  return ((2 << last) - 1) & ~((1 << first) - 1);
}

/** How many of 16 bits are set. */
function ones(bits: number): number {
  let [count, rest] = [0, bits];
  for (; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** What the message in hand did to a page. */
interface Touch {
  written: boolean;
  /** Which of its 16 OS pages were accessed. */
  accessed: number;
  /** Rules of 2025: which of its 16 OS pages were written. */
  dirty: number;
}

/** A run's changes to stable memory, taken out of it. */
export interface StableChanges {
  pages: [page: number, content: Uint8Array][];
  size: number;
}

export class StableMemory {
  /** A page is never changed once a run that wrote it is committed: snapshots share it. */
  #pages = new Map<number, Uint8Array>();
  readonly #touched = new Map<number, Touch>();
  /** Pages as they were before the first write of the run that may be undone; `undefined`: the page did not exist. */
  readonly #log = new Map<number, Uint8Array | undefined>();
  #sizeBefore: number;
  /** OS pages that the message in hand may access, and those that it has. */
  #accessLimit = Number.POSITIVE_INFINITY;
  #accessed = 0;

  constructor(
    readonly meter: Meter,
    readonly rules: PageRules,
    public size = 0,
  ) {
    this.#sizeBefore = size;
  }

  get bytes(): number {
    return this.size * pageBytes;
  }

  /** Bytes that the pages written take. */
  get residentBytes(): number {
    return this.#pages.size * pageBytes;
  }

  /** Pages touched and written by the message in hand. */
  get touchedPages(): { touched: number; written: number } {
    let written = 0;
    for (const touch of this.#touched.values()) if (touch.written) written++;
    return { touched: this.#touched.size, written };
  }

  /** A message begins that may access so many bytes, in OS pages. */
  begin(accessLimit: number): void {
    this.#touched.clear();
    this.#accessed = 0;
    this.#accessLimit = accessLimit / osPageBytes;
  }

  /** Keeps what was written since the last commit or rollback. */
  commit(): void {
    this.#log.clear();
    this.#sizeBefore = this.size;
  }

  /** Undoes what was written since the last commit or rollback. */
  rollback(): void {
    for (const [page, before] of this.#log) {
      if (before) this.#pages.set(page, before);
      else this.#pages.delete(page);
    }
    this.#log.clear();
    this.size = this.#sizeBefore;
  }

  /** Takes the changes since the last commit out, so that others see what was before; `resume` puts them back. */
  suspend(): StableChanges {
    const pages = [...this.#log.keys()].map((page): [number, Uint8Array] => [page, this.#pages.get(page)!]);
    const changes = { pages, size: this.size };
    this.rollback();
    return changes;
  }

  /** Puts changes back that were taken out with `suspend`; they can still be undone. */
  resume({ pages, size }: StableChanges): void {
    this.size = size;
    for (const [page, content] of pages) {
      this.#log.set(page, this.#pages.get(page));
      this.#pages.set(page, content.slice());
    }
  }

  /** Takes away everything, without a log. */
  clear(): void {
    this.replace(new PageMemory());
  }

  /** What was committed last, for a snapshot. It shares the pages: a run's first write of a page replaces it. */
  committed(): PageMemory {
    return new PageMemory(this.size, this.#pages);
  }

  /** Takes a snapshot's memory over, without a log. */
  replace(memory: PageMemory): void {
    this.#pages = new Map(memory.pages);
    this.#log.clear();
    this.size = memory.size;
    this.#sizeBefore = memory.size;
  }

  /** Adds pages. @returns the size before in pages, or -1 where there is no room */
  grow(pages: number): number {
    const before = this.size;
    if (pages > maximalPages - before) return -1;
    this.size += pages;
    return before;
  }

  /** @throws Trap where the range does not lie within what there is */
  checkBounds(offset: number, length: number): void {
    if (offset + length > this.size * pageBytes) throw new Trap('IC0502', 'stable memory out of bounds');
  }

  /** Hands each page of the range to `visit`: the page (if it exists), where in it, and where in the range. */
  #range(offset: number, length: number, visit: (page: number, at: number, from: number, count: number) => void): void {
    for (let done = 0; done < length; ) {
      const page = Math.floor((offset + done) / pageBytes);
      const at = (offset + done) % pageBytes;
      const count = Math.min(pageBytes - at, length - done);
      visit(page, at, done, count);
      done += count;
    }
  }

  /** @throws Trap where a range is out of bounds, or its OS pages are more than the message in hand may still access */
  checkAccess(offset: number, length: number): void {
    this.checkBounds(offset, length);
    const most = Math.floor((offset + length - 1) / osPageBytes) - Math.floor(offset / osPageBytes) + 1;
    if (this.#accessed + most <= this.#accessLimit) return;
    let fresh = 0;
    this.#range(offset, length, (page, at, _, count) => {
      fresh += ones(osPages(at, count) & ~(this.#touched.get(page)?.accessed ?? 0));
    });
    if (this.#accessed + fresh <= this.#accessLimit) return;
    const kilobytes = (bytes: number) => bytes / 1024;
    throw new Trap(
      'IC0524',
      'Canister exceeded memory access limits: Exceeded the limit for the number of accessed pages in the stable memory in a single message execution: ' +
        `limit ${kilobytes(limits.stableTouched.update)} KB for regular messages and ${kilobytes(limits.stableTouched.query)} KB for queries.`,
    );
  }

  #touch(page: number, at: number, count: number, write: boolean): void {
    let touch = this.#touched.get(page);
    const first = touch === undefined;
    if (!touch) {
      touch = { written: false, accessed: 0, dirty: 0 };
      this.#touched.set(page, touch);
    }
    const accessed = osPages(at, count);
    this.#accessed += ones(accessed & ~touch.accessed);
    touch.accessed |= accessed;
    const firstWrite = write && !touch.written;
    if (firstWrite) touch.written = true;
    if (this.rules === '2026') {
      if (first || firstWrite) this.meter.chargePages(pageTouchCost * (Number(first) + Number(firstWrite)));
    } else if (write) this.#dirty(touch, at, count);
  }

  #dirty(touch: Touch, at: number, count: number): void {
    let fresh = 0;
    for (let os = Math.floor(at / osPageBytes); os * osPageBytes < at + count && os < osPagesInPage; os++) {
      if (touch.dirty & (1 << os)) continue;
      touch.dirty |= 1 << os;
      fresh++;
    }
    if (fresh > 0) this.meter.chargePages(fresh * dirtyPageCost);
  }

  /** Copies `target.length` bytes from `offset` into `target`. @throws Trap as `checkAccess` does */
  read(offset: number, target: Uint8Array): void {
    this.checkAccess(offset, target.length);
    this.#range(offset, target.length, (page, at, from, count) => {
      this.#touch(page, at, count, false);
      const bytes = this.#pages.get(page);
      if (bytes) target.set(bytes.subarray(at, at + count), from);
      else target.fill(0, from, from + count);
    });
  }

  /** Copies `source` to `offset`. @throws Trap as `checkAccess` does */
  write(offset: number, source: Uint8Array): void {
    this.checkAccess(offset, source.length);
    this.#range(offset, source.length, (page, at, from, count) => {
      this.#touch(page, at, count, true);
      let bytes = this.#pages.get(page);
      if (!bytes || !this.#log.has(page)) {
        if (!this.#log.has(page)) this.#log.set(page, bytes);
        bytes = bytes?.slice() ?? new Uint8Array(pageBytes);
        this.#pages.set(page, bytes);
      }
      bytes.set(source.subarray(from, from + count), at);
    });
  }
}
