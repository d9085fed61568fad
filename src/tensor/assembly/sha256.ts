// SHA-256's compression function, FIPS 180-4 section 6.2.2. Padding and the constants' table are the caller's (src/tensor/sha256.ts).
// Own code and not a library: it hashes where the bytes lie, in memory that it shares, and 80 MB in an interpreter is out of reach.

// @ts-ignore: AssemblyScript's decorator
@inline
function swap(x: u32): u32 {
  return (rotl<u32>(x, 8) & 0x00ff00ff) | (rotr<u32>(x, 8) & 0xff00ff00);
}

/**
 * Hashes whole blocks. state: eight words, then 64 words of room for the message schedule; constants: 64 words; bytes: a multiple of 64.
 */
export function hashBlocks(state: usize, data: usize, bytes: u32, constants: usize): void {
  const schedule = state + 32;
  const end = data + bytes;
  while (data < end) {
    for (let t: usize = 0; t < 64; t += 4) store<u32>(schedule + t, swap(load<u32>(data + t)));
    for (let t: usize = 64; t < 256; t += 4) {
      const p = schedule + t - 64;
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
    for (let t: usize = 0; t < 256; t += 4) {
      const t1 =
        h + (rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25)) + (g ^ (e & (f ^ g))) + load<u32>(constants + t) + load<u32>(schedule + t);
      const t2 = (rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22)) + ((a & b) | (c & (a | b)));
      h = g;
      g = f;
      f = e;
      e = d + t1;
      d = c;
      c = b;
      b = a;
      a = t1 + t2;
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
