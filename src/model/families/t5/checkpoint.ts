// A T5 checkpoint: a Hugging Face model folder, opened and checked, whose tensors are read one at a time.
// Not the tokenizer: whoever needs it takes `spiece.model` or `tokenizer.json` from the same folder.

import { type About, parseAbout } from '../../checkpoint/about.ts';
import { parseT5Config, readStartToken, type T5Config } from '../../checkpoint/config.ts';
import { type GenerationConfig, generationFields, parseGenerationConfig } from '../../checkpoint/generation-config.ts';
import { type Folder, openWeights, readAll, type Weights } from '../../checkpoint/weights.ts';
import { generationOptions } from '../../generation/options.ts';
import { Fields, parseJson } from '../../json/json.ts';
import { matchT5Tensors, SPARE_TENSORS } from './match-tensors.ts';
import { EMBEDDING } from './tensors.ts';

export interface Checkpoint {
  name: string;
  config: T5Config;
  generation: GenerationConfig;
  /** What `config.json` and `generation_config.json` say, unread; where the folder has no such file, what the former has of it. */
  json: { config: unknown; generation: unknown };
  /** What `about.json` says, which a folder need not have: it is ours, and not Hugging Face's. */
  about?: About | undefined;
  /** Whether the head is the embedding, because there is no `lm_head.weight`. */
  tiedHead: boolean;
  /** A tensor by its name in `t5Tensors`, or `lm_head.weight`, as float32 in a fresh array. */
  tensor(name: string): Promise<Float32Array<ArrayBuffer>>;
}

/**
 * Opens a folder: reads its configuration and the heads of its weight files, and checks that they fit each other.
 * @param name what the model is called. @throws Error, TypeError, RangeError naming the file and what is wrong in it.
 */
export async function openCheckpoint(folder: Folder, name: string): Promise<Checkpoint> {
  const configFile = await folder.open('config.json');
  if (configFile === undefined) throw new Error('model folder: expected config.json in it, got none; is it a T5?');
  const generationFile = await folder.open('generation_config.json');
  const configJson = parseJson('config.json', await readAll(configFile));
  const config = parseT5Config(configJson);
  const json = {
    config: configJson,
    generation: generationFile
      ? parseJson('generation_config.json', await readAll(generationFile))
      : generationFields(configJson),
  };
  const generationWhere = generationFile ? 'generation_config.json' : 'config.json';
  const generation = parseGenerationConfig(json.generation, config.vocabularySize, generationWhere);
  const start =
    generation.decoderStartTokenId ?? readStartToken(new Fields('config.json', configJson), config.vocabularySize);
  if (start === undefined) {
    throw new Error(
      `${generationWhere}: expected a decoder_start_token_id, or else a bos_token_id, to begin answers with, got neither`,
    );
  }
  generationOptions({}, generation, config, () => 0n, generationWhere);
  const aboutFile = await folder.open('about.json');
  const about = aboutFile && parseAbout(parseJson('about.json', await readAll(aboutFile)), 'about.json');
  const weights = await openWeights(folder, SPARE_TENSORS);
  const { names, tiedHead, copies } = matchT5Tensors(config, weights.tensors, weights.where);
  for (const copy of copies) await expectEqual(weights, names.get(EMBEDDING)!, copy);
  return {
    name,
    config,
    generation,
    json,
    about,
    tiedHead,
    tensor: async (tensorName) => {
      const own = names.get(tensorName);
      if (own === undefined)
        throw new Error(`checkpoint: expected the name of a tensor of this T5, got "${tensorName}"`);
      return await weights.read(own);
    },
  };
}

/** transformers saves the embedding under several names; were they to differ, one of them would be lost. */
async function expectEqual(weights: Weights, name: string, copy: string): Promise<void> {
  const [a, b] = [await weights.read(name), await weights.read(copy)];
  const differs = a.findIndex((value, i) => !Object.is(value, b[i]));
  if (differs >= 0) {
    throw new Error(
      `${weights.where}: expected "${copy}" to equal "${name}", got ${b[differs]} for ${a[differs]} at number ${differs}`,
    );
  }
}
