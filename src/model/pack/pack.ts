/**
 * A pack: one file with all that a canister needs of a model, laid out as the arena wants it. Not a Hugging Face file; convert.ts makes it of one.
 *
 *   0         8         12          16              weightsOffset            tokenizerOffset
 *   +---------+---------+-----------+---------------+------------------------+-----------+
 *   | STEPWISE| version | head bytes| head, JSON    | weights, as in the     | tokenizer |
 *   |         | u32     | u32       |               | arena (tensors.ts)     |           |
 *   +---------+---------+-----------+---------------+------------------------+-----------+
 *
 * Numbers are little-endian; sections begin at multiples of 64. The head's `sha256` is over all that follows it.
 */
import { pad } from '../../tensor/layout.ts';
import type { T5Config } from '../checkpoint/config.ts';
import type { GenerationConfig } from '../checkpoint/generation-config.ts';
import { type PackShape, type PackTensor, packTensors, packWeightsBytes, type WeightsKind } from './tensors.ts';

const MAGIC = 'STEPWISE';
export const PACK_VERSION = 1;
const FIXED_BYTES = 16;
/** A head is some 15 kB for flan-t5-small; a file that claims more than this is not read on. */
export const MAX_HEAD_BYTES = 1 << 18;

export interface PackHead {
  /** What the model is called, for people. */
  name: string;
  config: T5Config;
  generation: GenerationConfig;
  weights: WeightsKind;
  tiedHead: boolean;
  tensors: { name: string; offset: number; bytes: number }[];
  weightsOffset: number;
  weightsBytes: number;
  tokenizerOffset: number;
  /** 0 for a model that is used by ids alone. */
  tokenizerBytes: number;
  /** Lowercase hex. */
  sha256: string;
}

export const packShape = ({ config, weights, tiedHead }: PackHead): PackShape => ({ config, weights, tiedHead });

const listed = (tensors: readonly PackTensor[]) => tensors.map(({ name, offset, bytes }) => ({ name, offset, bytes }));

/** Offsets and sizes for a model; `sha256` is 64 zeros until the body is known, so that the head keeps its length. */
export function planPack(
  model: Pick<PackHead, 'name' | 'config' | 'generation' | 'weights' | 'tiedHead'>,
  tokenizerBytes: number,
): PackHead {
  const tensors = packTensors(model);
  const weightsBytes = packWeightsBytes(tensors);
  const head: PackHead = {
    ...model,
    tensors: listed(tensors),
    weightsOffset: 0,
    weightsBytes,
    tokenizerOffset: 0,
    tokenizerBytes,
    sha256: '0'.repeat(64),
  };
  // the offsets' own digits are part of the head: leave room for the longest
  const headRoom = pad(FIXED_BYTES + new TextEncoder().encode(JSON.stringify(head)).length + 32, 64);
  head.weightsOffset = headRoom;
  head.tokenizerOffset = pad(headRoom + weightsBytes, 64);
  return head;
}

export const packBytes = (head: PackHead): number => head.tokenizerOffset + head.tokenizerBytes;

/** The file's beginning, up to `weightsOffset`; the JSON is filled up with spaces. */
export function encodePackHead(head: PackHead): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(head));
  const bytes = new Uint8Array(head.weightsOffset).fill(0x20);
  bytes.set(new TextEncoder().encode(MAGIC));
  const view = new DataView(bytes.buffer);
  view.setUint32(8, PACK_VERSION, true);
  view.setUint32(12, head.weightsOffset - FIXED_BYTES, true);
  bytes.set(json, FIXED_BYTES);
  return bytes;
}

/** Bytes that `decodePackHead` needs to see, read off the file's first 16. @throws Error for a file that is no pack, or of another version. */
export function packHeadBytes(start: Uint8Array): number {
  const magic = String.fromCharCode(...start.slice(0, 8));
  if (start.length < FIXED_BYTES || magic !== MAGIC) {
    throw new Error(
      `pack: expected a file that begins with ${MAGIC}, got ${start.length < 16 ? `${start.length} bytes` : JSON.stringify(magic)}`,
    );
  }
  const view = new DataView(start.buffer, start.byteOffset);
  const version = view.getUint32(8, true);
  if (version !== PACK_VERSION) {
    throw new Error(`pack: expected version ${PACK_VERSION}, got ${version}; convert the model again`);
  }
  const headBytes = view.getUint32(12, true);
  if (headBytes > MAX_HEAD_BYTES)
    throw new Error(`pack: expected a head of at most ${MAX_HEAD_BYTES} bytes, got ${headBytes}`);
  return FIXED_BYTES + headBytes;
}

/**
 * Reads and checks the head of a pack of `fileBytes`. Nothing in it is believed that can be worked out from the configuration.
 * @throws Error saying what was expected and what is there.
 */
export function decodePackHead(start: Uint8Array, fileBytes: number): PackHead {
  const end = packHeadBytes(start);
  if (start.length < end) throw new Error(`pack: expected a head of ${end} bytes, got ${start.length}`);
  let head: PackHead;
  try {
    head = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(start.slice(FIXED_BYTES, end)));
  } catch (error) {
    throw new Error(`pack: expected a head of JSON, got ${(error as Error).message}`);
  }
  checkHead(head, fileBytes);
  return head;
}

function checkHead(head: PackHead, fileBytes: number): void {
  if (head.weights !== 'int8' && head.weights !== 'float32') {
    throw new Error(`pack: expected weights int8 or float32, got ${JSON.stringify(head.weights)}`);
  }
  checkSizes(head.config);
  const tensors = packTensors(packShape(head));
  const found = Array.isArray(head.tensors) ? head.tensors : [];
  listed(tensors).forEach((expected, i) => {
    const { name, offset, bytes } = found[i] ?? { name: 'nothing', offset: 0, bytes: 0 };
    if (name !== expected.name || offset !== expected.offset || bytes !== expected.bytes) {
      throw new Error(
        `pack: expected ${expected.name} of ${expected.bytes} bytes at ${expected.offset}, got ${name} of ${bytes} at ${offset}`,
      );
    }
  });
  if (found.length !== tensors.length) throw new Error(`pack: expected ${tensors.length} tensors, got ${found.length}`);
  const sizes: [string, number, number][] = [
    ['weightsBytes', packWeightsBytes(tensors), head.weightsBytes],
    ['tokenizerOffset', pad(head.weightsOffset + head.weightsBytes, 64), head.tokenizerOffset],
    ['file bytes', packBytes(head), fileBytes],
  ];
  for (const [what, expected, got] of sizes) {
    if (expected !== got) throw new Error(`pack: expected ${what} ${expected}, got ${got}`);
  }
}

/** The sizes that everything else is worked out from; bounded, so that working it out is cheap whatever a head claims. */
function checkSizes(config: T5Config): void {
  const bounds: [keyof T5Config, number][] = [
    ['vocabularySize', 1 << 20],
    ['dModel', 1 << 14],
    ['dKv', 1 << 10],
    ['dFf', 1 << 16],
    ['numLayers', 256],
    ['numDecoderLayers', 256],
    ['numHeads', 256],
    ['relativeAttentionNumBuckets', 1 << 12],
    ['relativeAttentionMaxDistance', 2 ** 31 - 1],
  ];
  for (const [name, most] of bounds) {
    const value = config?.[name];
    if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > most) {
      throw new Error(`pack: expected ${name} from 1 to ${most}, got ${JSON.stringify(value)}`);
    }
  }
  if (typeof config.feedForward?.gated !== 'boolean') {
    throw new Error(`pack: expected feedForward.gated to be a boolean, got ${JSON.stringify(config.feedForward)}`);
  }
}
