/**
 * Calls in Azle's template (hooks.ts) that need no detour. QuickJS has the functions of its allocator in its runtime,
 * and calls them from there, which costs twice what a call does; and it asks each time for the size of what it got,
 * which in Wasm is always said to be 0:
 *
 *   opaque  thing  runtime  i32.load 8  call_indirect    ->  opaque  thing  call js_def_free
 *           thing  runtime  i32.load 16  call_indirect   ->  i32.const 0
 *
 * dlmalloc's functions call each other past the hooks.
 */
import { Body } from '../../../../packages/replica/src/wasm/body.ts';
import { Reader, Writer } from '../../../../packages/replica/src/wasm/bytes.ts';
import { Op } from '../../../../packages/replica/src/wasm/opcodes.ts';
import { edit, readSections, type Section, SectionId, writeSections } from '../sections.ts';

const I32_LOAD = 0x28;
const POINTER_BYTES = 4;
/** Where QuickJS's runtime has the value that its allocator's functions get first. */
const OPAQUE = 32;
/** Instructions between that value and the call, at most. */
const ARGUMENTS = 24;
const SIZE_OF = 'js__malloc_usable_size';

/**
 * @param wasm with names of its functions, and an import `heap_…` for each of these
 * @param allocator names of dlmalloc's functions, which are there as `own …`
 * @param quickjs names of QuickJS's functions, in the order of its JSMallocFunctions
 * @throws Error where nothing is as it is looked for
 */
export function direct(wasm: Uint8Array, allocator: readonly string[], quickjs: readonly string[]): Uint8Array {
  const sections = readSections(wasm);
  const functions = functionIndices(sections);
  const imports = content(sections, SectionId.import).vec(importedFunction);
  const types = [...imports.map(({ type }) => type), ...content(sections, SectionId.function).vec((r) => r.u32())];
  const hook = (name: string): number => imports.findIndex((i) => i.name === `heap_${name}`);
  const own = new Map(allocator.map((name) => [hook(name), functions.get(`own ${name}`)!]));
  const isOwn = new Set(own.values());
  const called = quickjs.map(hook);
  const sizeType = types[functions.get(SIZE_OF)!];
  const body = new Body();
  let found = 0;
  const code = edit(sections, SectionId.code, (reader, out) => {
    const count = reader.u32();
    out.u32(count);
    for (let i = 0; i < count; i++) {
      const bytes = reader.slice(reader.u32());
      body.decode(bytes);
      const changes = isOwn.has(i + imports.length) ? pastHooks(body, own) : fromRuntime(body);
      found += changes.size;
      const written = changes.size === 0 ? bytes : rewritten(body, changes);
      out.u32(written.length).bytes(written);
    }
  });
  if (found === 0) throw new Error('heap: expected QuickJS to call its allocator from its runtime, got no such call');
  return writeSections(code);

  function fromRuntime(body: Body): Changes {
    const calls: Changes = new Map();
    const sizes: Changes = new Map();
    for (let at = 2; at < body.count; at++) {
      if (body.code[at] !== Op.callIndirect || body.code[at - 1] !== I32_LOAD) continue;
      const [offset, type] = [body.a[at - 1]!, body.a[at]!];
      const index = called[offset / POINTER_BYTES];
      if (index !== undefined && type === types[index] && hasOpaque(body, at))
        replace(body, calls, at, [Op.call, index]);
      else if (offset === called.length * POINTER_BYTES && type === sizeType)
        replace(body, sizes, at, [Op.i32Const, 0], 2);
    }
    // a function without the one has no runtime, and what looks like the other is something else
    return calls.size === 0 ? calls : new Map([...calls, ...sizes]);
  }
}

/** By the number of an instruction, what stands in its place. */
type Changes = Map<number, Uint8Array>;

/** Whether one of the arguments of this call is read from where the runtime has the opaque value. */
function hasOpaque(body: Body, call: number): boolean {
  for (let at = call - 2; at > call - ARGUMENTS && at >= 2; at--)
    if (body.code[at] === I32_LOAD && body.code[at - 2] === Op.i32Const && body.a[at - 2] === OPAQUE) return true;
  return false;
}

/** Puts an instruction in the place of a call and the load before it, which leaves `operands` of theirs unused. */
function replace(body: Body, changes: Changes, call: number, by: [number, number], operands = 1): void {
  const none = new Uint8Array(0);
  let unused = operands;
  for (let at = call - 2; unused > 0 && body.code[at] === Op.localGet; at--, unused--) changes.set(at, none);
  const put = new Writer();
  for (; unused > 0; unused--) put.byte(Op.drop);
  changes.set(call - 1, none);
  changes.set(call, put.byte(by[0]).u32(by[1]).finish());
}

function pastHooks(body: Body, own: ReadonlyMap<number, number>): Changes {
  const changes: Changes = new Map();
  for (let at = 0; at < body.count; at++) {
    const to = body.code[at] === Op.call ? own.get(body.a[at]!) : undefined;
    if (to !== undefined) changes.set(at, new Writer().byte(Op.call).u32(to).finish());
  }
  return changes;
}

function rewritten({ bytes, start, count }: Body, changes: Changes): Uint8Array {
  const out = new Writer(bytes.length + 64).bytes(bytes, 0, start[0]!);
  for (let at = 0; at < count; at++) out.bytes(changes.get(at) ?? bytes.subarray(start[at]!, start[at + 1]!));
  return out.finish();
}

const content = (sections: readonly Section[], id: number): Reader =>
  new Reader(sections.find((section) => section.id === id)!.content);

/** Indices of functions by the names that the name section gives them. */
function functionIndices(sections: readonly Section[]): Map<string, number> {
  for (const { id, content } of sections) {
    const reader = new Reader(content);
    if (id !== SectionId.custom || reader.name() !== 'name') continue;
    while (!reader.done) {
      const [kind, part] = [reader.byte(), new Reader(reader.slice(reader.u32()))];
      if (kind === 1)
        return new Map(part.vec((r) => [r.u32(), r.name()] as const).map(([index, name]) => [name, index]));
    }
  }
  throw new Error('heap: expected a template with names of functions, got none');
}

function importedFunction(r: Reader): { name: string; type: number } {
  r.name();
  const [name, kind] = [r.name(), r.byte()];
  if (kind !== 0) throw new Error(`heap: expected imports of functions alone, got ${name} of kind ${kind}`);
  return { name, type: r.u32() };
}
