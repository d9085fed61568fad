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
/**
 * What a round adds to d, and to what becomes a; e, f, g, h are its variables by name, which move by one from round to
 * round. w: the schedule's word plus the constant.
 */
// @ts-ignore: AssemblyScript's decorator
@inline
function first(e: u32, f: u32, g: u32, h: u32, w: u32): u32 {
  return h + (rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25)) + choose(e, f, g) + w;
}
/** The majority is that of a, b and c by what the round before has of b ^ c. */
// @ts-ignore: AssemblyScript's decorator
@inline
function second(a: u32, b: u32, ab: u32, bc: u32): u32 {
  return (rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22)) + (b ^ (ab & bc));
}
/** What a word of the schedule grows by: w1, w9 and w14 are those that many places on. */
// @ts-ignore: AssemblyScript's decorator
@inline
function grow(w1: u32, w9: u32, w14: u32): u32 {
  return w9 + (rotr<u32>(w1, 7) ^ rotr<u32>(w1, 18) ^ (w1 >>> 3)) + (rotr<u32>(w14, 17) ^ rotr<u32>(w14, 19) ^ (w14 >>> 10));
}

/**
 * Hashes whole blocks. state: eight words; constants: 64 words; bytes: a multiple of 64. Sixteen rounds a turn: the
 * schedule's words stay in locals, and variables change their roles and not their places.
 */
export function hashBlocks(state: usize, data: usize, bytes: u32, constants: usize): void {
  for (const end = data + bytes; data < end; data += 64) {
    let w0 = swap(load<u32>(data, 0));
    let w1 = swap(load<u32>(data, 4));
    let w2 = swap(load<u32>(data, 8));
    let w3 = swap(load<u32>(data, 12));
    let w4 = swap(load<u32>(data, 16));
    let w5 = swap(load<u32>(data, 20));
    let w6 = swap(load<u32>(data, 24));
    let w7 = swap(load<u32>(data, 28));
    let w8 = swap(load<u32>(data, 32));
    let w9 = swap(load<u32>(data, 36));
    let w10 = swap(load<u32>(data, 40));
    let w11 = swap(load<u32>(data, 44));
    let w12 = swap(load<u32>(data, 48));
    let w13 = swap(load<u32>(data, 52));
    let w14 = swap(load<u32>(data, 56));
    let w15 = swap(load<u32>(data, 60));
    let a = load<u32>(state, 0);
    let b = load<u32>(state, 4);
    let c = load<u32>(state, 8);
    let d = load<u32>(state, 12);
    let e = load<u32>(state, 16);
    let f = load<u32>(state, 20);
    let g = load<u32>(state, 24);
    let h = load<u32>(state, 28);
    // what a ^ b is in a round is b ^ c in the next one: the two change places
    let ab: u32 = 0;
    let bc = b ^ c;
    let t1: u32 = 0;
    for (let k = constants, last = constants + 192; ; k += 64) {
      t1 = first(e, f, g, h, load<u32>(k, 0) + w0); ab = a ^ b; d += t1; h = t1 + second(a, b, ab, bc);
      t1 = first(d, e, f, g, load<u32>(k, 4) + w1); bc = h ^ a; c += t1; g = t1 + second(h, a, bc, ab);
      t1 = first(c, d, e, f, load<u32>(k, 8) + w2); ab = g ^ h; b += t1; f = t1 + second(g, h, ab, bc);
      t1 = first(b, c, d, e, load<u32>(k, 12) + w3); bc = f ^ g; a += t1; e = t1 + second(f, g, bc, ab);
      t1 = first(a, b, c, d, load<u32>(k, 16) + w4); ab = e ^ f; h += t1; d = t1 + second(e, f, ab, bc);
      t1 = first(h, a, b, c, load<u32>(k, 20) + w5); bc = d ^ e; g += t1; c = t1 + second(d, e, bc, ab);
      t1 = first(g, h, a, b, load<u32>(k, 24) + w6); ab = c ^ d; f += t1; b = t1 + second(c, d, ab, bc);
      t1 = first(f, g, h, a, load<u32>(k, 28) + w7); bc = b ^ c; e += t1; a = t1 + second(b, c, bc, ab);
      t1 = first(e, f, g, h, load<u32>(k, 32) + w8); ab = a ^ b; d += t1; h = t1 + second(a, b, ab, bc);
      t1 = first(d, e, f, g, load<u32>(k, 36) + w9); bc = h ^ a; c += t1; g = t1 + second(h, a, bc, ab);
      t1 = first(c, d, e, f, load<u32>(k, 40) + w10); ab = g ^ h; b += t1; f = t1 + second(g, h, ab, bc);
      t1 = first(b, c, d, e, load<u32>(k, 44) + w11); bc = f ^ g; a += t1; e = t1 + second(f, g, bc, ab);
      t1 = first(a, b, c, d, load<u32>(k, 48) + w12); ab = e ^ f; h += t1; d = t1 + second(e, f, ab, bc);
      t1 = first(h, a, b, c, load<u32>(k, 52) + w13); bc = d ^ e; g += t1; c = t1 + second(d, e, bc, ab);
      t1 = first(g, h, a, b, load<u32>(k, 56) + w14); ab = c ^ d; f += t1; b = t1 + second(c, d, ab, bc);
      t1 = first(f, g, h, a, load<u32>(k, 60) + w15); bc = b ^ c; e += t1; a = t1 + second(b, c, bc, ab);
      if (k == last) break;
      w0 += grow(w1, w9, w14);
      w1 += grow(w2, w10, w15);
      w2 += grow(w3, w11, w0);
      w3 += grow(w4, w12, w1);
      w4 += grow(w5, w13, w2);
      w5 += grow(w6, w14, w3);
      w6 += grow(w7, w15, w4);
      w7 += grow(w8, w0, w5);
      w8 += grow(w9, w1, w6);
      w9 += grow(w10, w2, w7);
      w10 += grow(w11, w3, w8);
      w11 += grow(w12, w4, w9);
      w12 += grow(w13, w5, w10);
      w13 += grow(w14, w6, w11);
      w14 += grow(w15, w7, w12);
      w15 += grow(w0, w8, w13);
    }
    store<u32>(state, load<u32>(state, 0) + a, 0);
    store<u32>(state, load<u32>(state, 4) + b, 4);
    store<u32>(state, load<u32>(state, 8) + c, 8);
    store<u32>(state, load<u32>(state, 12) + d, 12);
    store<u32>(state, load<u32>(state, 16) + e, 16);
    store<u32>(state, load<u32>(state, 20) + f, 20);
    store<u32>(state, load<u32>(state, 24) + g, 24);
    store<u32>(state, load<u32>(state, 28) + h, 28);
  }
}
