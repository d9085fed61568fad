/**
 * Rewrites one function: charges instructions at the start of each straight-line block, looks at the page map before
 * loads and stores, moves addresses up past the page map. Not the module around it (instrument.ts). What is left to
 * spend is kept in a local, `fuel`, because a global would be a load and a store for each block (measured: a third of
 * the running time). The global is brought up to date wherever someone may read it: before calls and returns, and
 * before whatever may trap. Source of the rules: instruction-costs.json, `static_metering_rules`.
 */

import { Assembler } from './assembler.ts';
import { Body } from './body.ts';
import { Writer } from './bytes.ts';
import { functionEntryCost, opcodeCost, pageBytes } from './costs.ts';
import { type FuncType, ValType } from './module.ts';
import { endsBlock, Op, opcodes } from './opcodes.ts';
import { type PageCheck, planPageChecks } from './page-checks.ts';

/**
 * What the rewriter needs to know of the module that is being written: indices of what instructions are replaced with.
 */
export interface Surroundings {
  metering: boolean;
  pageChecks: boolean;
  /** Global: what is left to spend. */
  counter: number;
  /** Global: size of memory in pages. */
  pages: number;
  /** New index of a function. */
  functionIndex(index: number): number;
  hook(name: 'touchRead' | 'touchWrite' | 'grow' | 'outOfInstructions'): number;
  /** Function that does a bulk memory operation. */
  bulk(code: number, segment: number): number;
  /** Global: whether a data segment was dropped. */
  droppedFlag(segment: number): number;
  /** Index of the type without parameters and with these results. */
  blockType(results: number[]): number;
}

const maximalOffset = 2 ** 32 - 1 - pageBytes;
const accesses = [...opcodes.values()].filter(({ access }) => access);
const accessOf = new Map(accesses.map(({ code, access }) => [code, access!]));
const isAccess = new Uint8Array(0x10000);
for (const { code } of accesses) isAccess[code] = 1;

/** What an added local holds: the fuel; while a page is looked up, the address and the operand above it. */
type LocalUse = 'fuel' | 'address' | 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/** Before these the counter is brought up to date: they may trap, or leave the function. */
const needsCounter = new Uint8Array(0x10000);
for (const { code, name } of opcodes.values()) {
  if (/\.(div|rem)_|\.trunc_f|^table\.get|^unreachable|^return|^call|^memory\.(grow|copy|fill|init)/.test(name))
    needsCounter[code] = 1;
}
/** After these it may have changed. */
const changesCounter = new Uint8Array(0x10000);
for (const code of [Op.call, Op.callIndirect, Op.memoryCopy, Op.memoryFill, Op.memoryInit]) changesCounter[code] = 1;

export class BodyRewriter {
  readonly #in: Surroundings;
  readonly #body = new Body();
  readonly #w = new Assembler(1 << 16);
  #added: LocalUse[] = [];
  #firstAdded = 0;
  /** Where in the code the branches stand that are hardly ever taken. */
  #unlikely: number[] = [];

  constructor(surroundings: Surroundings) {
    this.#in = surroundings;
  }

  /**
   * @param bytes locals and code of a function of type `type`
   * @returns the same rewritten, and where in it stand the `if`s that are hardly ever entered
   */
  rewrite(bytes: Uint8Array, type: FuncType): { body: Uint8Array; unlikely: number[] } {
    const [body, w] = [this.#body, this.#w];
    body.decode(bytes);
    w.clear();
    this.#added = [];
    this.#unlikely = [];
    this.#firstAdded = type.params.length + body.localCount;
    const checks = this.#in.pageChecks ? planPageChecks(body) : [];
    const last = body.count - 1;
    let nextCheck = 0;
    let block = 0;
    for (let i = 0; i < last; i++) {
      if (i === block) block = this.#charge(i, type);
      if (checks[nextCheck]?.at === i) this.#check(checks[nextCheck++]);
      this.#instruction(i);
    }
    if (block === last) this.#charge(last, type);
    if (this.#in.metering) {
      w.op(Op.end);
      this.#store();
    }
    w.op(Op.end);
    const out = new Writer(w.length + 64).u32(body.locals.length + this.#added.length);
    for (const { count, type: of } of body.locals) out.u32(count).byte(of);
    for (const use of this.#added)
      out.u32(1).byte(use === 'fuel' ? ValType.i64 : use === 'address' ? ValType.i32 : ValType[use]);
    const unlikely = this.#unlikely.map((at) => out.length + at);
    return { body: out.bytes(w.view()).finish(), unlikely };
  }

  #ifUnlikely(write: () => void): void {
    this.#unlikely.push(this.#w.length);
    this.#w.if(write);
  }

  #local(use: LocalUse): number {
    let at = this.#added.indexOf(use);
    if (at < 0) at = this.#added.push(use) - 1;
    return this.#firstAdded + at;
  }

  /** Brings the counter up to date. */
  #store(): void {
    if (this.#in.metering) this.#w.get(this.#local('fuel')).globalSet(this.#in.counter);
  }

  /** Takes over what others have charged. */
  #reload(): void {
    if (this.#in.metering) this.#w.globalGet(this.#in.counter).set(this.#local('fuel'));
  }

  /** Charges the straight-line block that begins at instruction `from`; returns where the next begins. */
  #charge(from: number, type: FuncType): number {
    const { code, count } = this.#body;
    let cost = from === 0 ? functionEntryCost : 0;
    let next = from;
    while (next < count) {
      cost += opcodeCost[code[next]];
      if (endsBlock[code[next++]]) break;
    }
    if (!this.#in.metering) return next;
    const [w, fuel] = [this.#w, this.#local('fuel')];
    const entered = from === 0 || code[from - 1] === Op.loop;
    if (cost === 0 && !entered) return next;
    if (from === 0) w.globalGet(this.#in.counter);
    else w.get(fuel);
    if (cost > 0) w.i64(cost).op(Op.i64Sub);
    if (!entered) w.set(fuel);
    else {
      w.tee(fuel).i64(0).op(Op.i64LtS);
      this.#ifUnlikely(() => {
        this.#store();
        w.call(this.#in.hook('outOfInstructions'));
      });
    }
    // Whatever leaves the function by a branch to its outermost label comes out of this block, and on to where the
    // counter is stored.
    if (from === 0) this.#openBlock(type.results);
    return next;
  }

  #openBlock(results: number[]): void {
    this.#w.byte(Op.block);
    if (results.length === 0) this.#w.byte(0x40);
    else if (results.length === 1) this.#w.byte(results[0]);
    else this.#w.s32(this.#in.blockType(results));
  }

  /** Looks at the page map before a load or store; the operands are on the stack and stay there. */
  #check({ at, write, low, high }: PageCheck): void {
    const w = this.#w;
    const { value } = accessOf.get(this.#body.code[at])!;
    const offset = this.#body.a[at] >>> 0;
    if (offset > maximalOffset) return;
    const address = this.#local('address');
    const operand = value && this.#local(value);
    if (operand !== undefined) w.set(operand);
    w.tee(address);
    this.#pageState(address, offset + low);
    if (high !== low) {
      this.#pageState(address, offset + high);
      w.op(Op.i32And);
    }
    if (write) w.i32(2).op(Op.i32LtU);
    else w.op(Op.i32Eqz);
    this.#ifUnlikely(() => {
      this.#store();
      this.#sum(address, offset + low);
      this.#sum(address, offset + high);
      this.#sum(address, offset);
      w.call(this.#in.hook(write ? 'touchWrite' : 'touchRead'));
      this.#reload();
    });
    if (operand !== undefined) w.get(operand);
  }

  /** Puts `address + distance` on the stack. */
  #sum(address: number, distance: number): void {
    this.#w.get(address);
    if (distance !== 0) this.#w.i32(distance | 0).op(Op.i32Add);
  }

  /** Puts the page map's byte for `address + distance` on the stack. */
  #pageState(address: number, distance: number): void {
    this.#sum(address, distance);
    this.#w.i32(16).op(Op.i32ShrU, Op.i32Load8U, 0, 0);
  }

  #instruction(i: number): void {
    const { code, a, b, c, start, bytes } = this.#body;
    const op = code[i];
    const w = this.#w;
    if (isAccess[op]) {
      const offset = a[i] >>> 0;
      if (offset <= maximalOffset)
        w.bytes(bytes, start[i], b[i])
          .u32(offset + pageBytes)
          .bytes(bytes, c[i], start[i + 1]);
      // Out of bounds whatever the base.
      else {
        this.#store();
        w.op(Op.unreachable);
      }
      return;
    }
    if (needsCounter[op]) this.#store();
    switch (op) {
      case Op.call:
      case Op.returnCall:
      case Op.refFunc:
        w.byte(op).u32(this.#in.functionIndex(a[i]));
        break;
      case Op.memorySize:
        w.globalGet(this.#in.pages);
        break;
      case Op.memoryGrow:
        w.call(this.#in.hook('grow'));
        break;
      case Op.memoryCopy:
      case Op.memoryFill:
      case Op.memoryInit:
        w.call(this.#in.bulk(op, a[i]));
        break;
      case Op.dataDrop:
        w.i32(1).globalSet(this.#in.droppedFlag(a[i]));
        break;
      default:
        w.bytes(bytes, start[i], start[i + 1]);
    }
    if (changesCounter[op]) this.#reload();
  }
}
