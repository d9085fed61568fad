/** Blocks of stable memory beside Azle's maps, against two memories that know nothing of each other. */
import { describe, expect, it } from 'vitest';
import {
  BLOCK_BYTES,
  BLOCK_PAGES,
  COMMAND_OWNED,
  COMMAND_READ,
  COMMAND_RESERVE,
  COMMAND_TAKE,
  COMMAND_WRITE,
  MANAGER_MAGIC,
  NO_ROOM,
  PAGE_BYTES,
  TAKEN,
  UNKNOWN_MANAGER,
} from '../../src/native/blocks-protocol.ts';
import { buildNative } from '../../src/node/build/kernels.ts';
import { HEADER_BYTES, MAGIC, RESULT } from '../../src/tensor/assembly/protocol.ts';
import { randomFrom } from '../random.ts';

const module = new WebAssembly.Module((await buildNative()) as Uint8Array<ArrayBuffer>);

/** Bytes, of which those never written are 0. */
class Sparse {
  private readonly bytes = new Map<number, number>();
  constructor(public pages = 0) {}
  read = (at: number, length: number): Uint8Array => {
    this.check(at, length);
    return Uint8Array.from({ length }, (_, i) => this.bytes.get(at + i) ?? 0);
  };
  write(at: number, bytes: Uint8Array): void {
    this.check(at, bytes.length);
    bytes.forEach((byte, i) => {
      this.bytes.set(at + i, byte);
    });
  }
  private check(at: number, length: number): void {
    if (at + length > this.pages * PAGE_BYTES) throw new RangeError('out of bounds');
  }
}

interface Exports {
  stable64_size(): bigint;
  stable64_grow(pages: bigint): bigint;
  stable64_read(to: bigint, from: bigint, bytes: bigint): void;
  stable64_write(to: bigint, from: bigint, bytes: bigint): void;
  certified_data_set(mailbox: number, bytes: number): void;
}

/** The module over a stable memory that outlives it. */
function start(stable: Sparse, mostPages = 2 ** 23) {
  const memory = new WebAssembly.Memory({ initial: 2 });
  const at = (pointer: bigint | number, length: bigint | number) =>
    new Uint8Array(memory.buffer, Number(pointer), Number(length));
  const ic0real = {
    stable64_size: () => BigInt(stable.pages),
    stable64_grow: (pages: bigint) => {
      const before = stable.pages;
      if (before + Number(pages) > mostPages) return -1n;
      stable.pages += Number(pages);
      return BigInt(before);
    },
    stable64_read: (to: bigint, from: bigint, bytes: bigint) =>
      at(to, bytes).set(stable.read(Number(from), Number(bytes))),
    stable64_write: (to: bigint, from: bigint, bytes: bigint) => stable.write(Number(to), at(from, bytes).slice()),
  };
  const given: Record<string, Record<string, unknown>> = {
    env: { memory, table: new WebAssembly.Table({ initial: 1, element: 'anyfunc' }) },
    ic0real,
  };
  const none = () => {
    throw new Error('expected no other call');
  };
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    given[from] ??= {};
    if (kind === 'function') given[from][name] ??= none;
  }
  const wasm = new WebAssembly.Instance(module, given as WebAssembly.Imports).exports as unknown as Exports;
  const MAILBOX = 16;
  const send = (command: number, a = 0, bytes = 0, address = 0): number => {
    new Uint32Array(memory.buffer, MAILBOX, 6).set([MAGIC, command, a, bytes, address, address / 2 ** 32]);
    wasm.certified_data_set(MAILBOX, HEADER_BYTES + bytes);
    return new Uint32Array(memory.buffer, MAILBOX)[RESULT]!;
  };
  return {
    size: () => Number(wasm.stable64_size()),
    grow: (pages: number) => Number(wasm.stable64_grow(BigInt(pages))),
    read(from: number, length: number): Uint8Array {
      wasm.stable64_read(1000n, BigInt(from), BigInt(length));
      return at(1000, length).slice();
    },
    write(to: number, bytes: Uint8Array): void {
      at(1000, bytes.length).set(bytes);
      wasm.stable64_write(BigInt(to), 1000n, BigInt(bytes.length));
    },
    owned: () => send(COMMAND_OWNED),
    take: (count: number) => send(COMMAND_TAKE, count),
    reserve: (count: number) => send(COMMAND_RESERVE, count),
    readOurs(address: number, length: number): Uint8Array {
      send(COMMAND_READ, 0, length, address);
      return at(MAILBOX + HEADER_BYTES, length).slice();
    },
    readOursTo(pointer: number, address: number, length: number): Uint8Array {
      send(COMMAND_READ, pointer, length, address);
      return at(pointer, length).slice();
    },
    writeOurs(address: number, bytes: Uint8Array): void {
      at(MAILBOX + HEADER_BYTES, bytes.length).set(bytes);
      send(COMMAND_WRITE, 0, bytes.length, address);
    },
  };
}

/** What a memory manager writes at the beginning of its page. */
const managersPage = (buckets = 1): Uint8Array => {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MANAGER_MAGIC, true);
  view.setUint16(4, buckets, true);
  view.setUint16(6, BLOCK_PAGES, true);
  return bytes;
};

function managed(mostPages?: number) {
  const stable = new Sparse();
  const wasm = start(stable, mostPages);
  wasm.grow(1 + BLOCK_PAGES);
  wasm.write(0, managersPage());
  return { stable, wasm };
}

describe('blocks of stable memory', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    it(`keep Azle's and ours apart, through growth of either and upgrades (seed ${seed})`, () => {
      const random = randomFrom(seed);
      const below = (n: number) => Math.floor(random() * n);
      const made = managed();
      let { wasm } = made;
      const azles = new Sparse(1 + BLOCK_PAGES);
      azles.write(0, managersPage());
      const ours = new Sparse();
      // near the edges of blocks, where they could be mistaken for each other
      const place = (blocks: number, first: number) => {
        const edge = first + below(blocks + 1) * BLOCK_BYTES;
        return Math.min(Math.max(edge - 40 + below(80), 48_000), first + blocks * BLOCK_BYTES - 64);
      };
      const bytes = () => Uint8Array.from({ length: 1 + below(64) }, () => below(256));
      for (let i = 0; i < 3_000; i++) {
        const what = random();
        if (what < 0.01) {
          const count = below(3) + 1;
          expect(wasm.grow(count * BLOCK_PAGES)).toBe(azles.pages);
          azles.pages += count * BLOCK_PAGES;
          const page = managersPage((azles.pages - 1) / BLOCK_PAGES);
          azles.write(0, page);
          wasm.write(0, page);
        } else if (what < 0.02) {
          const count = below(3) + 1;
          expect(wasm.take(count)).toBe(TAKEN);
          ours.pages += count * BLOCK_PAGES;
        } else if (what < 0.03) {
          expect(wasm.reserve(below(4))).toBe(TAKEN);
        } else if (what < 0.05) {
          wasm = start(made.stable);
        } else if (what < 0.4) {
          const [to, content] = [place((azles.pages - 1) / BLOCK_PAGES, PAGE_BYTES), bytes()];
          azles.write(to, content);
          wasm.write(to, content);
        } else if (what < 0.6) {
          const from = place((azles.pages - 1) / BLOCK_PAGES, PAGE_BYTES);
          expect(wasm.read(from, 64)).toEqual(azles.read(from, 64));
        } else if (ours.pages > 0) {
          const [at, content] = [Math.max(0, place(ours.pages / BLOCK_PAGES, 0)), bytes()];
          if (what < 0.8) {
            ours.write(at, content);
            wasm.writeOurs(at, content);
          } else {
            expect(wasm.readOurs(at, 64)).toEqual(ours.read(at, 64));
            expect(wasm.readOursTo(70_000, at, 64)).toEqual(ours.read(at, 64));
          }
        }
        expect(wasm.size()).toBe(azles.pages);
      }
      expect(wasm.owned() * BLOCK_PAGES).toBe(ours.pages);
      expect(ours.pages).toBeGreaterThan(10 * BLOCK_PAGES);
      expect(wasm.read(0, 8)).toEqual(managersPage((azles.pages - 1) / BLOCK_PAGES));
    });
  }

  it('end where the memory of either ends', () => {
    const { wasm } = managed();
    expect(wasm.take(1)).toBe(TAKEN);
    const end = PAGE_BYTES + BLOCK_BYTES;
    expect(() => wasm.read(end - 8, 9)).toThrow('out of bounds');
    expect(() => wasm.write(end, Uint8Array.of(1))).toThrow('out of bounds');
    expect(() => wasm.readOurs(BLOCK_BYTES - 1, 2)).toThrow('unreachable');
  });

  it('are not taken where stable memory is full', () => {
    const { wasm } = managed(1 + 3 * BLOCK_PAGES);
    expect(wasm.take(3)).toBe(NO_ROOM);
    expect(wasm.owned()).toBe(0);
    expect(wasm.take(2)).toBe(TAKEN);
    expect(wasm.grow(BLOCK_PAGES)).toBe(-1);
  });

  it('in reserve are what Azle grows by where the system gives no more; taken are others', () => {
    const { stable, wasm } = managed(1 + 4 * BLOCK_PAGES);
    expect(wasm.reserve(2)).toBe(TAKEN);
    expect(stable.pages).toBe(1 + 3 * BLOCK_PAGES);
    expect(wasm.size()).toBe(1 + BLOCK_PAGES);
    expect(wasm.take(1)).toBe(TAKEN);
    wasm.writeOurs(0, Uint8Array.of(7));
    // as an upgrade finds it
    const again = start(stable, 1 + 4 * BLOCK_PAGES);
    expect(again.take(1)).toBe(NO_ROOM);
    expect(again.reserve(3)).toBe(NO_ROOM);
    expect(again.reserve(2)).toBe(TAKEN);
    expect(again.grow(BLOCK_PAGES)).toBe(1 + BLOCK_PAGES);
    again.write(0, managersPage(2));
    again.write(PAGE_BYTES + BLOCK_BYTES, Uint8Array.of(9));
    expect(again.reserve(2)).toBe(NO_ROOM);
    expect(again.grow(BLOCK_PAGES)).toBe(1 + 2 * BLOCK_PAGES);
    expect(again.grow(BLOCK_PAGES)).toBe(-1);
    expect(again.readOurs(0, 1)).toEqual(Uint8Array.of(7));
    expect(again.read(PAGE_BYTES + BLOCK_BYTES, 1)).toEqual(Uint8Array.of(9));
  });

  it("are not taken from a stable memory whose first page is not a manager's", () => {
    const none = new Sparse();
    expect(start(none).take(1)).toBe(UNKNOWN_MANAGER);
    none.pages = 1 + BLOCK_PAGES;
    expect(start(none).take(1)).toBe(UNKNOWN_MANAGER);
    none.write(0, managersPage());
    none.pages += 1;
    expect(start(none).take(1)).toBe(UNKNOWN_MANAGER);
  });
});
