/**
 * The counter of instructions of the message that is being executed. The rewritten module lowers it by itself; system
 * calls, pages and bytes are charged here, and kept apart for the record.
 */
import { Trap } from './errors.ts';
import { instructionLimits } from './limits.ts';

/** Where a message's instructions went. */
export interface Instructions {
  total: number;
  /** First touches and first writes of pages. */
  pages: number;
  /** System calls and the bytes they move. */
  systemCalls: number;
  /** Everything else: the module's own instructions. */
  rest: number;
}

export class Meter {
  /** What is left; a mutable i64 global of the instance. */
  #counter: WebAssembly.Global = new WebAssembly.Global({ value: 'i64', mutable: true }, 0n);
  #limit = 0;
  #sliced = false;
  #pages = 0;
  #systemCalls = 0;

  /**
   * Starts a message with `limit` instructions on the instance whose counter is given; `sliced`: it may take several
   * rounds.
   */
  begin(counter: WebAssembly.Global, limit: number, sliced = false): void {
    this.#counter = counter;
    this.#limit = limit;
    this.#sliced = sliced;
    this.#pages = 0;
    this.#systemCalls = 0;
    counter.value = BigInt(limit);
  }

  /** Instructions used since `begin`. */
  get used(): number {
    return this.#limit - Number(this.#counter.value);
  }

  get limit(): number {
    return this.#limit;
  }

  get instructions(): Instructions {
    const total = Math.min(this.used, this.#limit);
    const [pages, systemCalls] = [this.#pages, this.#systemCalls];
    return { total, pages, systemCalls, rest: Math.max(total - pages - systemCalls, 0) };
  }

  chargePages(instructions: number): void {
    this.#pages += this.#charge(instructions);
    this.#checkLimit();
  }

  chargeSystemCall(instructions: number): void {
    const before = this.used;
    this.#systemCalls += this.#charge(instructions);
    this.#checkSlice(before, instructions);
    this.#checkLimit();
  }

  /**
   * Before a bulk operation that charges for so many bytes by itself.
   * @throws Trap where it is too large for a slice
   */
  beforeBulk(bytes: number): void {
    this.#checkSlice(this.used, bytes);
  }

  /**
   * A message is paused after the operation that passes the end of its slice, and what it passed it by is taken off the
   * next one. One that passes that, too, is refused. Slices end at multiples of their length, therefore. Source:
   * dfinity/ic, dts.rs.
   */
  #checkSlice(before: number, instructions: number): void {
    const { slice } = instructionLimits;
    const end = Math.max(Math.ceil(before / slice), 1) * slice;
    const after = before + instructions;
    if (!this.#sliced || end >= this.#limit || after < end + slice) return;
    this.#counter.value = BigInt(Math.max(this.#limit - after, 0));
    throw new Trap(
      'IC0522',
      `Canister attempted to perform a large memory operation that used ${after - (end - slice)} instructions and exceeded the slice limit ${slice}.`,
    );
  }

  /** Charges what is found out when the message is over: never more than is left. */
  chargeAfterwards(instructions: number): void {
    const charged = Math.min(instructions, Math.max(this.#limit - this.used, 0));
    this.#pages += charged;
    this.#counter.value -= BigInt(charged);
  }

  /**
   * Lowers the counter by so much, or to -1: lengths are the canister's to give, and may be beyond what the counter
   * holds.
   * @returns by how much of what was left
   */
  #charge(instructions: number): number {
    const left = Math.max(this.#limit - this.used, 0);
    const charged = Math.min(instructions, left);
    this.#counter.value -= BigInt(instructions > left ? left + 1 : instructions);
    return charged;
  }

  #checkLimit(): void {
    if (this.#counter.value < 0n) this.outOfInstructions();
  }

  outOfInstructions(): never {
    throw new Trap(
      'IC0522',
      `Canister exceeded the limit of ${this.#limit} instructions for single message execution.`,
    );
  }
}
