import { describe, expect, it } from 'vitest';
import { Arena } from '../../src/tensor/arena.ts';
import { Reference } from '../../src/tensor/reference/reference.ts';
import { newUnit } from './machines.ts';

describe.each([
  ['kernels', newUnit],
  ['reference', () => new Reference()],
])('arena on the %s', (_, machine) => {
  it('packs densely, gives back what it took, and joins neighbours again', () => {
    const arena = new Arena(machine());
    const [a, b, c] = [arena.allocate(10), arena.allocate(100), arena.allocate(1000)];
    expect([b - a, c - b]).toEqual([16, 112]);
    arena.release(b);
    arena.release(a);
    expect(arena.allocate(120)).toBe(a);
    expect(arena.grown).toBe(65536);
  });

  it('grows without end of blocks in use, and not for what fits', () => {
    const arena = new Arena(machine());
    for (let i = 0; i < 100; i++) arena.release(arena.allocate(200_000));
    expect(arena.grown).toBe(262_144);
  });

  it('grows no further than it may, and then gives back what was taken on the way', () => {
    const arena = new Arena(machine());
    const kept = arena.allocate(50_000);
    const two = () => [arena.allocate(60_000), arena.allocate(60_000)];
    expect(() => arena.within(131_072, two)).toThrow(
      'expected an arena of at most 131072 bytes, got 131072 and 65536 more',
    );
    expect(arena.grown).toBe(131_072);
    // what failed holds nothing, so that there is room again
    const whole = arena.within(131_072, () => arena.allocate(131_072 - 50_000));
    expect(whole).toBe(kept + 50_000);
    expect(two()).toHaveLength(2);
  });

  it('keeps what was written apart', () => {
    const m = machine();
    const arena = new Arena(m);
    const [a, b] = [arena.allocate(70_000), arena.allocate(70_000)];
    m.write(a, new Uint8Array(70_000).fill(1));
    m.write(b, new Uint8Array(70_000).fill(2));
    expect(m.read(a, 70_000)).toEqual(new Uint8Array(70_000).fill(1));
    expect(m.read(b, 70_000)).toEqual(new Uint8Array(70_000).fill(2));
  });

  it('gives back the rest of what shrinks, which is whole again with its neighbours', () => {
    const arena = new Arena(machine());
    const [a, b] = [arena.allocate(1000), arena.allocate(500)];
    arena.shrink(a, 100);
    expect(arena.allocate(800)).toBe(a + 112);
    arena.shrink(a, 2000);
    arena.shrink(a, 0);
    expect(arena.allocate(90)).toBe(a + 16);
    arena.release(b);
    expect(() => arena.shrink(b, 1)).toThrow(`expected a pointer in use, got ${b}`);
    expect(arena.grown).toBe(65536);
  });

  it('refuses a pointer given back twice', () => {
    const arena = new Arena(machine());
    const a = arena.allocate(10);
    arena.release(a);
    expect(() => arena.release(a)).toThrow(`expected a pointer in use, got ${a}`);
  });
});
