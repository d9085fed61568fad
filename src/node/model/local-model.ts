/**
 * A model without a canister: the same programs, tokenizer and kernels in this process, for trying a model and for
 * checking it.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { GenerationConfig } from '../../model/checkpoint/generation-config.ts';
import { type ModelConfig, openModel, shapeOf } from '../../model/families/registry.ts';
import { T5 } from '../../model/families/t5/t5.ts';
import type { Generation } from '../../model/generation/generation.ts';
import { openGeneration } from '../../model/generation/open-generation.ts';
import {
  fitContext,
  type GenerationOptions,
  type GenerationRequest,
  generationOptions,
} from '../../model/generation/options.ts';
import type { LanguageModel } from '../../model/language-model.ts';
import { convert, planConversion } from '../../model/pack/convert.ts';
import type { WeightsKind } from '../../model/tensor-table.ts';
import { copyTokenizer } from '../../model/tokenizer/pack-tokenizer.ts';
import { Arena } from '../../tensor/arena.ts';
import { Chat } from '../../text/chat.ts';
import type { Tokenizer } from '../../text/tokenizer.ts';
import { withCheckpoint } from './model-folder.ts';
import { nodeUnit } from './node-unit.ts';

export interface LocalModel {
  model: LanguageModel;
  config: ModelConfig;
  /** Undefined where the model has none: it takes ids alone then. */
  tokenizer: Tokenizer | undefined;
  /** Where a tokenizer is sought, for errors. */
  tokenizerIn: string;
  /** Undefined of a model without a chat template. */
  chat: Chat | undefined;
  /** The folder's defaults. */
  generation: GenerationConfig;
}

/**
 * Opens a folder and brings its weights into the arena, tensor by tensor.
 * @throws Error naming the file that is missing or wrong
 */
export async function openLocalModel(dir: string, weights: WeightsKind): Promise<LocalModel> {
  return await withCheckpoint(dir, async (checkpoint) => {
    const { config, generation, tokenizerIn } = checkpoint;
    const machine = await nodeUnit();
    const found = await checkpoint.readTokenizer();
    const tokenizer = found && copyTokenizer(found, machine);
    const chat = found?.chat && new Chat(found.chat, tokenizer!);
    const model = openModel(machine, new Arena(machine), shapeOf({ ...checkpoint, weights }, config));
    const { weightsOffset, tokenizerOffset } = planConversion(checkpoint, weights, 0);
    const write = (at: number, bytes: Uint8Array): void => machine.write(at, bytes);
    const intoArena = (at: number, bytes: Uint8Array): void => {
      // what a pack has besides weights is not for the arena
      if (at >= weightsOffset && at < tokenizerOffset) model.weights.put(at - weightsOffset, bytes, write);
    };
    await convert(checkpoint, weights, new Uint8Array(0), { write: intoArena }, createHash('sha256'));
    return { model, config, tokenizer, tokenizerIn, chat, generation };
  });
}

/** Begins an answer. @throws RangeError for options, or a length, that the model has no room for */
export function beginAnswer(
  { model, config, generation: defaults, tokenizer }: LocalModel,
  promptIds: number[],
  request: GenerationRequest,
): { generation: Generation; decided: GenerationOptions } {
  const seed = (): bigint => randomBytes(8).readBigUInt64LE();
  const decided = fitContext(generationOptions(request, defaults, config, seed), request, promptIds.length, config);
  return { generation: openGeneration(model, promptIds, decided, undefined, tokenizer), decided };
}

/** The same for a T5, of which more is known. @throws Error for a folder of another family */
export async function openLocalT5(dir: string, weights: WeightsKind): Promise<LocalModel & { t5: T5 }> {
  const local = await openLocalModel(dir, weights);
  if (!(local.model instanceof T5)) throw new Error(`local model: expected a T5 in ${dir}, got another family`);
  return { ...local, t5: local.model };
}
