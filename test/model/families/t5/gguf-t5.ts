/**
 * A T5's folder as a GGUF file, for tests: as llama.cpp's converter lays it out, under the names that PyPI's gguf gives
 * (test/fixtures/gguf/t5-names.json).
 */
import { existsSync, readFileSync } from 'node:fs';
import type { T5Config } from '../../../../src/model/checkpoint/config.ts';
import { headTensor, t5Tensors } from '../../../../src/model/families/t5/tensors.ts';
import { readSpieceModel } from '../../../../src/model/tokenizer/files/spiece-model.ts';
import { PieceType } from '../../../../src/model/tokenizer/unigram/vocabulary.ts';
import { withCheckpoint } from '../../../../src/node/model/model-folder.ts';
import { type Entry, type GgufTensor, writeGguf } from '../../checkpoint/write-gguf.ts';

interface Names {
  architectures: Record<'T5' | 'T5ENCODER', string>;
  tensors: Record<string, string>;
  keys: Record<string, string>;
}
export const T5_NAMES: Names = JSON.parse(readFileSync('test/fixtures/gguf/t5-names.json', 'utf8'));
const { tensors: TENSORS, keys: KEYS } = T5_NAMES;

/** A tensor's name as PyPI's gguf has it, of any layer. */
function ggufName(name: string): string {
  const layer = /\.block\.(\d+)\./.exec(name)?.[1] ?? '0';
  const recorded = TENSORS[name.replace(/\.block\.\d+\./, '.block.1.')] ?? TENSORS[name];
  return recorded!.replace('.blk.1.', `.blk.${layer}.`);
}

/** Entries of the tokenizer of a `spiece.model`, filled up to the rows of an embedding. */
export function unigramEntries(spiece: Uint8Array, rows: number): Record<string, Entry> {
  const { pieces, ...vocabulary } = readSpieceModel(spiece);
  const all = Array.from(
    { length: rows },
    (_, id) => pieces[id] ?? { piece: `[PAD${id}]`, score: -10_000, type: PieceType.UNUSED },
  );
  // the converter asks sentencepiece, which does not tell user-defined pieces from others
  const type = (of: number): number => (of === PieceType.USER_DEFINED ? PieceType.NORMAL : of);
  return {
    [KEYS['tokenizer']!]: 't5',
    [KEYS['tokens']!]: all.map(({ piece }) => piece),
    [KEYS['scores']!]: all.map(({ score }) => score),
    [KEYS['token_type']!]: all.map((piece) => type(piece.type)),
    [KEYS['add_space_prefix']!]: vocabulary.addDummyPrefix,
    [KEYS['remove_extra_whitespaces']!]: vocabulary.removeExtraWhitespaces,
    ...(vocabulary.precompiledCharsmap.length > 0 && {
      [KEYS['precompiled_charsmap']!]: [...vocabulary.precompiledCharsmap],
    }),
    [KEYS['eos_token_id']!]: pieces.findIndex(({ piece }) => piece === vocabulary.eosPiece),
    [KEYS['unknown_token_id']!]: pieces.findIndex(({ type }) => type === PieceType.UNKNOWN),
  };
}

function metadataOf(config: T5Config): Record<string, Entry> {
  const entries: Record<string, Entry> = {
    n_positions: 512,
    d_model: config.dModel,
    d_ff: config.dFf,
    num_layers: config.numLayers,
    num_decoder_layers: config.numDecoderLayers,
    num_heads: config.numHeads,
    d_kv: config.dKv,
    value_length: config.dKv,
    layer_norm_epsilon: config.layerNormEpsilon,
    rms_epsilon: config.layerNormEpsilon,
    relative_attention_num_buckets: config.relativeAttentionNumBuckets,
    decoder_start_token_id: config.decoderStartTokenId,
    eos_token_id: config.eosTokenIds[0]!,
    pad_token_id: config.padTokenId,
  };
  return {
    [KEYS['architecture']!]: T5_NAMES.architectures.T5,
    [KEYS['name']!]: 'from gguf',
    ...Object.fromEntries(Object.entries(entries).map(([name, value]) => [KEYS[name]!, value])),
    't5.vocab_size': config.vocabularySize,
  };
}

export type Change = (tensors: GgufTensor[], metadata: Record<string, Entry>) => void;

/** @param change what is to be wrong with it */
export async function t5AsGguf(folder: string, change: Change = () => {}): Promise<Uint8Array> {
  return await withCheckpoint(folder, async (checkpoint) => {
    const config = checkpoint.config as T5Config;
    const table = checkpoint.tiedHead ? t5Tensors(config) : [...t5Tensors(config), headTensor(config)];
    const tensors: GgufTensor[] = [];
    for (const { name, shape } of table)
      tensors.push({ name: ggufName(name), shape, values: await checkpoint.tensor(name) });
    const spiece = `${folder}/spiece.model`;
    const tokenizer = existsSync(spiece) ? unigramEntries(readFileSync(spiece), config.vocabularySize) : {};
    const metadata = { ...metadataOf(config), ...tokenizer };
    change(tensors, metadata);
    return writeGguf(metadata, tensors);
  });
}
