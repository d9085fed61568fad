/**
 * The memory that a snapshot holds: 64 KiB pages, of which those that were never written do not exist. Plumbing.
 * Pages are shared with canisters and never changed: a write replaces the page.
 */
import { pageBytes } from './wasm/costs.ts';

export class PageMemory {
  readonly pages: Map<number, Uint8Array>;

  /** @param size in pages */
  constructor(
    readonly size = 0,
    pages: ReadonlyMap<number, Uint8Array> = new Map(),
  ) {
    this.pages = new Map(pages);
  }

  get bytes(): number {
    return this.size * pageBytes;
  }

  /** A copy of a range, which has to lie within. */
  read(offset: number, length: number): Uint8Array {
    const read = new Uint8Array(length);
    this.#eachPage(offset, length, (page, at, from, count) => {
      const bytes = this.pages.get(page);
      if (bytes) read.set(bytes.subarray(at, at + count), from);
    });
    return read;
  }

  /** Writes a range, which has to lie within. */
  write(offset: number, source: Uint8Array): void {
    this.#eachPage(offset, source.length, (page, at, from, count) => {
      const bytes = this.pages.get(page)?.slice() ?? new Uint8Array(pageBytes);
      bytes.set(source.subarray(from, from + count), at);
      this.pages.set(page, bytes);
    });
  }

  #eachPage(
    offset: number,
    length: number,
    visit: (page: number, at: number, from: number, count: number) => void,
  ): void {
    for (let done = 0; done < length; ) {
      const [page, at] = [Math.floor((offset + done) / pageBytes), (offset + done) % pageBytes];
      const count = Math.min(pageBytes - at, length - done);
      visit(page, at, done, count);
      done += count;
    }
  }
}
