/**
 * SHA-256 (FIPS 180-4) over bytes that come in pieces, computed by the kernels: in the canister an interpreter could
 * not hash megabytes. Its state can be saved and taken up again, so that a hash can run over many messages. In Node, a
 * library's would do as well.
 */
import { HEADER_BYTES } from './assembly/protocol.ts';
import type { Unit } from './unit.ts';

/** First 32 bits of the fractional parts of the square roots of the first 8 primes, section 5.3.3. */
// biome-ignore format: a table
const INITIAL = Uint32Array.of(
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
);
/** The same of the cube roots of the first 64 primes, section 4.2.2. */
// biome-ignore format: a table
export const CONSTANTS = Uint32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
);

/** What a hash has come to so far: eight words and the number of bytes, a multiple of 64. */
export interface HashState {
  words: Uint32Array;
  bytes: number;
}

const BLOCK = 64;

export class Sha256 {
  private readonly unit: Unit;
  /** Eight words. */
  readonly state: number;
  readonly constants: number;

  /** @param allocate takes room in the unit's arena */
  constructor(unit: Unit, allocate: (bytes: number) => number) {
    this.unit = unit;
    this.state = allocate(32);
    this.constants = allocate(256);
    unit.write(this.constants, new Uint8Array(CONSTANTS.buffer));
  }

  begin(): HashState {
    return { words: INITIAL.slice(), bytes: 0 };
  }

  /** Goes on with a piece that stands behind HEADER_BYTES of room; its length must be a multiple of 64. */
  update(hash: HashState, mailbox: Uint8Array): HashState {
    const bytes = mailbox.length - HEADER_BYTES;
    if (bytes % BLOCK !== 0) throw new RangeError(`sha256: expected a multiple of ${BLOCK} bytes, got ${bytes}`);
    this.unit.write(this.state, new Uint8Array(hash.words.buffer, hash.words.byteOffset, 32));
    this.unit.hashMailbox(this.state, this.constants, mailbox);
    return { words: new Uint32Array(this.unit.read(this.state, 32).buffer), bytes: hash.bytes + bytes };
  }

  /** Ends with the last piece, of any length, and gives the 32 bytes. */
  digest(hash: HashState, rest: Uint8Array): Uint8Array {
    const message = padded(rest, hash.bytes);
    const mailbox = new Uint8Array(HEADER_BYTES + message.length);
    mailbox.set(message, HEADER_BYTES);
    const out = new Uint8Array(32);
    const view = new DataView(out.buffer);
    const { words } = this.update(hash, mailbox);
    for (let i = 0; i < 8; i++) view.setUint32(i * 4, words[i]!);
    return out;
  }
}

/** The end of a message in whole blocks, section 5.1.1. @param before bytes of it that came before */
export function padded(rest: Uint8Array, before = 0): Uint8Array {
  const message = new Uint8Array(Math.ceil((rest.length + 9) / BLOCK) * BLOCK);
  message.set(rest);
  message[rest.length] = 0x80;
  new DataView(message.buffer).setBigUint64(message.length - 8, BigInt(before + rest.length) * 8n);
  return message;
}
