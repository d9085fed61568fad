/** A model without a canister: the same T5, tokenizer and kernels in this process, for trying a model and for checking it. */
import { createHash } from 'node:crypto';
import type { GenerationConfig } from '../../model/checkpoint/generation-config.ts';
import { T5 } from '../../model/families/t5/t5.ts';
import { convert, planConversion } from '../../model/pack/convert.ts';
import type { WeightsKind } from '../../model/tensor-table.ts';
import { copyTokenizer } from '../../model/tokenizer/pack-tokenizer.ts';
import { Arena } from '../../tensor/arena.ts';
import type { Tokenizer } from '../../text/tokenizer.ts';
import { readTokenizer, withCheckpoint } from './model-folder.ts';
import { nodeUnit } from './node-unit.ts';

export interface LocalModel {
  t5: T5;
  /** Undefined where the folder has none: such a model takes ids alone. */
  tokenizer: Tokenizer | undefined;
  /** The folder's defaults. */
  generation: GenerationConfig;
}

/** Opens a folder and brings its weights into the arena, tensor by tensor. @throws Error naming the file that is missing or wrong */
export async function openLocalModel(dir: string, weights: WeightsKind): Promise<LocalModel> {
  return await withCheckpoint(dir, async (checkpoint) => {
    const { config, generation, tiedHead } = checkpoint;
    const machine = await nodeUnit();
    const found = await readTokenizer(dir, config.vocabularySize);
    const tokenizer = found && copyTokenizer(found, machine);
    const t5 = new T5(machine, new Arena(machine), { config, weights, tiedHead });
    const { weightsOffset, tokenizerOffset } = planConversion(checkpoint, weights, 0);
    const intoArena = (at: number, bytes: Uint8Array): void => {
      // what a pack has besides weights is not for the arena
      if (at >= weightsOffset && at < tokenizerOffset) machine.write(t5.weightsAt + at - weightsOffset, bytes);
    };
    await convert(checkpoint, weights, new Uint8Array(0), { write: intoArena }, createHash('sha256'));
    return { t5, tokenizer, generation };
  });
}
