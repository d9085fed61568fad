// The check that a checkpoint has the tensors of a T5 and no others.
// Source: Hugging Face transformers, models/t5/modeling_t5.py (parameter names, ignored keys, tied weights).
import type { T5Config } from '../../checkpoint/config.ts';
import { TensorCheck } from '../../checkpoint/tensor-check.ts';
import type { TensorInfo } from '../../checkpoint/tensor-file.ts';
import { EMBEDDING, HEAD, headTensor, t5Tensors } from './tensors.ts';

/** Other names under which the embedding is saved; all are one tensor. */
const EMBEDDING_COPIES = ['encoder.embed_tokens.weight', 'decoder.embed_tokens.weight'];
/** Saved by old versions and never used: cross-attention has no positions. */
const NEVER_USED = 'decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight';
/** What a checkpoint may have or not: the names of the one embedding, and what is never used. */
export const SPARE_TENSORS: ReadonlySet<string> = new Set([EMBEDDING, ...EMBEDDING_COPIES, NEVER_USED]);

/** Which tensor of a checkpoint is which of the model. */
export interface T5Match {
  /** Name in the checkpoint for each name of {@link t5Tensors}, and for the head if it has one of its own. */
  names: Map<string, string>;
  /** Whether the head is the embedding: the checkpoint has no `lm_head.weight`. */
  tiedHead: boolean;
  /** Names in the checkpoint of tensors that must equal the embedding, as they are saved copies of it. */
  copies: string[];
}

/**
 * Matches a checkpoint's tensors with what the configuration asks for.
 * @throws Error that names what is missing, what is too many, and what has another shape or no floats.
 */
export function matchT5Tensors(config: T5Config, tensors: ReadonlyMap<string, TensorInfo>, where: string): T5Match {
  const names = new Map<string, string>();
  const check = new TensorCheck();
  check.ignore(NEVER_USED);
  const embeddings = [EMBEDDING, ...EMBEDDING_COPIES].filter((name) => tensors.has(name));
  const expected = t5Tensors(config);
  // A head of its own counts whatever the configuration says of tying, as in transformers: files of version 5 always
  // say true.
  const tiedHead = !tensors.has(HEAD) && config.tieWordEmbeddings;
  if (!tiedHead) expected.push(headTensor(config));
  for (const { name, shape } of expected) {
    const info = tensors.get(name === EMBEDDING ? (embeddings[0] ?? EMBEDDING) : name);
    if (info !== undefined) {
      names.set(name, info.name);
      check.found(info, shape);
    } else {
      const hint =
        name === EMBEDDING ? ` or ${EMBEDDING_COPIES[0]}` : name === HEAD ? ' (tie_word_embeddings is false)' : '';
      check.missing(name, shape, hint);
    }
  }
  const copies = embeddings.slice(1);
  for (const name of copies) check.found(tensors.get(name)!, [config.vocabularySize, config.dModel]);
  check.finish(tensors, where, 'T5');
  return { names, tiedHead, copies };
}
