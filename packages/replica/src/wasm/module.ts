/**
 * Reads a Wasm module into its sections: types, imports, functions with their bodies still as bytes, tables, memory,
 * globals, exports, segments. It does not check types inside bodies (the engine does) nor the Internet Computer's rules
 * (validate.ts does). Source: WebAssembly core specification 2.0, section 5.5.
 */
import { Reader } from './bytes.ts';
import { Op } from './opcodes.ts';

export const ValType = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
} as const;
const valTypeNames = new Map<number, string>(Object.entries(ValType).map(([name, byte]) => [byte, name]));

export interface FuncType {
  params: number[];
  results: number[];
}

export interface Limits {
  min: number;
  max?: number;
}

/** A constant expression: its bytes without the closing `end`, and what it is. */
export interface ConstExpr {
  opcode: number;
  /** Value of `i32.const`, index of `ref.func` and `global.get`; 0 for other opcodes. */
  operand: number;
  bytes: Uint8Array;
}

export interface Export {
  name: string;
  kind: number;
  index: number;
}

export interface DataSegment {
  /** Absent in a passive segment. */
  offset?: ConstExpr;
  bytes: Uint8Array;
}

/** A segment of elements; `flags` as in the binary format, section 5.5.12. */
export interface ElementSegment {
  flags: number;
  table: number;
  offset?: ConstExpr;
  /** Element kind or reference type, where the form has one. */
  type?: number;
  functions?: number[];
  expressions?: ConstExpr[];
}

export interface CustomSection {
  name: string;
  bytes: Uint8Array;
}

export interface Module {
  types: FuncType[];
  imports: { module: string; name: string; kind: number; type: number }[];
  /** Type index of each function that the module defines. */
  functions: number[];
  tables: { type: number; limits: Limits }[];
  memories: Limits[];
  globals: { type: number; mutable: boolean; init: ConstExpr }[];
  exports: Export[];
  start?: number;
  elements: ElementSegment[];
  hasDataCount: boolean;
  /** Bodies (locals and code) of the functions, in order. */
  code: Uint8Array[];
  /** Size of the code section's content in bytes. */
  codeBytes: number;
  data: DataSegment[];
  custom: CustomSection[];
}

export const isWasm = (bytes: Uint8Array): boolean =>
  bytes.length >= 8 && [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00].every((byte, i) => bytes[i] === byte);

export function typeName({ params, results }: FuncType): string {
  const names = (types: number[]) => types.map((type) => valTypeNames.get(type) ?? `0x${type.toString(16)}`).join(', ');
  return `(${names(params)}) -> (${names(results)})`;
}

function valType(reader: Reader): number {
  const type = reader.byte();
  if (!valTypeNames.has(type)) throw new Error(`wasm: expected a value type, got 0x${type.toString(16)}`);
  return type;
}

function limits(reader: Reader, of: string): Limits {
  const flags = reader.byte();
  if (flags & 2) throw new Error(`wasm: expected an unshared ${of}, got a shared one (threads are not allowed)`);
  if (flags > 1)
    throw new Error(
      `wasm: expected a 32-bit ${of}, got limits 0x${flags.toString(16)} (memory64 is not supported by this replica)`,
    );
  const min = reader.u32();
  return flags === 1 ? { min, max: reader.u32() } : { min };
}

/** Reads a constant expression; the extended-const proposal is not allowed on the Internet Computer. */
function constExpr(reader: Reader): ConstExpr {
  const from = reader.position;
  const opcode = reader.byte();
  let operand = 0;
  switch (opcode) {
    case Op.i32Const:
      operand = reader.s32();
      break;
    case Op.i64Const:
      reader.skipLeb();
      break;
    case 0x43:
      reader.slice(4);
      break;
    case 0x44:
      reader.slice(8);
      break;
    case 0xfd:
      if (reader.u32() !== 12) throw new Error('wasm: expected a constant expression, got another SIMD instruction');
      reader.slice(16);
      break;
    case Op.globalGet:
    case Op.refFunc:
      operand = reader.u32();
      break;
    case 0xd0:
      reader.byte();
      break;
    default:
      throw new Error(`wasm: expected a constant expression, got opcode 0x${opcode.toString(16)}`);
  }
  const bytes = reader.bytes.subarray(from, reader.position);
  if (reader.byte() !== Op.end)
    throw new Error(
      'wasm: expected a constant expression of one instruction, got more (extended-const is not allowed)',
    );
  return { opcode, operand, bytes };
}

function elementSegment(reader: Reader): ElementSegment {
  const flags = reader.u32();
  if (flags > 7) throw new Error(`wasm: expected element segment flags 0 to 7, got ${flags}`);
  const segment: ElementSegment = { flags, table: 0 };
  const passive = (flags & 1) === 1;
  if (!passive && flags & 2) segment.table = reader.u32();
  if (!passive) segment.offset = constExpr(reader);
  if (flags & 3) segment.type = reader.byte();
  if (flags & 4) segment.expressions = reader.vec(constExpr);
  else segment.functions = reader.vec((r) => r.u32());
  return segment;
}

function dataSegment(reader: Reader): DataSegment {
  const flags = reader.u32();
  if (flags > 2) throw new Error(`wasm: expected data segment flags 0 to 2, got ${flags}`);
  if (flags === 2) reader.u32();
  const offset = flags === 1 ? undefined : constExpr(reader);
  return { offset, bytes: reader.slice(reader.u32()) };
}

/** Reads a module. @throws Error with what was expected where the bytes are not a module of the kinds allowed */
export function parseModule(wasm: Uint8Array): Module {
  if (!isWasm(wasm))
    throw new Error('wasm: expected a module that starts with 00 61 73 6d 01 00 00 00, got other bytes');
  const module: Module = {
    types: [],
    imports: [],
    functions: [],
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    elements: [],
    hasDataCount: false,
    code: [],
    codeBytes: 0,
    data: [],
    custom: [],
  };
  const reader = new Reader(wasm, 8);
  while (!reader.done) {
    const id = reader.byte();
    const bytes = reader.slice(reader.u32());
    readSection(module, id, new Reader(wasm, bytes.byteOffset - wasm.byteOffset, reader.position));
  }
  return module;
}

function readSection(module: Module, id: number, r: Reader): void {
  switch (id) {
    case 0: {
      const name = r.name();
      module.custom.push({ name, bytes: r.slice(r.end - r.position) });
      return;
    }
    case 1:
      module.types = r.vec(() => {
        const form = r.byte();
        if (form !== 0x60) throw new Error(`wasm: expected a function type, got form 0x${form.toString(16)}`);
        return { params: r.vec(valType), results: r.vec(valType) };
      });
      return;
    case 2:
      module.imports = r.vec(() => {
        const [from, name, kind] = [r.name(), r.name(), r.byte()];
        if (kind !== 0)
          throw new Error(`wasm: expected imports of functions only, got another kind for ${from}.${name}`);
        return { module: from, name, kind, type: r.u32() };
      });
      return;
    case 3:
      module.functions = r.vec(() => r.u32());
      return;
    case 4:
      module.tables = r.vec(() => ({ type: r.byte(), limits: limits(r, 'table') }));
      return;
    case 5:
      module.memories = r.vec(() => limits(r, 'memory'));
      return;
    case 6:
      module.globals = r.vec(() => {
        const [type, mutable] = [valType(r), r.byte() === 1];
        return { type, mutable, init: constExpr(r) };
      });
      return;
    case 7:
      module.exports = r.vec(() => ({ name: r.name(), kind: r.byte(), index: r.u32() }));
      return;
    case 8:
      module.start = r.u32();
      return;
    case 9:
      module.elements = r.vec(elementSegment);
      return;
    case 10:
      module.codeBytes = r.end - r.position;
      module.code = r.vec(() => r.slice(r.u32()));
      return;
    case 11:
      module.data = r.vec(dataSegment);
      return;
    case 12:
      module.hasDataCount = true;
      return;
    default:
      throw new Error(`wasm: expected sections 0 to 12, got ${id}`);
  }
}

/** The type of a function by its index, imports first. */
export function functionType(module: Module, index: number): FuncType {
  const imported = module.imports.length;
  return module.types[index < imported ? module.imports[index].type : module.functions[index - imported]];
}
