// SHA-256's compression function, FIPS 180-4 section 6.2.2. Padding and the constants' table are the caller's
// (src/tensor/sha256.ts). Own code and not a library: it hashes where the bytes lie, in memory that it shares, and 80
// MB in an interpreter is out of reach.

// @ts-ignore: AssemblyScript's decorator
@inline
export function swap(x: u32): u32 {
  return (rotl<u32>(x, 8) & 0x00ff00ff) | (rotr<u32>(x, 8) & 0xff00ff00);
}

// @ts-ignore: AssemblyScript's decorator
@inline
function choose(x: u32, y: u32, z: u32): u32 {
  return z ^ (x & (y ^ z));
}
// @ts-ignore: AssemblyScript's decorator
@inline
function majority(x: u32, y: u32, z: u32): u32 {
  return (x & y) | (z & (x | y));
}
/**
 * What a round adds to d, and to what becomes a; e, f, g, h are its variables by name, which move by one from round to
 * round.
 */
// @ts-ignore: AssemblyScript's decorator
@inline
function first(e: u32, f: u32, g: u32, h: u32, schedule: usize, constants: usize, t: usize): u32 {
  return h + (rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25)) + choose(e, f, g) + load<u32>(constants + t) + load<u32>(schedule + t);
}
// @ts-ignore: AssemblyScript's decorator
@inline
function second(a: u32, b: u32, c: u32): u32 {
  return (rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22)) + majority(a, b, c);
}

/**
 * Hashes whole blocks. state: eight words, then 64 words of room for the message schedule; constants: 64 words; bytes:
 * a multiple of 64. Eight rounds a turn, in which the variables change their roles and not their places.
 */
export function hashBlocks(state: usize, data: usize, bytes: u32, constants: usize): void {
  const schedule = state + 32;
  const end = data + bytes;
  while (data < end) {
    for (let t: usize = 0; t < 64; t += 4) store<u32>(schedule + t, swap(load<u32>(data + t)));
    for (let p = schedule, last = schedule + 192; p < last; p += 4) {
      const w1 = load<u32>(p, 4);
      const w14 = load<u32>(p, 56);
      const s0 = rotr<u32>(w1, 7) ^ rotr<u32>(w1, 18) ^ (w1 >>> 3);
      const s1 = rotr<u32>(w14, 17) ^ rotr<u32>(w14, 19) ^ (w14 >>> 10);
      store<u32>(p, load<u32>(p) + s0 + load<u32>(p, 36) + s1, 64);
    }
    let a = load<u32>(state);
    let b = load<u32>(state, 4);
    let c = load<u32>(state, 8);
    let d = load<u32>(state, 12);
    let e = load<u32>(state, 16);
    let f = load<u32>(state, 20);
    let g = load<u32>(state, 24);
    let h = load<u32>(state, 28);
    for (let t: usize = 0; t < 256; t += 32) {
      let t1 = first(e, f, g, h, schedule, constants, t);
      d += t1;
      h = t1 + second(a, b, c);
      t1 = first(d, e, f, g, schedule, constants, t + 4);
      c += t1;
      g = t1 + second(h, a, b);
      t1 = first(c, d, e, f, schedule, constants, t + 8);
      b += t1;
      f = t1 + second(g, h, a);
      t1 = first(b, c, d, e, schedule, constants, t + 12);
      a += t1;
      e = t1 + second(f, g, h);
      t1 = first(a, b, c, d, schedule, constants, t + 16);
      h += t1;
      d = t1 + second(e, f, g);
      t1 = first(h, a, b, c, schedule, constants, t + 20);
      g += t1;
      c = t1 + second(d, e, f);
      t1 = first(g, h, a, b, schedule, constants, t + 24);
      f += t1;
      b = t1 + second(c, d, e);
      t1 = first(f, g, h, a, schedule, constants, t + 28);
      e += t1;
      a = t1 + second(b, c, d);
    }
    store<u32>(state, load<u32>(state) + a);
    store<u32>(state, load<u32>(state, 4) + b, 4);
    store<u32>(state, load<u32>(state, 8) + c, 8);
    store<u32>(state, load<u32>(state, 12) + d, 12);
    store<u32>(state, load<u32>(state, 16) + e, 16);
    store<u32>(state, load<u32>(state, 20) + f, 20);
    store<u32>(state, load<u32>(state, 24) + g, 24);
    store<u32>(state, load<u32>(state, 28) + h, 28);
    data += 64;
  }
}
