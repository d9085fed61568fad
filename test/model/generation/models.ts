/** The fixtures' models, of either family, on a machine of the test's choice, and generations run to their end. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { GenerationConfig } from '../../../src/model/checkpoint/generation-config.ts';
import type { Checkpoint } from '../../../src/model/families/checkpoint.ts';
import { type ModelConfig, openModel, shapeOf } from '../../../src/model/families/registry.ts';
import { advance, type Generation } from '../../../src/model/generation/generation.ts';
import { openGeneration } from '../../../src/model/generation/open-generation.ts';
import {
  type GenerationOptions,
  type GenerationRequest,
  generationOptions,
  type ScoringOptions,
} from '../../../src/model/generation/options.ts';
import { scoringOptions } from '../../../src/model/generation/scoring-options.ts';
import type { LanguageModel } from '../../../src/model/language-model.ts';
import { convert, planConversion } from '../../../src/model/pack/convert.ts';
import type { WeightsKind } from '../../../src/model/tensor-table.ts';
import type { Streaming } from '../../../src/model/weight-places.ts';
import { withCheckpoint } from '../../../src/node/model/model-folder.ts';
import { Arena } from '../../../src/tensor/arena.ts';
import type { Machine } from '../../../src/tensor/machine.ts';

export const FIXTURES = ['flan-a', 'flan-b', 't5-v1.0', 'odd'] as const;

/** Random models of the Llama block (test/fixtures/llama). */
export const LLAMA_FIXTURES = [
  'gemma3',
  'gemma3-scale',
  'llama-a',
  'llama-b',
  'mistral',
  'odd-llama',
  'qwen2',
  'qwen3',
] as const;

export const folder = (name: string) =>
  `test/fixtures/${(FIXTURES as readonly string[]).includes(name) ? 't5' : 'llama'}/${name}`;
export const readFixture = <T>(name: string, file: string): T =>
  JSON.parse(readFileSync(`${folder(name)}/${file}`, 'utf8'));

/** A case of `expected.json`, as far as it is about generating; ids begin with the start token. */
export interface Case {
  input_ids: number[];
  greedy_ids: number[];
  variants: Record<string, number[]>;
  sampling: { temperature: number; top_k: number; top_p: number; ids: number[]; probabilities: number[] };
}
export const cases = (name: string): Case[] => readFixture<{ cases: Case[] }>(name, 'expected.json').cases;

/** Weights in what stands in for stable memory. */
export interface StableWeights extends Streaming {
  keep(offset: number, bytes: Uint8Array): void;
}

export class FixtureModel {
  readonly lm: LanguageModel;

  constructor(
    lm: LanguageModel,
    private readonly config: ModelConfig,
    private readonly defaults: GenerationConfig,
  ) {
    this.lm = lm;
  }

  /** @param stable where not all weights are to be resident */
  static async open(
    name: string,
    weights: WeightsKind,
    machine: Machine,
    stable?: StableWeights,
  ): Promise<FixtureModel> {
    return await withCheckpoint(folder(name), (checkpoint) => openFolder(checkpoint, weights, machine, stable));
  }

  options(request: GenerationRequest): GenerationOptions {
    return generationOptions(request, this.defaults, this.config, () => 0n);
  }

  /** Options of a scoring of these choices. */
  scoring(choices: readonly (readonly number[])[], scoring: ScoringOptions): GenerationOptions {
    return scoringOptions(choices, scoring, this.defaults, this.config, 'choose');
  }

  generation(sourceIds: readonly number[], request: GenerationRequest): Generation {
    return openGeneration(this.lm, sourceIds, this.options(request));
  }

  /** The ids of an answer. */
  answer(sourceIds: readonly number[], request: GenerationRequest): number[] {
    const generation = this.generation(sourceIds, request);
    while (advance(this.lm, generation) !== 'finished');
    generation.close();
    return [...generation.tokenIds];
  }

  /** The same as transformers gives them: of a T5 with the start token first. */
  generate(sourceIds: readonly number[], request: GenerationRequest): number[] {
    const start = this.options(request).decoderStartTokenId;
    return [...(start === undefined ? [] : [start]), ...this.answer(sourceIds, request)];
  }
}

export async function openFolder(
  checkpoint: Checkpoint,
  weights: WeightsKind,
  machine: Machine,
  stable?: StableWeights,
): Promise<FixtureModel> {
  const { config, generation } = checkpoint;
  const lm = openModel(machine, new Arena(machine), shapeOf({ ...checkpoint, weights }, config), stable);
  const { weightsOffset, tokenizerOffset } = planConversion(checkpoint, weights, 0);
  const write = (at: number, bytes: Uint8Array): void => {
    if (at < weightsOffset || at >= tokenizerOffset) return;
    stable?.keep(at - weightsOffset, bytes);
    lm.weights.put(at - weightsOffset, bytes, (place, piece) => machine.write(place, piece));
  };
  await convert(checkpoint, weights, new Uint8Array(0), { write }, createHash('sha256'));
  return new FixtureModel(lm, config, generation);
}
