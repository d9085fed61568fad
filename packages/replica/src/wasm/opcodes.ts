/**
 * Every opcode of the Wasm that the Internet Computer takes: number, text mnemonic, kind of immediates, and what it
 * does to memory. Opcodes that are not here (relaxed SIMD, threads, exceptions, garbage collection) are refused.
 * Source: WebAssembly core specification 2.0, section 5.4, and the tail-call proposal.
 */

/** What follows an opcode in the binary. */
export enum Immediate {
  None,
  /** A block type: `block`, `loop`, `if`. */
  Block,
  /** One index: of a label, a local, a global, a function, a table, a segment, a memory. */
  Index,
  /** Two indices: `call_indirect type table`, `memory.copy 0 0`. */
  TwoIndices,
  /** `br_table`: a vector of labels and one more. */
  Labels,
  /** Alignment and offset. */
  MemArg,
  /** Alignment, offset and lane. */
  MemArgLane,
  I32,
  I64,
  F32,
  F64,
  /** 16 bytes: `v128.const`, `i8x16.shuffle`. */
  Bytes16,
  Lane,
  /** A heap type: `ref.null`. */
  HeapType,
  /** `select` with its types. */
  Types,
}

/** How an opcode uses memory; `value` is the type of the operand above the address, if there is one. */
export interface MemoryAccess {
  write: boolean;
  value?: 'i32' | 'i64' | 'f32' | 'f64' | 'v128';
}

export interface Opcode {
  /** The opcode; with a prefix byte: prefix * 256 + number. */
  code: number;
  name: string;
  immediate: Immediate;
  access?: MemoryAccess;
}

const control: [number, string, Immediate][] = [
  [0x00, 'unreachable', Immediate.None],
  [0x01, 'nop', Immediate.None],
  [0x02, 'block', Immediate.Block],
  [0x03, 'loop', Immediate.Block],
  [0x04, 'if', Immediate.Block],
  [0x05, 'else', Immediate.None],
  [0x0b, 'end', Immediate.None],
  [0x0c, 'br', Immediate.Index],
  [0x0d, 'br_if', Immediate.Index],
  [0x0e, 'br_table', Immediate.Labels],
  [0x0f, 'return', Immediate.None],
  [0x10, 'call', Immediate.Index],
  [0x11, 'call_indirect', Immediate.TwoIndices],
  [0x12, 'return_call', Immediate.Index],
  [0x13, 'return_call_indirect', Immediate.TwoIndices],
  [0x1a, 'drop', Immediate.None],
  [0x1b, 'select', Immediate.None],
  [0x1c, 'select', Immediate.Types],
  [0x20, 'local.get', Immediate.Index],
  [0x21, 'local.set', Immediate.Index],
  [0x22, 'local.tee', Immediate.Index],
  [0x23, 'global.get', Immediate.Index],
  [0x24, 'global.set', Immediate.Index],
  [0x25, 'table.get', Immediate.Index],
  [0x26, 'table.set', Immediate.Index],
  [0x3f, 'memory.size', Immediate.Index],
  [0x40, 'memory.grow', Immediate.Index],
  [0x41, 'i32.const', Immediate.I32],
  [0x42, 'i64.const', Immediate.I64],
  [0x43, 'f32.const', Immediate.F32],
  [0x44, 'f64.const', Immediate.F64],
  [0xd0, 'ref.null', Immediate.HeapType],
  [0xd1, 'ref.is_null', Immediate.None],
  [0xd2, 'ref.func', Immediate.Index],
  [0xfc08, 'memory.init', Immediate.TwoIndices],
  [0xfc09, 'data.drop', Immediate.Index],
  [0xfc0a, 'memory.copy', Immediate.TwoIndices],
  [0xfc0b, 'memory.fill', Immediate.Index],
  [0xfc0c, 'table.init', Immediate.TwoIndices],
  [0xfc0d, 'elem.drop', Immediate.Index],
  [0xfc0e, 'table.copy', Immediate.TwoIndices],
  [0xfc0f, 'table.grow', Immediate.Index],
  [0xfc10, 'table.size', Immediate.Index],
  [0xfc11, 'table.fill', Immediate.Index],
  [0xfd0c, 'v128.const', Immediate.Bytes16],
  [0xfd0d, 'i8x16.shuffle', Immediate.Bytes16],
];

/**
 * Runs of opcodes without immediates (with a lane: those named `*_lane`): first number, names in order, `-` where there
 * is none.
 */
const plain: [number, string][] = [
  [0x45, 'i32.eqz i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u'],
  [0x50, 'i64.eqz i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u'],
  [0x5b, 'f32.eq f32.ne f32.lt f32.gt f32.le f32.ge f64.eq f64.ne f64.lt f64.gt f64.le f64.ge'],
  [0x67, 'i32.clz i32.ctz i32.popcnt i32.add i32.sub i32.mul i32.div_s i32.div_u i32.rem_s i32.rem_u'],
  [0x71, 'i32.and i32.or i32.xor i32.shl i32.shr_s i32.shr_u i32.rotl i32.rotr'],
  [0x79, 'i64.clz i64.ctz i64.popcnt i64.add i64.sub i64.mul i64.div_s i64.div_u i64.rem_s i64.rem_u'],
  [0x83, 'i64.and i64.or i64.xor i64.shl i64.shr_s i64.shr_u i64.rotl i64.rotr'],
  [0x8b, 'f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt'],
  [0x92, 'f32.add f32.sub f32.mul f32.div f32.min f32.max f32.copysign'],
  [0x99, 'f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt'],
  [0xa0, 'f64.add f64.sub f64.mul f64.div f64.min f64.max f64.copysign'],
  [0xa7, 'i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u'],
  [0xac, 'i64.extend_i32_s i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u'],
  [0xb2, 'f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64'],
  [0xb7, 'f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32'],
  [0xbc, 'i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64'],
  [0xc0, 'i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s'],
  [0xfc00, 'i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u'],
  [0xfc04, 'i64.trunc_sat_f32_s i64.trunc_sat_f32_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u'],
  [0xfd0e, 'i8x16.swizzle i8x16.splat i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat'],
  [0xfd15, 'i8x16.extract_lane_s i8x16.extract_lane_u i8x16.replace_lane i16x8.extract_lane_s i16x8.extract_lane_u'],
  [0xfd1a, 'i16x8.replace_lane i32x4.extract_lane i32x4.replace_lane i64x2.extract_lane i64x2.replace_lane'],
  [0xfd1f, 'f32x4.extract_lane f32x4.replace_lane f64x2.extract_lane f64x2.replace_lane'],
  [0xfd23, 'i8x16.eq i8x16.ne i8x16.lt_s i8x16.lt_u i8x16.gt_s i8x16.gt_u i8x16.le_s i8x16.le_u i8x16.ge_s i8x16.ge_u'],
  [0xfd2d, 'i16x8.eq i16x8.ne i16x8.lt_s i16x8.lt_u i16x8.gt_s i16x8.gt_u i16x8.le_s i16x8.le_u i16x8.ge_s i16x8.ge_u'],
  [0xfd37, 'i32x4.eq i32x4.ne i32x4.lt_s i32x4.lt_u i32x4.gt_s i32x4.gt_u i32x4.le_s i32x4.le_u i32x4.ge_s i32x4.ge_u'],
  [
    0xfd41,
    'f32x4.eq f32x4.ne f32x4.lt f32x4.gt f32x4.le f32x4.ge f64x2.eq f64x2.ne f64x2.lt f64x2.gt f64x2.le f64x2.ge',
  ],
  [0xfd4d, 'v128.not v128.and v128.andnot v128.or v128.xor v128.bitselect v128.any_true'],
  [0xfd5e, 'f32x4.demote_f64x2_zero f64x2.promote_low_f32x4'],
  [0xfd60, 'i8x16.abs i8x16.neg i8x16.popcnt i8x16.all_true i8x16.bitmask i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u'],
  [0xfd67, 'f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest i8x16.shl i8x16.shr_s i8x16.shr_u'],
  [0xfd6e, 'i8x16.add i8x16.add_sat_s i8x16.add_sat_u i8x16.sub i8x16.sub_sat_s i8x16.sub_sat_u'],
  [0xfd74, 'f64x2.ceil f64x2.floor i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u f64x2.trunc i8x16.avgr_u'],
  [0xfd7c, 'i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u'],
  [0xfd7e, 'i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u'],
  [
    0xfd80,
    'i16x8.abs i16x8.neg i16x8.q15mulr_sat_s i16x8.all_true i16x8.bitmask i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u',
  ],
  [0xfd87, 'i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_u'],
  [0xfd8b, 'i16x8.shl i16x8.shr_s i16x8.shr_u i16x8.add i16x8.add_sat_s i16x8.add_sat_u'],
  [0xfd91, 'i16x8.sub i16x8.sub_sat_s i16x8.sub_sat_u f64x2.nearest i16x8.mul'],
  [0xfd96, 'i16x8.min_s i16x8.min_u i16x8.max_s i16x8.max_u - i16x8.avgr_u'],
  [0xfd9c, 'i16x8.extmul_low_i8x16_s i16x8.extmul_high_i8x16_s i16x8.extmul_low_i8x16_u i16x8.extmul_high_i8x16_u'],
  [0xfda0, 'i32x4.abs i32x4.neg - i32x4.all_true i32x4.bitmask'],
  [0xfda7, 'i32x4.extend_low_i16x8_s i32x4.extend_high_i16x8_s i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u'],
  [0xfdab, 'i32x4.shl i32x4.shr_s i32x4.shr_u i32x4.add - - i32x4.sub - - - i32x4.mul'],
  [0xfdb6, 'i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u i32x4.dot_i16x8_s'],
  [0xfdbc, 'i32x4.extmul_low_i16x8_s i32x4.extmul_high_i16x8_s i32x4.extmul_low_i16x8_u i32x4.extmul_high_i16x8_u'],
  [0xfdc0, 'i64x2.abs i64x2.neg - i64x2.all_true i64x2.bitmask'],
  [0xfdc7, 'i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_u'],
  [0xfdcb, 'i64x2.shl i64x2.shr_s i64x2.shr_u i64x2.add - - i64x2.sub - - - i64x2.mul'],
  [0xfdd6, 'i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s'],
  [0xfddc, 'i64x2.extmul_low_i32x4_s i64x2.extmul_high_i32x4_s i64x2.extmul_low_i32x4_u i64x2.extmul_high_i32x4_u'],
  [
    0xfde0,
    'f32x4.abs f32x4.neg - f32x4.sqrt f32x4.add f32x4.sub f32x4.mul f32x4.div f32x4.min f32x4.max f32x4.pmin f32x4.pmax',
  ],
  [
    0xfdec,
    'f64x2.abs f64x2.neg - f64x2.sqrt f64x2.add f64x2.sub f64x2.mul f64x2.div f64x2.min f64x2.max f64x2.pmin f64x2.pmax',
  ],
  [0xfdf8, 'i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u'],
  [
    0xfdfc,
    'i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u',
  ],
];

/** Loads and stores, in the same form. */
const accesses: [number, string][] = [
  [0x28, 'i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u'],
  [0x30, 'i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u'],
  [0x36, 'i32.store i64.store f32.store f64.store i32.store8 i32.store16 i64.store8 i64.store16 i64.store32'],
  [0xfd00, 'v128.load v128.load8x8_s v128.load8x8_u v128.load16x4_s v128.load16x4_u v128.load32x2_s v128.load32x2_u'],
  [0xfd07, 'v128.load8_splat v128.load16_splat v128.load32_splat v128.load64_splat v128.store'],
  [0xfd54, 'v128.load8_lane v128.load16_lane v128.load32_lane v128.load64_lane'],
  [0xfd58, 'v128.store8_lane v128.store16_lane v128.store32_lane v128.store64_lane v128.load32_zero v128.load64_zero'],
];

function memoryAccess(name: string): MemoryAccess {
  const write = name.includes('.store');
  const value = name.slice(0, name.indexOf('.')) as MemoryAccess['value'];
  return write || name.endsWith('_lane') ? { write, value } : { write };
}

function buildTable(): Map<number, Opcode> {
  const table = new Map<number, Opcode>();
  for (const [code, name, immediate] of control) table.set(code, { code, name, immediate });
  const runs = (list: [number, string][], make: (code: number, name: string) => Opcode) => {
    for (const [first, names] of list)
      for (const [i, name] of names.split(' ').entries()) if (name !== '-') table.set(first + i, make(first + i, name));
  };
  runs(plain, (code, name) => ({
    code,
    name,
    immediate: /_lane(_[su])?$/.test(name) ? Immediate.Lane : Immediate.None,
  }));
  runs(accesses, (code, name) => ({
    code,
    name,
    immediate: name.endsWith('_lane') ? Immediate.MemArgLane : Immediate.MemArg,
    access: memoryAccess(name),
  }));
  return table;
}

/** All opcodes by `code`. */
export const opcodes: ReadonlyMap<number, Opcode> = buildTable();

/** The opcodes that the rewriter and the validator name. */
export const Op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  drop: 0x1a,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Load8U: 0x2d,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32LtU: 0x49,
  i32GtU: 0x4b,
  i32GeU: 0x4f,
  i64LtS: 0x53,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32And: 0x71,
  i32Or: 0x72,
  i32Xor: 0x73,
  i32ShrU: 0x76,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64ExtendI32U: 0xad,
  refFunc: 0xd2,
  memoryInit: 0xfc08,
  dataDrop: 0xfc09,
  memoryCopy: 0xfc0a,
  memoryFill: 0xfc0b,
} as const;

/** After these a new straight-line block begins. */
export const endsBlock = new Uint8Array(0x10000);
for (const code of [Op.loop, Op.if, Op.else, Op.end, Op.br, Op.brIf, Op.brTable, Op.return, Op.unreachable])
  endsBlock[code] = 1;
for (const code of [Op.returnCall, Op.returnCallIndirect]) endsBlock[code] = 1;
