/**
 * Lets a module mark what it touches: before each load and store, a call of its function `mark(address, offset)`, which
 * gives the address back. For the canister that the build runs to see which of its heap is in use (variants.ts).
 * Bulk operations are not marked.
 */
import { Assembler } from '../../../../packages/replica/src/wasm/assembler.ts';
import { Body } from '../../../../packages/replica/src/wasm/body.ts';
import { Reader, Writer } from '../../../../packages/replica/src/wasm/bytes.ts';
import { ValType } from '../../../../packages/replica/src/wasm/module.ts';
import { opcodes } from '../../../../packages/replica/src/wasm/opcodes.ts';
import { edit, type Section, SectionId } from '../sections.ts';

const accesses = new Map([...opcodes.values()].flatMap(({ code, access }) => (access ? [[code, access]] : [])));

/** @param mark index of the function that marks; it is not changed itself */
export function markAccesses(sections: readonly Section[], mark: number): Section[] {
  const content = (id: number) => new Reader(sections.find((section) => section.id === id)!.content);
  const types = content(SectionId.type).vec((r) => {
    if (r.byte() !== 0x60) throw new Error('heap: expected types of functions alone, got another type');
    const parameters = r.vec((p) => p.byte()).length;
    r.vec((p) => p.byte());
    return parameters;
  });
  const imported = content(SectionId.import).u32();
  const functions = content(SectionId.function).vec((r) => types[r.u32()]!);
  const body = new Body();
  return edit(sections, SectionId.code, (reader, out) => {
    const count = reader.u32();
    out.u32(count);
    for (let i = 0; i < count; i++) {
      const bytes = reader.slice(reader.u32());
      const written = i + imported === mark ? bytes : marked(body, bytes, functions[i]!, mark);
      out.u32(written.length).bytes(written);
    }
  });
}

function marked(body: Body, bytes: Uint8Array, parameters: number, mark: number): Uint8Array {
  body.decode(bytes);
  const code = new Assembler(bytes.length * 2);
  /** Types of added locals, each of which holds what is to be stored. */
  const added: (keyof typeof ValType)[] = [];
  for (let i = 0; i < body.count; i++) {
    const access = accesses.get(body.code[i]!);
    if (access) {
      const { value } = access;
      if (value && !added.includes(value)) added.push(value);
      const held = value && parameters + body.localCount + added.indexOf(value);
      if (held !== undefined) code.set(held);
      code.i32(body.a[i]!).call(mark);
      if (held !== undefined) code.get(held);
    }
    code.bytes(body.bytes, body.start[i]!, body.start[i + 1]!);
  }
  const out = new Writer(code.length + 64).u32(body.locals.length + added.length);
  for (const { count, type } of body.locals) out.u32(count).byte(type);
  for (const type of added) out.u32(1).byte(ValType[type]);
  return out.bytes(code.view()).finish();
}
