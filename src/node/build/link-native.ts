/**
 * Links the kernels, the native loop and the blocks of stable memory (src/native/) with Azle's Wasm:
 *
 *   azle.wasm  exports canister_update generate, now "azle generate"  ─>  imported by the native loop
 *              exports its table, so that the native loop can call what is in it
 *   native      exports loop_generate    ─>  canister_update generate
 *              exports loop_reply       ─>  a new last place in the table, whose number becomes loop_reply_index
 *              exports call_new, call_on_cleanup, which wasm-merge binds to Azle's imports of them
 *   settlement exports settled_callback  ─>  the place after it, whose number becomes settled_callback_index
 *              exports settle, which is called at the end of every update method and of timers, by a function around
 *              each
 *   waiting    exports wait_reply        ─>  the place after that, whose number becomes wait_reply_index
 *   arguments  export msg_method_name_size, _copy, by which Azle makes text of bytes in native code,
 *              and msg_reject, by which it makes bytes of text
 *   heap       exports heap_dlmalloc and others, which Azle's template calls (heap/hooks.ts); heap_seal, which is called
 *              at the end of canister_init and canister_post_upgrade, by a function around each
 *   blocks     export stable64_size, _grow, _read, _write, bound in the same way: all that Azle knows of stable memory
 */
import { Reader, Writer } from '../../../packages/replica/src/wasm/bytes.ts';
import { type Export, editExports, Kind, readExports, setGlobals } from './exports.ts';
import { mergeKernels } from './link.ts';
import { edit, readSections, type Section, SectionId, writeSections } from './sections.ts';

const METHOD = 'canister_update generate';
const AZLES = 'azle generate';
const TABLE = 'table';
/** Functions that the canister's table gets, each with a global for its place. */
const IN_TABLE = ['loop_reply', 'settled_callback', 'wait_reply'] as const;
const SETTLE = 'settle';
const TEXT = ['msg_method_name_copy', 'msg_method_name_size', 'msg_reject'];
const STABLE = ['stable64_grow', 'stable64_read', 'stable64_size', 'stable64_write'];

/**
 * One module of all three. What src/native/heap/ exports stays exported, for heap/variants.ts.
 * @param hasLayout whether Azle's template has hooks in its allocator
 * @throws Error if Azle's or the native loop's are not as expected
 */
export async function linkNative(
  azle: Uint8Array,
  kernels: Uint8Array,
  { hasLayout = false } = {},
): Promise<Uint8Array> {
  const sections = readSections(azle);
  if (!readExports(sections).some(({ name }) => name === METHOD))
    throw new Error(`native loop: expected Azle to export ${METHOD}, got no such method`);
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(azle as Uint8Array<ArrayBuffer>)).map(
    ({ name }) => name,
  );
  const missing = TEXT.filter((name) => !imports.includes(name));
  if (missing.length > 0)
    throw new Error(`arguments: expected Azle to import ${TEXT}, got no ${missing}: text passes through them`);
  const stable = imports.filter((name) => name.startsWith('stable'));
  if (`${stable.sort()}` !== `${STABLE}`)
    throw new Error(
      `blocks: expected Azle to import ${STABLE}, got ${stable}: what goes past the blocks would write into them`,
    );
  const opened = editExports(sections, (exports) => [
    ...exports.map((e) => (e.name === METHOD ? { ...e, name: AZLES } : e)),
    { name: TABLE, kind: Kind.table, index: 0 },
  ]);
  const merged = readSections(await mergeKernels(writeSections(opened), kernels));
  const exports = readExports(merged);
  const indexOf = (name: string, kind: number): number => {
    const found = exports.find((e) => e.name === name && e.kind === kind);
    if (!found) throw new Error(`native loop: expected an export ${name} of kind ${kind}, got none`);
    return found.index;
  };
  const generate = indexOf('loop_generate', Kind.function);
  let linked = merged;
  for (const name of IN_TABLE) {
    const { longer, place } = appendToTable(linked, indexOf(name, Kind.function));
    linked = setGlobals(longer, new Map([[indexOf(`${name}_index`, Kind.global), place]]));
  }
  const inner = new Set([
    AZLES,
    TABLE,
    'loop_generate',
    ...IN_TABLE,
    ...IN_TABLE.map((name) => `${name}_index`),
    SETTLE,
    'call_new',
    'call_on_cleanup',
    ...TEXT,
    ...STABLE,
    'heap_seal',
  ]);
  const isEnded = ({ name }: Export): boolean => /^canister_update /.test(name) || name === 'canister_global_timer';
  const isStarted = ({ name }: Export): boolean => name === 'canister_init' || name === 'canister_post_upgrade';
  const kept = editExports(linked, (all) =>
    all.filter(({ name }) => !inner.has(name) && !/^(canister_(update|query) _azle_|own )/.test(name)),
  );
  const sealed = hasLayout ? callAfter(kept, isStarted, indexOf('heap_seal', Kind.function)) : kept;
  const settled = callAfter(sealed, isEnded, indexOf(SETTLE, Kind.function));
  return writeSections(editExports(settled, (all) => [...all, { name: METHOD, kind: Kind.function, index: generate }]));
}

/** Puts a function around each of these exports, which calls `then` behind it. */
function callAfter(sections: readonly Section[], which: (e: Export) => boolean, then: number): Section[] {
  const found = readExports(sections).filter(which);
  const read = (id: number): Reader => new Reader(sections.find((section) => section.id === id)!.content);
  const types = read(SectionId.function).vec((r) => r.u32());
  const imported = read(SectionId.import).u32();
  const type = types[then - imported]!;
  const longer = edit(sections, SectionId.function, (_, out) => {
    out.u32(types.length + found.length);
    for (const own of [...types, ...found.map(() => type)]) out.u32(own);
  });
  const withBodies = edit(longer, SectionId.code, (reader, out) => {
    out.u32(reader.u32() + found.length);
    out.bytes(reader.bytes, reader.position);
    for (const { index } of found) {
      // no locals; call, call, end
      const body = new Writer().byte(0).byte(0x10).u32(index).byte(0x10).u32(then).byte(0x0b).finish();
      out.u32(body.length).bytes(body);
    }
  });
  const places = new Map(found.map(({ name }, i) => [name, imported + types.length + i]));
  return editExports(withBodies, (all) => all.map((e) => ({ ...e, index: places.get(e.name) ?? e.index })));
}

/** Makes the module's one table longer by a place and puts a function there. */
function appendToTable(sections: readonly Section[], index: number): { longer: Section[]; place: number } {
  let place = -1;
  const table = edit(sections, SectionId.table, (reader, out) => {
    const [count, type, limits, min] = [reader.u32(), reader.byte(), reader.byte(), reader.u32()];
    if (count !== 1 || limits !== 1 || reader.u32() !== min)
      throw new Error('native loop: expected one table of a fixed size, got another');
    place = min;
    out
      .u32(1)
      .byte(type)
      .byte(1)
      .u32(min + 1)
      .u32(min + 1);
  });
  const longer = edit(table, SectionId.element, (reader, out) => {
    out.u32(reader.u32() + 1);
    out.bytes(reader.bytes, reader.position);
    // active, table 0, at an i32.const
    out.byte(0).byte(0x41).s32(place).byte(0x0b).u32(1).u32(index);
  });
  if (place < 0) throw new Error('native loop: expected a table, got none');
  return { longer, place };
}
