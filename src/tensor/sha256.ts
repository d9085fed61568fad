/**
 * SHA-256 (FIPS 180-4) over bytes that come in pieces, computed by the kernels: in the canister an interpreter could not hash megabytes.
 * Its state can be saved and taken up again, so that a hash can run over many messages. In Node, a library's would do as well.
 */
import { HEADER_BYTES } from './assembly/protocol.ts';
import type { Unit } from './unit.ts';

/** First 32 bits of the fractional parts of the square roots (section 5.3.3) and cube roots (4.2.2) of the first primes. */
function fractions(count: number, root: 2 | 3): Uint32Array {
  const out: number[] = [];
  for (let n = 2n; out.length < count; n++) {
    let prime = true;
    for (let d = 2n; d * d <= n; d++) if (n % d === 0n) prime = false;
    if (prime) out.push(Number(integerRoot(n << BigInt(32 * root), root) & 0xffffffffn));
  }
  return Uint32Array.from(out);
}

/** The largest r with r^root <= n, by bisection. */
function integerRoot(n: bigint, root: 2 | 3): bigint {
  let [low, high] = [0n, 1n << 40n];
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (middle ** BigInt(root) <= n) low = middle;
    else high = middle;
  }
  return low;
}

/** What a hash has come to so far: eight words and the number of bytes, a multiple of 64. */
export interface HashState {
  words: Uint32Array;
  bytes: number;
}

const BLOCK = 64;

export class Sha256 {
  private readonly unit: Unit;
  /** Eight words of state, then the kernels' room for a message schedule. */
  private readonly state: number;
  private readonly constants: number;

  /** @param allocate takes room in the unit's arena */
  constructor(unit: Unit, allocate: (bytes: number) => number) {
    this.unit = unit;
    this.state = allocate(32 + 256);
    this.constants = allocate(256);
    unit.write(this.constants, new Uint8Array(fractions(64, 3).buffer));
  }

  begin(): HashState {
    return { words: fractions(8, 2), bytes: 0 };
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
    const bits = BigInt(hash.bytes + rest.length) * 8n;
    const padded = Math.ceil((rest.length + 9) / BLOCK) * BLOCK;
    const mailbox = new Uint8Array(HEADER_BYTES + padded);
    mailbox.set(rest, HEADER_BYTES);
    mailbox[HEADER_BYTES + rest.length] = 0x80;
    new DataView(mailbox.buffer).setBigUint64(HEADER_BYTES + padded - 8, bits);
    const out = new Uint8Array(32);
    const view = new DataView(out.buffer);
    const { words } = this.update(hash, mailbox);
    for (let i = 0; i < 8; i++) view.setUint32(i * 4, words[i]!);
    return out;
  }
}
