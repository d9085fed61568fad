/**
 * What a Wasm module exports, and the globals among it. Source: WebAssembly core specification 2.0, sections 5.5.9
 * and 5.5.10.
 */
import { edit, type Section, SectionId } from './sections.ts';

export interface Export {
  name: string;
  kind: number;
  index: number;
}
export const Kind = { function: 0, table: 1, global: 3 } as const;

export function readExports(sections: readonly Section[]): Export[] {
  let found: Export[] = [];
  editExports(sections, (exports) => {
    found = exports;
    return exports;
  });
  return found;
}

export function editExports(sections: readonly Section[], change: (exports: Export[]) => Export[]): Section[] {
  return edit(sections, SectionId.export, (reader, out) => {
    const exports = change(reader.vec((r) => ({ name: r.name(), kind: r.byte(), index: r.u32() })));
    out.u32(exports.length);
    for (const { name, kind, index } of exports) out.name(name).byte(kind).u32(index);
  });
}

/** Bytes of a constant of each kind that a global may begin with, by its opcode; of the integers, a LEB128. */
const CONSTANTS: Record<number, number | 'leb'> = { 65: 'leb', 66: 'leb', 67: 4, 68: 8 };

/** Gives mutable i32 globals, by index, other constants to begin with. */
export function setGlobals(sections: readonly Section[], values: ReadonlyMap<number, number>): Section[] {
  return edit(sections, SectionId.global, (reader, out) => {
    const count = reader.u32();
    out.u32(count);
    for (let i = 0; i < count; i++) {
      const from = reader.position;
      const [type, mutable, opcode] = [reader.byte(), reader.byte(), reader.byte()];
      const size = CONSTANTS[opcode];
      const value = values.get(i);
      if (size === undefined || (value !== undefined && type !== 0x7f))
        throw new Error(`link: expected global ${i} to be a constant, got opcode 0x${opcode.toString(16)}`);
      if (size === 'leb') reader.skipLeb();
      else for (let byte = 0; byte < size; byte++) reader.byte();
      reader.byte();
      if (value !== undefined) out.bytes([type, mutable, opcode]).s32(value).byte(0x0b);
      else out.bytes(reader.bytes, from, reader.position);
    }
  });
}
