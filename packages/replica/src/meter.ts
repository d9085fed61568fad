/**
 * The counter of instructions of the message that is being executed. The rewritten module lowers it by itself; system calls,
 * pages and bytes are charged here, and kept apart for the record.
 */
import { Trap } from './errors.ts';

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
  #pages = 0;
  #systemCalls = 0;

  /** Starts a message with `limit` instructions on the instance whose counter is given. */
  begin(counter: WebAssembly.Global, limit: number): void {
    this.#counter = counter;
    this.#limit = limit;
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
    this.#systemCalls += this.#charge(instructions);
    this.#checkLimit();
  }

  /** Charges what is found out when the message is over: never more than is left. */
  chargeAfterwards(instructions: number): void {
    const charged = Math.min(instructions, Math.max(this.#limit - this.used, 0));
    this.#pages += charged;
    this.#counter.value -= BigInt(charged);
  }

  /**
   * Lowers the counter by so much, or to -1: lengths are the canister's to give, and may be beyond what the counter holds.
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
