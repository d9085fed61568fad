/**
 * Cuts a pack into stages: a pack for each, with its own tensors and no others, that says which part of which model it
 * is. The first has the tokenizer, and answers; the others need none. Bytes are copied as they are, so that a model in
 * stages gives the same as the whole one, to the bit.
 */
import { isEmbedding, layerCounts, layerOfTensor, packTensors } from '../families/registry.ts';
import { planStages, type StagePart } from '../stages/stage-plan.ts';
import type { Hash, PackSink } from './convert.ts';
import { encodePackHead, type OpenedHead, type PackHead, packShape, planPack } from './pack.ts';

/** Reads `bytes` of the whole pack from `offset` on. */
export type ReadPack = (offset: number, bytes: number) => Promise<Uint8Array> | Uint8Array;

/** Bytes that are copied at once. */
const PIECE_BYTES = 8 << 20;

/**
 * Stages with about as many bytes each of weights that a token reads: so each has about as much to do. An embedding
 * that is not the head too is not among them, since a token reads one row of it.
 * @throws RangeError where there are more stages than layers, or only one; Error for a pack that is a stage itself
 */
export function cutOf(head: OpenedHead, stages: number): StagePart[] {
  if (head.stage)
    throw new Error(`stages: expected the pack of a whole model, got stage ${head.stage.index + 1} of one`);
  const shape = packShape(head);
  const bytes = { layers: new Map<number, number>(), encoderLayers: new Map<number, number>() };
  let besides = 0;
  for (const tensor of packTensors(shape)) {
    const place = layerOfTensor(shape, tensor.name);
    if (!place) besides += head.tiedHead || !isEmbedding(tensor.name) ? tensor.bytes : 0;
    else bytes[place.of].set(place.layer, (bytes[place.of].get(place.layer) ?? 0) + tensor.bytes);
  }
  return planStages(layerCounts(shape), stages, (of, layer) => bytes[of].get(layer)!, besides);
}

/** The head of a stage's pack, its sha256 yet unknown. */
export function planStagePack(head: OpenedHead, parts: readonly StagePart[], index: number): PackHead {
  const { name, family, json, about, weights, tiedHead, addedTokens, chat, sha256 } = head;
  const stage = { index, parts, model: sha256 };
  const same = { ...(family && { family }), json, weights, tiedHead, stage };
  if (index > 0) return planPack({ ...same, name: `${name}, stage ${index + 1} of ${parts.length}` }, head.config, 0);
  const ofFirst = { ...(about && { about }), ...(addedTokens && { addedTokens }), ...(chat && { chat }) };
  return planPack({ ...same, name, ...ofFirst }, head.config, head.tokenizerBytes);
}

/** Writes a stage's pack; pieces come in order but for the head, which comes last. */
export async function cutStage(
  head: OpenedHead,
  parts: readonly StagePart[],
  index: number,
  read: ReadPack,
  sink: PackSink,
  sha256: Hash,
): Promise<PackHead> {
  const stage = planStagePack(head, parts, index);
  const whole = new Map(head.tensors.map((tensor) => [tensor.name, tensor]));
  let at = stage.weightsOffset;
  const append = async (to: number, from: number, bytes: number): Promise<void> => {
    for (let done = 0; done < bytes || to > at; ) {
      const size = Math.min(PIECE_BYTES, bytes - done);
      const piece = size > 0 ? await read(from + done, size) : new Uint8Array(0);
      // the gap before an aligned tensor is part of the body, and of its hash
      const padded = new Uint8Array(to + done - at + size);
      padded.set(piece, to + done - at);
      sha256.update(padded);
      await sink.write(at, padded);
      at += padded.length;
      done += size;
    }
  };
  for (const { name, offset, bytes } of stage.tensors)
    await append(stage.weightsOffset + offset, head.weightsOffset + whole.get(name)!.offset, bytes);
  await append(stage.tokenizerOffset, head.tokenizerOffset, stage.tokenizerBytes);
  stage.sha256 = Array.from(sha256.digest(), (byte) => byte.toString(16).padStart(2, '0')).join('');
  await sink.write(0, encodePackHead(stage));
  return stage;
}
