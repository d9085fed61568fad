/** The fixtures' models on a machine of the test's choice, and generations run to their end. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { GenerationConfig } from '../../../src/model/checkpoint/generation-config.ts';
import type { Checkpoint } from '../../../src/model/families/t5/checkpoint.ts';
import { T5 } from '../../../src/model/families/t5/t5.ts';
import { advance, type Generation } from '../../../src/model/generation/generation.ts';
import { openGeneration } from '../../../src/model/generation/open-generation.ts';
import {
  type GenerationOptions,
  type GenerationRequest,
  generationOptions,
} from '../../../src/model/generation/options.ts';
import { convert, planConversion } from '../../../src/model/pack/convert.ts';
import type { WeightsKind } from '../../../src/model/tensor-table.ts';
import { withCheckpoint } from '../../../src/node/model/model-folder.ts';
import { Arena } from '../../../src/tensor/arena.ts';
import type { Machine } from '../../../src/tensor/machine.ts';

export const FIXTURES = ['flan-a', 'flan-b', 't5-v1.0', 'odd'] as const;

const folder = (name: string) => `test/fixtures/t5/${name}`;
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

export class FixtureModel {
  readonly t5: T5;
  private readonly defaults: GenerationConfig;

  constructor(t5: T5, defaults: GenerationConfig) {
    this.t5 = t5;
    this.defaults = defaults;
  }

  static async open(name: string, weights: WeightsKind, machine: Machine): Promise<FixtureModel> {
    return await withCheckpoint(folder(name), (checkpoint) => openFolder(checkpoint, weights, machine));
  }

  options(request: GenerationRequest): GenerationOptions {
    return generationOptions(request, this.defaults, this.t5.shape.config, () => 0n);
  }

  generation(sourceIds: readonly number[], request: GenerationRequest): Generation {
    return openGeneration(this.t5, sourceIds, this.options(request));
  }

  /** The ids of an answer, start token first, as transformers gives them. */
  generate(sourceIds: readonly number[], request: GenerationRequest): number[] {
    const generation = this.generation(sourceIds, request);
    while (advance(this.t5, generation) !== 'finished');
    generation.close();
    return [this.options(request).decoderStartTokenId, ...generation.tokenIds];
  }
}

export async function openFolder(
  checkpoint: Checkpoint,
  weights: WeightsKind,
  machine: Machine,
): Promise<FixtureModel> {
  const { config, generation, tiedHead } = checkpoint;
  const t5 = new T5(machine, new Arena(machine), { config, weights, tiedHead });
  const { weightsOffset, tokenizerOffset } = planConversion(checkpoint, weights, 0);
  const write = (at: number, bytes: Uint8Array): void => {
    if (at >= weightsOffset && at < tokenizerOffset) machine.write(t5.weightsAt + at - weightsOffset, bytes);
  };
  await convert(checkpoint, weights, new Uint8Array(0), { write }, createHash('sha256'));
  return new FixtureModel(t5, generation);
}
