/**
 * Rewrites a canister's module so that it meters itself and keeps a map of the pages it touches:
 *   memory  | page map, 64 KiB: one byte a page (0 untouched, 1 read, 3 written) | the canister's page 0 | page 1 | …
 * Every address is moved up by 64 KiB through its offset. A counter of instructions is lowered at the start of each
 * straight-line block. Instructions of the module itself are neither reordered nor changed, so that what is counted is
 * what was written. Source of the rules: instruction-costs.json, `static_metering_rules` and `dynamic_costs`.
 */

import { instructionLimits } from '../limits.ts';
import { Assembler } from './assembler.ts';
import { BodyRewriter } from './body-rewriter.ts';
import { Writer } from './bytes.ts';
import { pageBytes } from './costs.ts';
import { type ConstExpr, type ElementSegment, type Module, ValType } from './module.ts';
import { Op } from './opcodes.ts';

/** What the rewritten module imports from `replica`, in this order, after its own imports. */
export const hooks = ['touchRead', 'touchWrite', 'touchRange', 'grow', 'outOfInstructions', 'beforeBulk'] as const;
type Hook = (typeof hooks)[number];

const { i32, i64, v128 } = ValType;
const snapshotTypes = new Map<number, SnapshotGlobal['type']>([
  [i32, 'i32'],
  [i64, 'i64'],
  [ValType.f32, 'f32'],
  [ValType.f64, 'f64'],
  [v128, 'v128'],
]);
const hookTypes: Record<Hook, [params: number[], results: number[]]> = {
  touchRead: [[i32, i32, i32], []],
  touchWrite: [[i32, i32, i32], []],
  touchRange: [[i32, i32, i32], []],
  grow: [[i32], [i32]],
  outOfInstructions: [[], []],
  beforeBulk: [[i32], []],
};

/** What stands in for a call to stable memory that is not made native: it traps. */
export const notNative = (name: string): string => `${name}, not native`;

/** What of the rewriting is done; measuring what it costs in time is the only reason to leave something out. */
export interface InstrumentOptions {
  metering?: boolean;
  pageChecks?: boolean;
}

/** A global as a snapshot has it; those of reference types are none. */
export interface SnapshotGlobal {
  index: number;
  type: 'i32' | 'i64' | 'f32' | 'f64' | 'v128';
  mutable: boolean;
}

export interface Instrumented {
  wasm: Uint8Array<ArrayBuffer>;
  /** Initial and largest size of the canister's memory in pages, page map not counted. */
  minPages: number;
  maxPages: number;
  /** Names of the exported globals that are the module's mutable state. */
  globals: string[];
  /** The globals that a snapshot holds, in its order: those that the module exports, then the other mutable ones. */
  snapshotGlobals: SnapshotGlobal[];
  /** Indices of mutable globals of type v128; the exports `low i`, `high i` read them, `set i` writes them. */
  vectorGlobals: number[];
  /** Largest size of the table that callbacks are called through; 0 without one. */
  maxTable: number;
  hasStart: boolean;
}

/** Real memory has at most 65,536 pages, of which the page map takes one. */
export const maximalPages = 65_535;
/** Rewrites a module that keeps the rules of validate.ts. */
export function instrument(module: Module, options: InstrumentOptions = {}): Instrumented {
  return new Instrumenter(module, options).run();
}

class Instrumenter {
  readonly #module: Module;
  readonly #metering: boolean;
  readonly #pageChecks: boolean;
  readonly #types: { params: number[]; results: number[] }[];
  readonly #imports: number;
  readonly #counter: number;
  readonly #pages: number;
  /** Functions added after the module's own: by name its index; bodies and types in order. */
  readonly #added = new Map<string, number>();
  readonly #addedBodies: { type: number; body: Uint8Array }[] = [];
  /** Flag globals of data segments that are dropped at run time, by segment. */
  readonly #dropped = new Map<number, number>();

  constructor(module: Module, { metering = true, pageChecks = true }: InstrumentOptions) {
    this.#module = module;
    this.#metering = metering;
    this.#pageChecks = pageChecks;
    this.#types = [...module.types];
    this.#imports = module.imports.length;
    this.#counter = module.globals.length;
    this.#pages = module.globals.length + 1;
  }

  run(): Instrumented {
    const module = this.#module;
    const memory = module.memories[0] ?? { min: 0, max: 0 };
    if (memory.min > maximalPages)
      throw new Error(`module: expected a memory of at most ${maximalPages} pages, got ${memory.min}`);
    const hookTypeIndices = hooks.map((hook) => this.#type(...hookTypes[hook]));
    const rewriter = new BodyRewriter({
      metering: this.#metering,
      pageChecks: this.#pageChecks,
      counter: this.#counter,
      pages: this.#pages,
      functionIndex: (index) => this.#functionIndex(index),
      hook: (name) => this.#hook(name),
      bulk: (code, segment) => this.#bulk(code, segment),
      droppedFlag: (segment) => this.#droppedFlag(segment),
      blockType: (results) => this.#type([], results),
    });
    const bodies = module.code.map((bytes, i) => rewriter.rewrite(bytes, module.types[module.functions[i]]));
    if (module.tables.length > 0) this.#helper('invoke', [i32, i32], (w) => this.#invoke(w));
    const vectorGlobals = this.#vectorGlobals();
    const globals = this.#exportedGlobals();

    const out = new Writer(1 << 20);
    out.bytes([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    const vec = (id: number, count: number, write: (w: Writer) => void) => {
      if (count > 0) out.section(id, (w) => write(w.u32(count)));
    };
    vec(1, this.#types.length, (w) => {
      for (const { params, results } of this.#types)
        w.byte(0x60).u32(params.length).bytes(params).u32(results.length).bytes(results);
    });
    vec(2, this.#imports + hooks.length, (w) => {
      for (const [i, { module: from, name, type }] of module.imports.entries())
        w.name(from)
          .name(this.#isReplaced(name, i) ? notNative(name) : name)
          .byte(0)
          .u32(type);
      for (const [i, hook] of hooks.entries()) w.name('replica').name(hook).byte(0).u32(hookTypeIndices[i]);
    });
    vec(3, module.functions.length + this.#addedBodies.length, (w) => {
      for (const type of module.functions) w.u32(type);
      for (const { type } of this.#addedBodies) w.u32(type);
    });
    vec(4, module.tables.length, (w) => {
      for (const { type, limits } of module.tables) {
        w.byte(type)
          .byte(limits.max === undefined ? 0 : 1)
          .u32(limits.min);
        if (limits.max !== undefined) w.u32(limits.max);
      }
    });
    const maxPages = Math.min(memory.max ?? maximalPages, maximalPages);
    vec(5, 1, (w) =>
      w
        .byte(1)
        .u32(memory.min + 1)
        .u32(maxPages + 1),
    );
    vec(6, module.globals.length + 2 + this.#dropped.size, (w) => {
      for (const { type, mutable, init } of module.globals) {
        w.byte(type).byte(mutable ? 1 : 0);
        this.#constExpr(w, init);
      }
      w.byte(i64).byte(1).byte(Op.i64Const).byte(0).byte(Op.end);
      w.byte(i32).byte(1).byte(Op.i32Const).s32(memory.min).byte(Op.end);
      for (let i = 0; i < this.#dropped.size; i++) w.byte(i32).byte(1).byte(Op.i32Const).byte(0).byte(Op.end);
    });
    const exports = this.#exports(globals);
    vec(7, exports.length, (w) => {
      for (const [name, kind, index] of exports) w.name(name).byte(kind).u32(index);
    });
    vec(9, module.elements.length, (w) => {
      for (const segment of module.elements) this.#element(w, segment);
    });
    if (module.hasDataCount) out.section(12, (w) => w.u32(module.data.length));
    out.section(0, (w) => this.#branchHints(w, bodies));
    vec(10, bodies.length + this.#addedBodies.length, (w) => {
      for (const { body } of bodies) w.u32(body.length).bytes(body);
      for (const { body } of this.#addedBodies) w.u32(body.length).bytes(body);
    });
    vec(11, module.data.length, (w) => {
      for (const { offset, bytes } of module.data) {
        w.byte(offset ? 0 : 1);
        if (offset)
          w.byte(Op.i32Const)
            .s32(this.#dataOffset(offset, bytes.length, memory.min))
            .byte(Op.end);
        w.u32(bytes.length).bytes(bytes);
      }
    });
    return {
      wasm: out.finish(),
      minPages: memory.min,
      maxPages,
      globals: globals.map(([name]) => name),
      snapshotGlobals: this.#snapshotGlobals(),
      vectorGlobals,
      maxTable: module.tables[0] ? (module.tables[0].limits.max ?? Number.POSITIVE_INFINITY) : 0,
      hasStart: module.start !== undefined,
    };
  }

  /**
   * Tells the engine which branches are hardly ever taken, so that it keeps their calls out of the way of registers
   * (measured: page checks cost a third less time). Source: WebAssembly branch hinting proposal.
   */
  #branchHints(w: Writer, bodies: { unlikely: number[] }[]): void {
    const hinted = [...bodies.entries()].filter(([, { unlikely }]) => unlikely.length > 0);
    w.name('metadata.code.branch_hint').u32(hinted.length);
    for (const [i, { unlikely }] of hinted) {
      w.u32(this.#functionIndex(this.#imports + i)).u32(unlikely.length);
      for (const at of unlikely) w.u32(at).byte(1).byte(0);
    }
  }

  /** Calls to stable memory are native, but of an import that stands twice only the last. */
  #isReplaced(name: string, index: number): boolean {
    return name.startsWith('stable') && this.#module.imports.some((other, i) => i > index && other.name === name);
  }

  /** Functions of the module move up by the number of hooks. */
  #functionIndex(index: number): number {
    return index < this.#imports ? index : index + hooks.length;
  }

  #hook(hook: Hook): number {
    return this.#imports + hooks.indexOf(hook);
  }

  #type(params: number[], results: number[] = []): number {
    const same = (a: number[], b: number[]) => a.length === b.length && a.every((type, i) => type === b[i]);
    const known = this.#types.findIndex((type) => same(type.params, params) && same(type.results, results));
    return known >= 0 ? known : this.#types.push({ params, results }) - 1;
  }

  #dataOffset(offset: ConstExpr, length: number, minPages: number): number {
    const at = offset.operand >>> 0;
    if (offset.opcode !== Op.i32Const || at + length > minPages * pageBytes)
      throw new Error(`module: expected data segments inside the initial memory, got one of ${length} bytes at ${at}`);
    return at + pageBytes;
  }

  #constExpr(w: Writer, { opcode, operand, bytes }: ConstExpr): void {
    if (opcode === Op.refFunc) w.byte(Op.refFunc).u32(this.#functionIndex(operand));
    else w.bytes(bytes);
    w.byte(Op.end);
  }

  #element(w: Writer, { flags, table, offset, type, functions, expressions }: ElementSegment): void {
    w.u32(flags);
    if (!(flags & 1) && flags & 2) w.u32(table);
    if (offset) this.#constExpr(w, offset);
    if (type !== undefined) w.byte(type);
    const entries = functions ?? expressions!;
    w.u32(entries.length);
    for (const entry of entries) {
      if (typeof entry === 'number') w.u32(this.#functionIndex(entry));
      else this.#constExpr(w, entry);
    }
  }

  /** The module's mutable state: its mutable globals, the size of its memory, dropped segments. */
  #exportedGlobals(): [name: string, index: number][] {
    const own = this.#module.globals.flatMap(({ mutable, type }, i): [string, number][] =>
      mutable && type !== v128 ? [[`global ${i}`, i]] : [],
    );
    const flags = [...this.#dropped].map(([segment, index]): [string, number] => [`dropped ${segment}`, index]);
    return [...own, ['pages', this.#pages], ...flags];
  }

  /** JavaScript cannot read a global of type v128: adds functions that do. */
  #vectorGlobals(): number[] {
    const found = this.#snapshotGlobals().filter(({ type }) => type === 'v128');
    const extractLane = [0xfd, 0x1d];
    for (const { index: i, mutable } of found) {
      for (const [lane, name] of ['low', 'high'].entries())
        this.#helper(`${name} ${i}`, [], (w) => w.globalGet(i).op(...extractLane, lane), [i64]);
      if (!mutable) continue;
      this.#helper(`set ${i}`, [i64, i64], (w) =>
        // i64x2.splat, then i64x2.replace_lane 1
        w.get(0).op(0xfd, 0x12).get(1).op(0xfd, 0x1e, 1).globalSet(i),
      );
    }
    return found.filter(({ mutable }) => mutable).map(({ index }) => index);
  }

  #snapshotGlobals(): SnapshotGlobal[] {
    const { globals, exports } = this.#module;
    // one that exports a global that is not there is for the engine to refuse
    const exported = exports.filter(({ kind, index }) => kind === 3 && index in globals).map(({ index }) => index);
    const changing = [...globals.keys()].filter((i) => globals[i].mutable);
    return [...new Set([...exported, ...changing])].flatMap((index) => {
      const { type, mutable } = globals[index];
      const name = snapshotTypes.get(type);
      return name ? [{ index, type: name, mutable }] : [];
    });
  }

  /** Entry points keep their names; other exports of the module are of no use to anyone. */
  #exports(globals: [string, number][]): [name: string, kind: number, index: number][] {
    const entries = this.#module.exports
      .filter(({ name, kind }) => kind === 0 && name.startsWith('canister_'))
      .map(({ name, index }): [string, number, number] => [name, 0, this.#functionIndex(index)]);
    if (this.#module.start !== undefined) entries.push(['start', 0, this.#functionIndex(this.#module.start)]);
    for (const [name, index] of this.#added) if (/^(invoke|low|high|set)/.test(name)) entries.push([name, 0, index]);
    entries.push(['memory', 2, 0], ['counter', 3, this.#counter]);
    for (const [name, index] of globals) entries.push([name, 3, index]);
    for (const { index, type, mutable } of this.#snapshotGlobals())
      if (!mutable && type !== 'v128') entries.push([`global ${index}`, 3, index]);
    return entries;
  }

  /** Adds a function to the module, once for each name; returns its index. */
  #helper(name: string, params: number[], write: (w: Assembler) => void, results: number[] = []): number {
    const known = this.#added.get(name);
    if (known !== undefined) return known;
    const index = this.#imports + hooks.length + this.#module.functions.length + this.#addedBodies.length;
    const w = new Assembler();
    w.u32(0);
    write(w);
    this.#added.set(name, index);
    this.#addedBodies.push({ type: this.#type(params, results), body: w.op(Op.end).finish() });
    return index;
  }

  /** invoke(function, environment): calls a callback through the table, which checks its type. */
  #invoke(w: Assembler): void {
    w.get(1)
      .get(0)
      .byte(Op.callIndirect)
      .u32(this.#type([i32]))
      .u32(0);
  }

  /**
   * The start of a bulk operation (pointer, …, length): charges its length, touches its pages, traps out of bounds. A
   * pointer at the very end of 4 GiB becomes 0 when it is moved up; then the length is 0, and that is in bounds too.
   */
  #beginBulk(w: Assembler, touch: () => void): void {
    if (this.#metering) {
      // one shorter than a slice always fits
      w.get(2).i32(instructionLimits.slice).op(Op.i32GeU);
      w.if(() => w.get(2).call(this.#hook('beforeBulk')));
      w.globalGet(this.#counter).get(2).op(Op.i64ExtendI32U, Op.i64Sub).globalSet(this.#counter);
      w.globalGet(this.#counter).i64(0).op(Op.i64LtS);
      w.if(() => w.call(this.#hook('outOfInstructions')));
    }
    touch();
  }

  /** Puts `local + 64 KiB` on the stack. */
  #moved(w: Assembler, local: number): void {
    w.get(local).i32(pageBytes).op(Op.i32Add);
  }

  /** Touches the pages from local `pointer` for as many bytes as local 2 says; traps where they are out of bounds. */
  #touchRange(w: Assembler, pointer: number, write: boolean): void {
    w.get(pointer)
      .get(2)
      .i32(write ? 1 : 0)
      .call(this.#hook('touchRange'));
  }

  /** The function (destination, source or value, length) that does a bulk memory operation. */
  #bulk(code: number, segment: number): number {
    const params = [i32, i32, i32];
    if (code === Op.memoryCopy)
      return this.#helper('copy', params, (w) => {
        this.#beginBulk(w, () => {
          this.#touchRange(w, 1, false);
          this.#touchRange(w, 0, true);
        });
        this.#moved(w, 0);
        this.#moved(w, 1);
        w.get(2).op(0xfc, 0x0a, 0, 0);
      });
    if (code === Op.memoryFill)
      return this.#helper('fill', params, (w) => {
        this.#beginBulk(w, () => this.#touchRange(w, 0, true));
        this.#moved(w, 0);
        w.get(1).get(2).op(0xfc, 0x0b, 0);
      });
    const dropped = this.#droppedFlag(segment);
    return this.#helper(`init ${segment}`, params, (w) => {
      this.#beginBulk(w, () => {
        this.#touchRange(w, 0, true);
        w.globalGet(dropped).get(1).get(2).op(Op.i32Or).i32(0).op(Op.i32Ne, Op.i32And);
        w.if(() => w.op(Op.unreachable));
      });
      this.#moved(w, 0);
      w.get(1).get(2).op(0xfc, 0x08).u32(segment).byte(0);
    });
  }

  /** A dropped segment is only marked, so that undoing the message can bring it back. */
  #droppedFlag(segment: number): number {
    let flag = this.#dropped.get(segment);
    if (flag === undefined) {
      flag = this.#module.globals.length + 2 + this.#dropped.size;
      this.#dropped.set(segment, flag);
    }
    return flag;
  }
}
