// Model folders in memory, for tests.
import { readFileSync } from 'node:fs';
import type { Source } from '../../../src/model/checkpoint/tensor-file.ts';
import type { Folder } from '../../../src/model/checkpoint/weights.ts';
import type { TensorToWrite } from './write-safetensors.ts';

/** A source that counts the bytes it was asked for, and refuses what is outside. */
export function memorySource(bytes: Uint8Array): Source & { bytesRead: number } {
  return {
    size: bytes.length,
    bytesRead: 0,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > bytes.length)
        throw new Error(`read outside: ${offset}+${length}`);
      this.bytesRead += length;
      return bytes.slice(offset, offset + length);
    },
  };
}

export function memoryFolder(files: Record<string, Uint8Array | object>): Folder {
  return {
    open(name) {
      const file = files[name];
      if (file === undefined) return undefined;
      return memorySource(file instanceof Uint8Array ? file : new TextEncoder().encode(JSON.stringify(file)));
    },
  };
}

/** A safetensors file with a header of one's own: to write what no writer would. */
export function rawSafetensors(header: unknown, dataBytes: number, headerBytes?: bigint): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, headerBytes ?? BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

export function fixture(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../fixtures/${path}`, import.meta.url)));
}

/** Tensors whose numbers are all different. */
export function filledTensors(shapes: { name: string; shape: number[] }[]): TensorToWrite[] {
  let next = 0;
  return shapes.map(({ name, shape }) => {
    const count = shape.reduce((product, length) => product * length, 1);
    return { name, shape, values: Float32Array.from({ length: count }, () => next++ / 64) };
  });
}
