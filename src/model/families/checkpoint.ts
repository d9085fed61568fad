/**
 * A checkpoint of any family: a Hugging Face model folder or a GGUF file, opened and checked, whose tensors are read
 * one at a time, and what a pack takes of them. The canister has no part of it. Not the tokenizer: whoever needs it
 * takes `spiece.model` or `tokenizer.json` from the same folder.
 */
import { type About, parseAbout } from '../checkpoint/about.ts';
import type { CheckedWeights } from '../checkpoint/checked-weights.ts';
import { parseT5Config } from '../checkpoint/config.ts';
import { type GenerationConfig, generationFields, parseGenerationConfig } from '../checkpoint/generation-config.ts';
import { Gguf } from '../checkpoint/gguf.ts';
import { ggufName } from '../checkpoint/gguf-model.ts';
import type { Source } from '../checkpoint/tensor-file.ts';
import { type Folder, readAll } from '../checkpoint/weights.ts';
import { namingWhatIsCut } from '../generation/cut-defaults.ts';
import { generationOptions } from '../generation/options.ts';
import { Fields, parseJson, show } from '../json/json.ts';
import { openLlamaWeights } from './llama/checkpoint.ts';
import { isLlamaType, type LlamaConfig, MODEL_TYPES, parseLlamaConfig } from './llama/config.ts';
import { type LlamaFile, llamaSource } from './llama/conversion.ts';
import { openGgufLlama } from './llama/gguf-checkpoint.ts';
import { isLlamaArchitecture, LLAMA_ARCHITECTURES } from './llama/gguf-config.ts';
import type { FamilyName, ModelConfig, PackShape } from './registry.ts';
import { checkStart, openT5Weights } from './t5/checkpoint.ts';
import { openGgufT5 } from './t5/gguf-checkpoint.ts';
import { T5_ARCHITECTURE } from './t5/gguf-config.ts';

export interface Checkpoint extends CheckedWeights<ModelConfig> {
  name: string;
  /** T5 where it is left out. */
  family?: FamilyName;
  generation: GenerationConfig;
  /** What `config.json` and `generation_config.json` say, unread; where there is no such file, what stands for it. */
  json: { config: unknown; generation: unknown };
  /** What `about.json` says, which a folder need not have: it is ours, and not Hugging Face's. */
  about?: About | undefined;
  /** What a GGUF file divides the rotations' frequencies by. */
  ropeFactors?: LlamaFile['ropeFactors'];
}

/**
 * Opens a folder: reads its configuration and the heads of its weight files, and checks that they fit each other.
 * @param name what the model is called. @throws Error, TypeError, RangeError naming the file and what is wrong in it.
 */
export async function openCheckpoint(folder: Folder, name: string): Promise<Checkpoint> {
  const configFile = await folder.open('config.json');
  if (configFile === undefined) throw new Error('model folder: expected config.json in it, got none; is it a model?');
  const generationFile = await folder.open('generation_config.json');
  const configJson = parseJson('config.json', await readAll(configFile));
  const family = familyOf(configJson);
  const config = family === 'llama' ? parseLlamaConfig(configJson) : parseT5Config(configJson);
  const json = {
    config: configJson,
    generation: generationFile
      ? parseJson('generation_config.json', await readAll(generationFile))
      : generationFields(configJson),
  };
  const generationWhere = generationFile ? 'generation_config.json' : 'config.json';
  const generation = namingWhatIsCut(
    parseGenerationConfig(json.generation, config.vocabularySize, generationWhere),
    config,
  );
  if (!family) checkStart(generation, configJson, config.vocabularySize, generationWhere);
  generationOptions({}, generation, config, () => 0n, generationWhere);
  const aboutFile = await folder.open('about.json');
  const about = aboutFile && parseAbout(parseJson('about.json', await readAll(aboutFile)), 'about.json');
  const weights = 'hiddenSize' in config ? await openLlamaWeights(folder, config) : await openT5Weights(folder, config);
  return { name, ...(family && { family }), generation, json, about, ...weights };
}

/**
 * The family that a `config.json` is of, by its `model_type`; a T5's may be silent.
 * @throws Error for one that is not built in
 */
export function familyOf(config: unknown): FamilyName | undefined {
  const fields = new Fields('config.json', config);
  const type = fields.get('model_type') ?? 't5';
  if (type === 't5') return undefined;
  if (isLlamaType(type)) return 'llama';
  return fields.wrong(
    Error,
    'model_type',
    `one of t5, ${MODEL_TYPES.join(', ')} (no other architecture is built in)`,
    type,
  );
}

/**
 * Opens a GGUF file and checks that its tensors are those its metadata asks for.
 * @param where the file's name, which errors give and which names the model where the file does not
 * @throws Error, TypeError, RangeError naming what is wrong
 */
export async function openGgufCheckpoint(
  source: Source,
  where: string,
): Promise<Checkpoint & { metadata: ReadonlyMap<string, unknown> }> {
  const gguf = await Gguf.open(source, where);
  const family = ggufFamily(gguf);
  const opened = family === 'llama' ? await openGgufLlama(gguf) : await openGgufT5(gguf);
  const { config, json } = opened;
  const generation = namingWhatIsCut(parseGenerationConfig({}, config.vocabularySize, where), config);
  if (!family) checkStart(generation, json.config, config.vocabularySize, where);
  generationOptions({}, generation, config, () => 0n, where);
  return { name: ggufName(gguf), ...(family && { family }), generation, metadata: gguf.metadata, ...opened };
}

/** @throws Error for an architecture that is not built in */
function ggufFamily({ metadata, where }: Gguf): FamilyName | undefined {
  const architecture = metadata.get('general.architecture');
  if (architecture === T5_ARCHITECTURE) return undefined;
  if (isLlamaArchitecture(architecture)) return 'llama';
  const why = architecture === 't5encoder' ? 'an encoder alone makes no text' : 'no other is built in';
  const [last, ...others] = [T5_ARCHITECTURE, ...LLAMA_ARCHITECTURES].reverse();
  throw new Error(
    `${where}: expected "general.architecture" to be ${others.reverse().join(', ')} or ${last} (${why}), got ${show(architecture)}`,
  );
}

/**
 * Reads the tensors of a pack by name, as float32 in fresh arrays: a checkpoint's, with what is multiplied into them
 * beforehand.
 */
export const packSource = (
  shape: PackShape,
  checkpoint: Pick<Checkpoint, 'config' | 'tensor' | 'ropeFactors'>,
): ((name: string) => Promise<Float32Array<ArrayBuffer>>) =>
  shape.family === 'llama'
    ? llamaSource({ ...shape, config: checkpoint.config as LlamaConfig }, checkpoint)
    : (name) => checkpoint.tensor(name);
