/**
 * Decides which loads and stores of a function must look at the page map, and which are covered by an earlier look.
 * Accesses off the same base within a straight line of code are looked up together, at the first of them: the page of
 * the lowest and the page of the highest address. Pages stay touched for the whole message, so a look stays good
 * wherever it comes before, for as long as the base is the same.
 * Where one of the two pages is out of bounds, the engine traps at the access that goes there, and only the first
 * access's page is touched. Not exact: an access that straddles two pages counts for the page of its first byte (the
 * undo log saves the 15 bytes beyond).
 */
import type { Body } from './body.ts';
import { Op, opcodes } from './opcodes.ts';

/** A look at the page map before instruction `at`, relative to that access's own address (offset included). */
export interface PageCheck {
  at: number;
  write: boolean;
  /** Distance from the access's address to the lowest and the highest address looked up. */
  low: number;
  high: number;
}

/** A value as far as it is known: some unknown value `root` plus a constant. */
interface Value {
  root: number;
  addend: number;
  constant?: boolean;
}

interface Group extends PageCheck {
  /** Address of the first access relative to the root. */
  start: number;
}

const maximalSpan = 65_535;

/** Operands popped and results pushed, of instructions without special treatment. */
const pops = new Int8Array(0x10000);
const pushes = new Int8Array(0x10000).fill(1);
/** 1: a load, 2: a store. */
const accessKind = new Uint8Array(0x10000);
const [load, store] = [1, 2];
const unary =
  /\.(eqz|clz|ctz|popcnt|abs|neg|ceil|floor|trunc|nearest|sqrt|not|splat|any_true|all_true|bitmask|is_null)$|wrap_|extend|extract_lane|convert|trunc_|demote|promote|reinterpret|extadd|table\.get|memory\.grow/;
for (const { code, name, access } of opcodes.values()) {
  if (access) {
    accessKind[code] = access.write ? store : load;
    pops[code] = access.value ? 2 : 1;
    pushes[code] = access.write ? 0 : 1;
  } else if (/\.const$|^global\.get|^ref\.(null|func)|\.size$/.test(name)) pops[code] = 0;
  else if (/^drop$|^global\.set|^br_if|^if$/.test(name)) [pops[code], pushes[code]] = [1, 0];
  else if (/^(nop|block|data\.drop|elem\.drop)$/.test(name)) [pops[code], pushes[code]] = [0, 0];
  else if (/^(memory|table)\.(copy|fill|init)$/.test(name)) [pops[code], pushes[code]] = [3, 0];
  else if (/^select$|bitselect$/.test(name)) pops[code] = 3;
  else pops[code] = unary.test(name) ? 1 : 2;
}

/** These may trap: what comes after them is not looked up before them. */
const mayTrap = new Uint8Array(0x10000);
for (const { code, name } of opcodes.values())
  if (/\.(div|rem)_[su]$|\.trunc_f|^table\.get/.test(name)) mayTrap[code] = 1;

/** A block, a loop or an `if` that is open. */
interface Scope {
  loop: boolean;
  /** Locals that are set in it. */
  assigned: ReadonlySet<number>;
  /** Length of the trail where it began. */
  trail: number;
}

/** The locals that are set in each block, loop and `if`, by the instruction that begins it. */
function assignments(body: Body): Map<number, Set<number>> {
  const found = new Map<number, Set<number>>();
  const open: Set<number>[] = [];
  for (let i = 0; i < body.count; i++) {
    const code = body.code[i];
    if (code === Op.localSet || code === Op.localTee) open.at(-1)?.add(body.a[i]);
    else if (code === Op.block || code === Op.loop || code === Op.if) {
      const assigned = new Set<number>();
      found.set(i, assigned);
      open.push(assigned);
    } else if (code === Op.end) {
      const assigned = open.pop();
      const outer = open.at(-1);
      if (assigned && outer) for (const local of assigned) outer.add(local);
    }
  }
  return found;
}

/** What is known at a point of the function. */
class Knowledge {
  #roots = 0;
  #stack: Value[] = [];
  #locals = new Map<number, Value>();
  /** Looks that hold here, by root: reads at 2 * root, writes at 2 * root + 1. */
  #known = new Map<number, Group>();
  /** Those of them that this straight line may still widen. */
  #open = new Set<Group>();
  /** What `#known` held before each change, to go back to what held where a scope began. */
  #trail: [key: number, before: Group | undefined][] = [];
  #scopes: Scope[] = [];

  fresh(): Value {
    return { root: this.#roots++, addend: 0 };
  }

  pop(): Value {
    return this.#stack.pop() ?? this.fresh();
  }

  push(value: Value): void {
    this.#stack.push(value);
  }

  local(index: number): Value {
    let value = this.#locals.get(index);
    if (!value) {
      value = this.fresh();
      this.#locals.set(index, value);
    }
    return value;
  }

  setLocal(index: number, value: Value): void {
    this.#locals.set(index, value);
  }

  /** Nothing that comes later may be looked up with what came before; that still holds. */
  close(): void {
    this.#open.clear();
  }

  /** The straight line ends. */
  endLine(): void {
    this.close();
    this.#stack.length = 0;
  }

  /** A block, a loop or an arm of an `if` begins, in which `assigned` locals are set. */
  enter(loop: boolean, assigned: ReadonlySet<number>): void {
    this.endLine();
    this.#scopes.push({ loop, assigned, trail: this.#trail.length });
    // A loop's body runs again with what these have become.
    if (loop) for (const local of assigned) this.#locals.delete(local);
  }

  /** The other arm of an `if` begins: what the first looked up does not hold in it. */
  otherwise(): void {
    this.endLine();
    this.#forget(this.#scopes.at(-1)!);
  }

  /** A block ends, to which branches may have come; a loop's end is only fallen through. */
  leave(): void {
    this.endLine();
    const scope = this.#scopes.pop();
    if (scope && !scope.loop) this.#forget(scope);
  }

  #forget({ assigned, trail }: Scope): void {
    while (this.#trail.length > trail) {
      const [key, before] = this.#trail.pop()!;
      if (before) this.#known.set(key, before);
      else this.#known.delete(key);
    }
    for (const local of assigned) this.#locals.delete(local);
  }

  /** An access at `address`; returns a new look if none covers it. */
  access(at: number, address: Value, write: boolean): Group | undefined {
    const key = address.root * 2;
    const start = address.addend;
    const candidates = write ? [this.#known.get(key + 1)] : [this.#known.get(key + 1), this.#known.get(key)];
    for (const group of candidates) {
      if (group && start >= group.start + group.low && start <= group.start + group.high) return undefined;
    }
    const last = this.#known.get(write ? key + 1 : key);
    if (last && this.#open.has(last)) {
      const low = Math.min(last.low, start - last.start);
      const high = Math.max(last.high, start - last.start);
      if (high - low <= maximalSpan) {
        [last.low, last.high] = [low, high];
        return undefined;
      }
    }
    const group: Group = { at, write, low: 0, high: 0, start };
    this.#trail.push([write ? key + 1 : key, last]);
    this.#known.set(write ? key + 1 : key, group);
    this.#open.add(group);
    return group;
  }
}

/** The looks at the page map that a function needs, in order of their instruction. */
export function planPageChecks(body: Body): PageCheck[] {
  const checks: PageCheck[] = [];
  const state = new Knowledge();
  const assigned = assignments(body);
  for (let i = 0; i < body.count; i++) {
    const code = body.code[i];
    const kind = accessKind[code];
    if (kind !== 0) {
      if (pops[code] === 2) state.pop();
      const base = state.pop();
      const check = state.access(i, { root: base.root, addend: base.addend + (body.a[i] >>> 0) }, kind === store);
      if (check) checks.push(check);
      if (kind === load) state.push(state.fresh());
    } else if (code === Op.block || code === Op.loop || code === Op.if) state.enter(code === Op.loop, assigned.get(i)!);
    else step(state, body, i, code);
  }
  return checks;
}

function step(state: Knowledge, body: Body, i: number, code: number): void {
  switch (code) {
    case Op.localGet:
      state.push(state.local(body.a[i]));
      return;
    case Op.localSet:
      state.setLocal(body.a[i], state.pop());
      return;
    case Op.localTee: {
      const value = state.pop();
      state.setLocal(body.a[i], value);
      state.push(value);
      return;
    }
    case Op.i32Const:
      state.push({ root: -1, addend: body.a[i], constant: true });
      return;
    case Op.i32Add:
    case Op.i32Sub: {
      const right = state.pop();
      const left = state.pop();
      state.push(sum(state, left, right, code === Op.i32Sub));
      return;
    }
    case Op.else:
      state.otherwise();
      return;
    case Op.end:
      state.leave();
      return;
    case Op.call:
    case Op.callIndirect:
    case Op.returnCall:
    case Op.returnCallIndirect:
    case Op.return:
    case Op.unreachable:
    case Op.br:
    case Op.brIf:
    case Op.brTable:
    case Op.memoryGrow:
    case Op.memoryCopy:
    case Op.memoryFill:
    case Op.memoryInit:
      state.endLine();
      return;
    default:
      if (mayTrap[code]) state.close();
      for (let n = pops[code]; n > 0; n--) state.pop();
      if (pushes[code]) state.push(state.fresh());
  }
}

/** Sums are modulo 2^32, constants signed: `p + -8` and `p + 8` lie 16 apart. */
function sum(state: Knowledge, left: Value, right: Value, minus: boolean): Value {
  const sign = minus ? -1 : 1;
  if (left.constant && right.constant)
    return { root: -1, addend: (left.addend + sign * right.addend) | 0, constant: true };
  if (right.constant) return near(state, left.root, left.addend + sign * right.addend);
  if (left.constant && !minus) return near(state, right.root, right.addend + left.addend);
  return state.fresh();
}

function near(state: Knowledge, root: number, addend: number): Value {
  return Math.abs(addend) < 2 ** 31 ? { root, addend } : state.fresh();
}
