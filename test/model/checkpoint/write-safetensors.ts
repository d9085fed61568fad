// Writes a safetensors file in memory: for tests and for models made of random numbers, which are small.
// Source: safetensors README, "Format".
import { FLOAT_BYTES, type FloatFormat, toBfloat16, toFloat16 } from '../../../src/model/checkpoint/float-formats.ts';

export interface TensorToWrite {
  name: string;
  shape: number[];
  /** As many as the shape says. */
  values: Float32Array;
}

/** The whole file. @throws RangeError if a tensor has not the numbers its shape says. */
export function writeSafetensors(tensors: TensorToWrite[], format: FloatFormat = 'F32'): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let dataBytes = 0;
  for (const { name, shape, values } of tensors) {
    const count = shape.reduce((product, length) => product * length, 1);
    if (values.length !== count) {
      throw new RangeError(`safetensors: "${name}": expected ${count} numbers for [${shape}], got ${values.length}`);
    }
    const to = dataBytes + count * FLOAT_BYTES[format];
    header[name] = { dtype: format, shape, data_offsets: [dataBytes, to] };
    dataBytes = to;
  }
  // Padded with spaces so that the data begins at a multiple of 8.
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + headerBytes + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.fill(0x20, 8, 8 + headerBytes);
  file.set(json, 8);
  let at = 8 + headerBytes;
  for (const { values } of tensors) {
    const data = format === 'F32' ? values : format === 'F16' ? toFloat16(values) : toBfloat16(values);
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}
