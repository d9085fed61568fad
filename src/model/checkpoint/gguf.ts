// Reads a GGUF file, one tensor at a time, from anything that gives ranges of bytes. Its head is read by
// @huggingface/gguf; every claim of it is held against the file's size before anything of that size is asked for.
// Not what the metadata means: that is a family's. Source: ggml, `docs/gguf.md`.
//
//   0  "GGUF", version u32, tensors u64, entries u64 | metadata entries | a line for each tensor | padding | data
import type { gguf } from '@huggingface/gguf';
import { refuseStandIn, STAND_IN_BYTES } from '../json/stand-in.ts';
import { GGML_FORMATS, type GgmlFormat, ggmlToFloat32 } from './ggml-formats.ts';
import type { Source, TensorInfo } from './tensor-file.ts';
import { TensorFile } from './tensor-file.ts';

/** A value of the metadata; whole numbers of 64 bits are numbers too. */
export type MetadataValue = string | number | boolean | MetadataValue[];

const MAGIC = 'GGUF';
const VERSIONS = [2, 3];
/** What the reader of the head asks for at once; a file that ends within it is filled up with zeros. */
const CHUNK_BYTES = 2_000_000;
const MAX_DIMENSIONS = 4;

const formatOf = new Map<number, GgmlFormat>(
  Object.entries(GGML_FORMATS).map(([name, { id }]) => [id, name as GgmlFormat]),
);

export class Gguf extends TensorFile {
  private constructor(
    where: string,
    readonly metadata: ReadonlyMap<string, MetadataValue>,
    tensors: ReadonlyMap<string, TensorInfo>,
    source: Source,
  ) {
    super(where, tensors, source);
  }

  /**
   * Reads the head and checks it against the file's size.
   * @param where the file's name, for errors. @throws Error, TypeError, RangeError naming what is wrong.
   */
  static async open(source: Source, where = 'model.gguf'): Promise<Gguf> {
    await expectStart(source, where);
    const head = await readHead(source, where);
    const metadata = new Map(
      Object.entries(head.metadata as Record<string, unknown>).map(([key, value]) => [key, plain(value)]),
    );
    const dataOffset = Number(head.tensorDataOffset);
    const tensors = new Map<string, TensorInfo>();
    let end = Number(head.tensorInfoByteRange[1]);
    if (end > source.size) throw cutShort(where, end, source.size);
    for (const info of head.tensorInfos) {
      const tensor = readInfo(where, info, dataOffset);
      if (tensors.has(tensor.name)) throw new Error(`${where}: expected one tensor "${tensor.name}", got two`);
      tensors.set(tensor.name, tensor);
      end = Math.max(end, tensor.offset + tensor.bytes);
    }
    if (end > source.size) throw cutShort(where, end, source.size);
    return new Gguf(where, metadata, tensors, source);
  }

  /** The numbers of a tensor as float32, in a fresh array. @throws Error if there is no such tensor */
  async read(name: string): Promise<Float32Array<ArrayBuffer>> {
    return ggmlToFloat32(await this.readBytes(name), this.info(name).dtype as GgmlFormat);
  }
}

const cutShort = (where: string, expected: number, got: number): RangeError =>
  new RangeError(`${where}: expected at least ${expected} bytes, got ${got}; the file is cut short, fetch it again`);

async function expectStart(source: Source, where: string): Promise<void> {
  refuseStandIn(where, await source.read(0, Math.min(source.size, STAND_IN_BYTES)));
  if (source.size < 24) throw cutShort(where, 24, source.size);
  const start = Uint8Array.from(await source.read(0, 8));
  const magic = String.fromCharCode(...start.subarray(0, 4));
  if (magic !== MAGIC) {
    throw new TypeError(`${where}: expected a GGUF file, which begins with ${MAGIC}, got ${JSON.stringify(magic)}`);
  }
  const view = new DataView(start.buffer);
  if ((view.getUint32(4, true) & 0xffff) === 0) {
    throw new TypeError(`${where}: expected a little-endian file, got a big-endian one; convert the model anew`);
  }
  const version = view.getUint32(4, true);
  if (!VERSIONS.includes(version)) {
    throw new RangeError(`${where}: expected GGUF version ${VERSIONS.join(' or ')}, got ${version}; convert it anew`);
  }
}

async function readHead(source: Source, where: string): Promise<Awaited<ReturnType<typeof gguf>>> {
  let failure: Error | undefined;
  // the reader goes by addresses: this one is answered here, from the source
  const fetchRange: typeof fetch = async (_, init) => {
    const range = new Headers(init?.headers).get('range')!;
    const [first, last] = range.match(/\d+/g)!.map(Number) as [number, number];
    if (first >= source.size + CHUNK_BYTES) {
      failure = cutShort(where, first, source.size);
      throw failure;
    }
    const length = Math.max(0, Math.min(last + 1, source.size) - first);
    const bytes = length > 0 ? await source.read(first, length) : new Uint8Array(0);
    return new Response(bytes as Uint8Array<ArrayBuffer>, { status: 206 });
  };
  try {
    // loaded where a file is read: it brings 200 modules with it, for which other commands need not wait
    const { gguf } = await import('@huggingface/gguf');
    return await gguf('https://source/', { fetch: fetchRange });
  } catch (error) {
    throw failure ?? new Error(`${where}: expected a readable head, got an error: ${(error as Error).message}`);
  }
}

function readInfo(
  where: string,
  { name, shape, dtype, offset }: Awaited<ReturnType<typeof gguf>>['tensorInfos'][number],
  dataOffset: number,
): TensorInfo {
  const at = `${where}: tensor ${JSON.stringify(name)}`;
  const format = formatOf.get(dtype);
  if (format === undefined) {
    throw new TypeError(`${at}: expected type ${Object.keys(GGML_FORMATS).join(', ')}, got number ${dtype}`);
  }
  if (shape.length > MAX_DIMENSIONS || shape.length === 0) {
    throw new RangeError(`${at}: expected 1 to ${MAX_DIMENSIONS} sizes, got ${shape.length}`);
  }
  // ggml has the innermost size first
  const sizes = shape.map(Number).reverse();
  const { numbers, bytes: blockBytes } = GGML_FORMATS[format];
  if (sizes.at(-1)! % numbers !== 0) {
    throw new RangeError(`${at}: expected rows of a multiple of ${numbers} numbers for ${format}, got ${sizes.at(-1)}`);
  }
  const bytes = (sizes.reduce((product, size) => product * size, 1) / numbers) * blockBytes;
  return { name, dtype: format, shape: sizes, offset: dataOffset + Number(offset), bytes };
}

function plain(value: unknown): MetadataValue {
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === 'bigint' ? Number(value) : (value as MetadataValue);
}
