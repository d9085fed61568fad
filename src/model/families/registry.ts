/**
 * The families of models. Packs, the canister and scripts know a family by this file alone; whoever makes packs, by
 * checkpoint.ts beside it. Adding one is a folder and a line here and there.
 */
import type { Arena } from '../../tensor/arena.ts';
import type { Machine } from '../../tensor/machine.ts';

import type { StagePrograms } from '../batch-programs.ts';
import { parseT5Config, type T5Config } from '../checkpoint/config.ts';
import { show } from '../json/json.ts';
import type { LanguageModel } from '../language-model.ts';
import type { Stage } from '../stages/stage.ts';
import type { LayerCounts, StageOf } from '../stages/stage-plan.ts';
import type { PackTensor, WeightsKind } from '../tensor-table.ts';
import type { Streaming } from '../weight-places.ts';
import { type LlamaConfig, parseLlamaConfig } from './llama/config.ts';
import { Llama, LlamaStage } from './llama/llama.ts';
import {
  EMBEDDING as LLAMA_EMBEDDING,
  type LlamaShape,
  layerOf as llamaLayerOf,
  packTensors as llamaPackTensors,
} from './llama/tensors.ts';
import { llamaWork } from './llama/work.ts';
import { T5, T5Stage } from './t5/t5.ts';
import {
  EMBEDDING as T5_EMBEDDING,
  type T5Shape,
  layerOf as t5LayerOf,
  packTensors as t5PackTensors,
} from './t5/tensors.ts';
import { t5Work } from './t5/work.ts';

/** What of a model decides its tensors and programs. */
export type PackShape = T5Shape | LlamaShape;
export type ModelConfig = T5Config | LlamaConfig;

/** A family's name in a pack's head; absent for T5, as packs had no other once. */
export type FamilyName = 'llama';

const isLlama = (shape: PackShape): shape is LlamaShape => shape.family === 'llama';

/** The shape of a model whose parts were read one by one. */
export function shapeOf(
  {
    family,
    weights,
    tiedHead,
    stage,
  }: { family?: FamilyName | undefined; weights: WeightsKind; tiedHead: boolean; stage?: StageOf | undefined },
  config: ModelConfig,
): PackShape {
  const part = stage && { stage };
  if (family === 'llama') return { family, config: config as LlamaConfig, weights, tiedHead, ...part };
  return { config: config as T5Config, weights, tiedHead, ...part };
}

/**
 * A model's configuration, of the form of its family's `config.json`.
 * @throws Error, TypeError, RangeError naming what is wrong
 */
export function parseConfig(family: unknown, json: unknown, where: string): ModelConfig {
  if (family === 'llama') return parseLlamaConfig(json, where);
  if (family === undefined) return parseT5Config(json, where);
  throw new Error(`${where}: expected a family of llama, or none for T5, got ${show(family)}`);
}

/** A pack's tensors, with their places. */
export const packTensors = (shape: PackShape): readonly PackTensor[] =>
  isLlama(shape) ? llamaPackTensors(shape) : t5PackTensors(shape);

/**
 * Takes room for a model and records its programs. The weights are to be put in their places before the first sequence
 * runs.
 * @param shape of a whole model, or of the first stage of one
 * @param streaming undefined: all weights are resident (weight-places.ts)
 * @param epoch of a first stage: another one each time (stages/wire.ts)
 * @throws RangeError where memory is exhausted
 */
export const openModel = (
  machine: Machine,
  arena: Arena,
  shape: PackShape,
  streaming?: Streaming,
  epoch?: number,
): LanguageModel =>
  isLlama(shape) ? new Llama(machine, arena, shape, streaming, epoch) : new T5(machine, arena, shape, streaming, epoch);

/** The same for a stage behind the first. */
export const openStage = (
  machine: Machine,
  arena: Arena,
  shape: PackShape,
  streaming?: Streaming,
): Stage<StagePrograms> =>
  isLlama(shape) ? new LlamaStage(machine, arena, shape, streaming) : new T5Stage(machine, arena, shape, streaming);

/** Multiply-adds of an answer. */
export interface MultiplyAdds {
  /** Of the prompt, before the first token. */
  prompt: number;
  /** Of the answer's last token. */
  token: number;
}

/** @param tokens of the answer, of which the last one sees the others */
export const workOf = (shape: PackShape, promptTokens: number, tokens: number): MultiplyAdds =>
  isLlama(shape) ? llamaWork(shape.config, promptTokens, tokens) : t5Work(shape.config, promptTokens, tokens);

/** How many layers a model has to be cut into stages. */
export const layerCounts = (shape: PackShape): LayerCounts =>
  isLlama(shape)
    ? { layers: shape.config.layers.length, encoderLayers: 0 }
    : { layers: shape.config.numDecoderLayers, encoderLayers: shape.config.numLayers };

/** The layer that a tensor is of, by which models are cut; undefined of what is in none. */
export function layerOfTensor(shape: PackShape, tensor: string): { of: keyof LayerCounts; layer: number } | undefined {
  const name = isLlama(shape) ? llamaLayerOf(tensor) : t5LayerOf(tensor);
  if (name === undefined) return undefined;
  return { of: name.startsWith('encoder.') ? 'encoderLayers' : 'layers', layer: Number(name.split('.')[2]) };
}

/** Whether a tensor has a row for each token id: the embedding, and the head where it is the same. */
export const isEmbedding = (tensor: string): boolean => tensor === LLAMA_EMBEDDING || tensor === T5_EMBEDDING;

/** Sizes for people: the width, and layers of encoder and decoder. */
export function sizesOf(shape: PackShape): { width: number; encoderLayers: number; decoderLayers: number } {
  if (isLlama(shape)) {
    const { hiddenSize, layers } = shape.config;
    return { width: hiddenSize, encoderLayers: 0, decoderLayers: layers.length };
  }
  const { dModel, numLayers, numDecoderLayers } = shape.config;
  return { width: dModel, encoderLayers: numLayers, decoderLayers: numDecoderLayers };
}
