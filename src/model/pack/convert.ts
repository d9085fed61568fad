/**
 * Makes a pack of a checkpoint: pads and quantises tensor after tensor, holding one at a time. Where the checkpoint
 * comes from, and where the pack goes, are the caller's.
 */
import { placeInt4 } from '../../tensor/int4.ts';
import { type MatrixKind, type Placement, placeFloat32, placeInt8 } from '../../tensor/layout.ts';
import { type Checkpoint, packSource } from '../families/checkpoint.ts';
import { packTensors, shapeOf } from '../families/registry.ts';
import type { PackTensor, WeightsKind } from '../tensor-table.ts';
import type { PackTokenizer } from '../tokenizer/pack-tokenizer.ts';
import { encodePackHead, type PackHead, planPack } from './pack.ts';

/** Where a pack is written; pieces come in order but for the head, which comes last. */
export interface PackSink {
  write(offset: number, bytes: Uint8Array): Promise<void> | void;
}

/** SHA-256 as a stream. */
export interface Hash {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

/** What of a tokenizer the head has, beside its tables. */
type InHead = Pick<PackTokenizer, 'addedTokens' | 'chat'>;

/** The head of the pack that `convert` makes, its sha256 yet unknown. */
export function planConversion(
  checkpoint: Checkpoint,
  weights: WeightsKind,
  tokenizerBytes: number,
  inHead: InHead = {},
): PackHead {
  const { name, family, config, json, about, tiedHead } = checkpoint;
  const model = { name, ...(family && { family }), json, ...(about && { about }), weights, tiedHead, ...inHead };
  return planPack(model, config, tokenizerBytes);
}

export async function convert(
  checkpoint: Checkpoint,
  weights: WeightsKind,
  tokenizer: Uint8Array,
  sink: PackSink,
  sha256: Hash,
  onProgress: (done: number, all: number) => void = () => {},
  inHead: InHead = {},
): Promise<PackHead> {
  const shape = shapeOf({ ...checkpoint, weights }, checkpoint.config);
  const read = packSource(shape, checkpoint);
  const head = planConversion(checkpoint, weights, tokenizer.length, inHead);
  let at = head.weightsOffset;
  const append = async (offset: number, bytes: Uint8Array): Promise<void> => {
    // the gap before an aligned tensor is part of the body, and of its hash
    const padded = new Uint8Array(offset - at + bytes.length);
    padded.set(bytes, offset - at);
    sha256.update(padded);
    await sink.write(at, padded);
    at = offset + bytes.length;
    onProgress(at - head.weightsOffset, head.tokenizerOffset + head.tokenizerBytes - head.weightsOffset);
  };
  for (const tensor of packTensors(shape)) {
    const source = await read(tensor.name);
    await append(head.weightsOffset + tensor.offset, placeTensor(tensor, source));
  }
  await append(head.tokenizerOffset, tokenizer);
  head.sha256 = Array.from(sha256.digest(), (b) => b.toString(16).padStart(2, '0')).join('');
  await sink.write(0, encodePackHead(head));
  return head;
}

const bytesOf = (floats: Float32Array): Uint8Array =>
  new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);

type Place = (source: Float32Array, sourceCols: number, rows: Placement, cols: Placement) => Uint8Array;
const PLACE: Record<MatrixKind, Place> = {
  int4: placeInt4,
  int8: placeInt8,
  float32: (...args) => bytesOf(placeFloat32(...args)),
};

function placeTensor({ layout, shape, weights }: PackTensor, source: Float32Array): Uint8Array {
  if (layout.kind === 'matrix') return PLACE[weights](source, shape[1]!, layout.rows, layout.cols);
  if (layout.kind === 'made') return bytesOf(layout.make(source));
  const row = { length: 1, from: () => 0 };
  return bytesOf(placeFloat32(source, shape[0]!, row, layout.cols));
}
