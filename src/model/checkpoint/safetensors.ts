// Reads a safetensors file, one tensor at a time, from anything that gives ranges of bytes. Every claim of the header
// is held against the file's size before anything of that size is asked for. Source: safetensors README, "Format", and
// its reference reader's rules: no holes, no overlap, nothing left over.
//
//   0 header bytes, u64 little endian | header: JSON, {"name": {"dtype", "shape", "data_offsets": [from, to]}, …} |
//   data

import { Fields, parseJson } from '../json/json.ts';
import { refuseStandIn, STAND_IN_BYTES } from '../json/stand-in.ts';
import { FLOAT_BYTES, type FloatFormat, toFloat32 } from './float-formats.ts';
import { type Source, TensorFile, type TensorInfo } from './tensor-file.ts';

const DTYPE_BYTES: Record<string, number> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
};

/** A T5 of 11 billion parameters has 60 kB of header. */
const MAX_HEADER_BYTES = 16 << 20;
const MAX_DIMENSIONS = 8;

export class Safetensors extends TensorFile {
  /**
   * Reads the header and checks it against the file's size.
   * @param where the file's name, for errors. @throws Error, TypeError, RangeError naming what is wrong.
   */
  static async open(source: Source, where = 'model.safetensors'): Promise<Safetensors> {
    const fail = (expected: string, got: number | string): never => {
      throw new RangeError(
        `${where}: expected ${expected}, got ${got}; the file is cut short or is no safetensors file`,
      );
    };
    refuseStandIn(where, await source.read(0, Math.min(source.size, STAND_IN_BYTES)));
    if (source.size < 10) fail('at least 10 bytes', source.size);
    const start = await source.read(0, 8);
    const headerBytes = Number(new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true));
    const most = Math.min(MAX_HEADER_BYTES, source.size - 8);
    if (headerBytes < 2 || headerBytes > most) fail(`a header of 2 to ${most} bytes`, headerBytes);
    const header = new Fields(where, parseJson(where, await source.read(8, headerBytes), MAX_HEADER_BYTES));
    const dataOffset = 8 + headerBytes;
    const tensors = header
      .names()
      .filter((name) => name !== '__metadata__')
      .map((name) => readInfo(header, name, dataOffset));

    let at = dataOffset;
    for (const { name, offset, bytes } of [...tensors].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)) {
      if (offset !== at) {
        fail(`tensor "${name}" to begin where the one before it ends, at ${at - dataOffset}`, offset - dataOffset);
      }
      at += bytes;
    }
    if (at !== source.size) fail(`${at} bytes, as the header says`, source.size);
    return new Safetensors(where, new Map(tensors.map((tensor) => [tensor.name, tensor])), source);
  }

  /**
   * The numbers of a tensor as float32, in a fresh array.
   * @throws Error if there is no such tensor, or it holds no floats, or one that is not finite.
   */
  async read(name: string): Promise<Float32Array<ArrayBuffer>> {
    const { dtype } = this.info(name);
    if (!Object.hasOwn(FLOAT_BYTES, dtype)) {
      throw new TypeError(`${this.where}: tensor "${name}": expected dtype F32, F16 or BF16, got ${dtype}`);
    }
    const values = toFloat32(await this.readBytes(name), dtype as FloatFormat);
    const wrong = values.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) {
      const overflow = dtype === 'F16' ? '; float16 ends at 65504: save it anew as bfloat16 or float32' : '';
      throw new RangeError(
        `${this.where}: tensor "${name}": expected finite numbers, got ${values[wrong]} at number ${wrong}${overflow}`,
      );
    }
    return values;
  }
}

function readInfo(header: Fields, name: string, dataOffset: number): TensorInfo {
  const fields = new Fields(`${header.where}: tensor ${JSON.stringify(name)}`, header.get(name));
  const dtype = fields.string('dtype');
  if (!Object.hasOwn(DTYPE_BYTES, dtype)) fields.wrong(RangeError, 'dtype', Object.keys(DTYPE_BYTES).join(', '), dtype);
  const shape = fields.integers('shape', 0, Number.MAX_SAFE_INTEGER, []);
  if (shape.length > MAX_DIMENSIONS) fields.wrong(RangeError, 'shape', `at most ${MAX_DIMENSIONS} sizes`, shape);
  const [from, to, ...more] = fields.integers('data_offsets', 0, Number.MAX_SAFE_INTEGER, []);
  if (from === undefined || to === undefined || more.length > 0 || from > to) {
    fields.wrong(RangeError, 'data_offsets', 'a from and a to', fields.get('data_offsets'));
  }
  const bytes = shape.reduce((product, length) => product * length, 1) * DTYPE_BYTES[dtype]!;
  if (to - from !== bytes) {
    fields.wrong(RangeError, 'data_offsets', `${bytes} bytes apart, as ${dtype} [${shape}] takes`, [from, to]);
  }
  return { name, dtype, shape, offset: dataOffset + from, bytes };
}
