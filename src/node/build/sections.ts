/**
 * A Wasm module as its list of sections, and the three edits the build makes to one. Everything else in the module
 * stays byte for byte. Source: WebAssembly core specification 2.0, section 5.5; custom sections `icp:public …` as in
 * the Internet Computer's interface specification, "Canister metadata".
 */
import { Reader, Writer } from '../../../packages/replica/src/wasm/bytes.ts';

export const SectionId = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

export interface Section {
  id: number;
  content: Uint8Array;
}

export function readSections(wasm: Uint8Array): Section[] {
  const reader = new Reader(wasm, 8);
  const sections: Section[] = [];
  while (!reader.done) sections.push({ id: reader.byte(), content: reader.slice(reader.u32()) });
  return sections;
}

export function writeSections(sections: readonly Section[]): Uint8Array {
  const out = new Writer(1 << 22).bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  for (const { id, content } of sections) out.byte(id).u32(content.length).bytes(content);
  return out.finish();
}

export function customSection(name: string, content: string): Section {
  return { id: SectionId.custom, content: new Writer().name(name).bytes(new TextEncoder().encode(content)).finish() };
}

/** Lets imports of `from` come from `to`: a module that exports a name can so import the same name. */
export function renameImportModule(sections: readonly Section[], from: string, to: string): Section[] {
  return edit(sections, SectionId.import, (reader, out) => {
    const count = reader.u32();
    out.u32(count);
    for (let i = 0; i < count; i++) {
      const module = reader.name();
      out.name(module === from ? to : module).name(reader.name());
      const start = reader.position;
      const kind = reader.byte();
      if (kind !== 0) throw new Error(`link: expected imports of functions only, got kind ${kind} from ${module}`);
      reader.u32();
      out.bytes(reader.bytes, start, reader.position);
    }
  });
}

/**
 * Replaces the content of the passive data segment that starts with `prefix`, and the two exported functions that know
 * its length: `size() -> i32` and `init(address)`, which copies the segment to memory and drops it.
 * @throws Error if the segment or the functions are not as Azle 0.33 writes them
 */
export function replacePassiveData(
  sections: readonly Section[],
  { prefix, content, size, init }: { prefix: string; content: (old: string) => string; size: string; init: string },
): Section[] {
  let [segment, before, after] = [-1, 0, 0];
  const withData = edit(sections, SectionId.data, (reader, out) => {
    const count = reader.u32();
    out.u32(count);
    for (let i = 0; i < count; i++) {
      const start = reader.position;
      const passive = reader.u32() === 1;
      if (!passive) {
        // Active at a constant address, as compilers write them.
        reader.byte();
        reader.s32();
        reader.byte();
      }
      const bytes = reader.slice(reader.u32());
      if (passive && decode(bytes.subarray(0, prefix.length)) === prefix) {
        const replaced = new TextEncoder().encode(content(decode(bytes)));
        [segment, before, after] = [i, bytes.length, replaced.length];
        out.u32(1).u32(after).bytes(replaced);
      } else out.bytes(reader.bytes, start, reader.position);
    }
  });
  if (segment < 0) throw new Error(`link: expected a passive data segment that starts with ${prefix}, got none`);
  const sizeBody = (length: number) => new Writer().bytes([0, 0x41]).s32(length).byte(0x0b).finish();
  return replaceBodies(withData, [
    { name: size, before: sizeBody(before), after: sizeBody(after) },
    { name: init, before: initBody(segment, before), after: initBody(segment, after) },
  ]);
}

/**
 * Replaces the bodies of exported functions, which must be `before` now. An export may be a linker's wrapper that calls
 * the function first.
 */
function replaceBodies(
  sections: readonly Section[],
  bodies: { name: string; before: Uint8Array; after: Uint8Array }[],
): Section[] {
  const reader = (id: number) => new Reader(sections.find((section) => section.id === id)!.content);
  const imported = reader(SectionId.import).u32();
  const functions = new Map(reader(SectionId.export).vec((r) => [r.name(), [r.byte(), r.u32()]] as const));
  const code = reader(SectionId.code).vec((r) => r.slice(r.u32()));
  const replaced = new Map<number, Uint8Array>();
  for (const { name, before, after } of bodies) {
    const [kind, index = -1] = functions.get(name) ?? [];
    const own = index - imported;
    const found = [own, firstCall(code[own]) - imported].find((i) => code[i] && Buffer.compare(code[i], before) === 0);
    if (kind !== 0 || found === undefined)
      throw new Error(`link: expected ${name} as Azle 0.33 writes it, got other code`);
    replaced.set(found, after);
  }
  return edit(sections, SectionId.code, (_reader, out) => {
    out.u32(code.length);
    for (const [i, body] of code.entries()) {
      const bytes = replaced.get(i) ?? body;
      out.u32(bytes.length).bytes(bytes);
    }
  });
}

/**
 * Adds a passive data segment, and gives the function of this index, `(address)`, the body that copies it to memory and
 * drops it.
 */
export function addPassiveData(sections: readonly Section[], content: Uint8Array, index: number): Section[] {
  const imported = new Reader(sections.find(({ id }) => id === SectionId.import)!.content).u32();
  let segment = -1;
  const counted = edit(sections, SectionId.dataCount, (reader, out) => {
    segment = reader.u32();
    out.u32(segment + 1);
  });
  if (segment < 0) throw new Error('link: expected a module that counts its data segments, got one that does not');
  const withData = edit(counted, SectionId.data, (reader, out) => {
    out.u32(reader.u32() + 1);
    out.bytes(reader.bytes, reader.position);
    out.u32(1).u32(content.length).bytes(content);
  });
  return edit(withData, SectionId.code, (reader, out) => {
    const code = reader.vec((r) => r.slice(r.u32()));
    code[index - imported] = initBody(segment, content.length);
    out.u32(code.length);
    for (const bytes of code) out.u32(bytes.length).bytes(bytes);
  });
}

/** The body of `(address)`, which copies a passive segment of `bytes` to memory and drops it. */
const initBody = (segment: number, bytes: number): Uint8Array =>
  new Writer()
    .bytes([0, 0x20, 0, 0x41, 0, 0x41]) // no locals; local.get 0, i32.const 0, i32.const
    .s32(bytes)
    .bytes([0xfc, 8]) // memory.init
    .u32(segment)
    .bytes([0, 0xfc, 9]) // data.drop
    .u32(segment)
    .byte(0x0b)
    .finish();

/** The function that `body` calls before doing anything but reading locals; -1 if it does something else. */
function firstCall(body: Uint8Array | undefined): number {
  if (body === undefined) return -1;
  const reader = new Reader(body);
  reader.vec((r) => [r.u32(), r.byte()]);
  let opcode = reader.byte();
  for (; opcode === 0x20; opcode = reader.byte()) reader.u32();
  return opcode === 0x10 ? reader.u32() : -1;
}

/** Replaces the content of section `id`, which the module has, by what `rewrite` writes while reading the old one. */
export function edit(
  sections: readonly Section[],
  id: number,
  rewrite: (reader: Reader, out: Writer) => void,
): Section[] {
  return sections.map((section) => {
    if (section.id !== id) return section;
    const out = new Writer(section.content.length + 1024);
    rewrite(new Reader(section.content), out);
    return { id, content: out.finish() };
  });
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
