/**
 * Room in a machine's memory: what stays (weights, programs, scratch) is packed densely, what comes and goes (sessions'
 * caches) is given back. First fit, neighbours merged on release; blocks are few and long-lived, so lists are short.
 */
import { pad } from './layout.ts';
import type { Machine } from './machine.ts';

const ALIGNMENT = 16;

interface Block {
  at: number;
  bytes: number;
}

/** What was to be taken would have made the arena larger than it may be. */
export class NoRoom extends RangeError {}

export class Arena {
  private readonly machine: Machine;
  /** Free blocks by address. */
  private free: Block[] = [];
  private readonly taken = new Map<number, number>();
  /** Bytes asked of the machine so far. */
  grown = 0;
  /** What it may grow to, and pointers taken, in the `within` that runs. */
  private most = Number.POSITIVE_INFINITY;
  private attempted: number[] = [];

  /** Bytes that are taken. */
  get used(): number {
    let used = 0;
    for (const bytes of this.taken.values()) used += bytes;
    return used;
  }

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /**
   * A pointer to `bytes`, aligned to 16; fresh room is zero, room used before is not.
   * @throws RangeError where memory is exhausted.
   */
  allocate(bytes: number): number {
    const size = pad(Math.max(bytes, 1), ALIGNMENT);
    let block = this.free.find((b) => b.bytes >= size);
    if (!block) {
      this.grow(size);
      block = this.free.find((b) => b.bytes >= size)!;
    }
    const at = block.at;
    block.at += size;
    block.bytes -= size;
    if (block.bytes === 0) this.free.splice(this.free.indexOf(block), 1);
    this.taken.set(at, size);
    if (this.most !== Number.POSITIVE_INFINITY) this.attempted.push(at);
    return at;
  }

  /**
   * Does what takes room; where that would make the arena larger than `most` bytes, or fails, all that was taken is
   * given back.
   * @throws NoRoom
   */
  within<T>(most: number, work: () => T): T {
    this.most = most;
    this.attempted = [];
    try {
      return work();
    } catch (error) {
      for (const at of this.attempted) if (this.taken.has(at)) this.release(at);
      throw error;
    } finally {
      this.most = Number.POSITIVE_INFINITY;
    }
  }

  /** @throws RangeError for a pointer that `allocate` did not give, or gave and took back. */
  release(at: number): void {
    const bytes = this.taken.get(at);
    if (bytes === undefined) throw new RangeError(`arena: expected a pointer in use, got ${at}`);
    this.taken.delete(at);
    this.insert({ at, bytes });
  }

  /**
   * Keeps the first `bytes` of what was taken, and gives the rest back.
   * @throws RangeError for a pointer that is not in use
   */
  shrink(at: number, bytes: number): void {
    const taken = this.taken.get(at);
    if (taken === undefined) throw new RangeError(`arena: expected a pointer in use, got ${at}`);
    const size = pad(Math.max(bytes, 1), ALIGNMENT);
    if (size >= taken) return;
    this.taken.set(at, size);
    this.insert({ at: at + size, bytes: taken - size });
  }

  private grow(bytes: number): void {
    const size = pad(bytes, 65536);
    if (this.grown + size > this.most)
      throw new NoRoom(`expected an arena of at most ${this.most} bytes, got ${this.grown} and ${size} more`);
    this.insert({ at: this.machine.grow(size), bytes: size });
    this.grown += size;
  }

  private insert(block: Block): void {
    const after = this.free.findIndex((b) => b.at > block.at);
    const index = after < 0 ? this.free.length : after;
    this.free.splice(index, 0, block);
    this.merge(index);
    this.merge(index - 1);
  }

  /** Joins free block `index` with the next one where they touch. */
  private merge(index: number): void {
    const [block, next] = [this.free[index], this.free[index + 1]];
    if (!block || !next || block.at + block.bytes !== next.at) return;
    block.bytes += next.bytes;
    this.free.splice(index + 1, 1);
  }
}
