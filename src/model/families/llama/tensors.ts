// The tensors of a model of the Llama block, each once: its name in a Hugging Face checkpoint, in a GGUF file, its shape.
// Source: transformers, models/{llama,qwen2,qwen3,gemma3}/modeling_*.py; ggml, gguf-py `constants.py` (TENSOR_NAMES).
import type { LlamaConfig } from './config.ts';

export interface LlamaTensor {
  /** In a Hugging Face checkpoint. */
  name: string;
  /** In a GGUF file. */
  gguf: string;
  /** Rows first; a matrix [outputs, inputs]. */
  shape: readonly number[];
  /** Heads of q and k, whose rows a GGUF file of architecture `llama` has in another order. */
  rotatedHeads?: number;
}

const EMBEDDING = 'model.embed_tokens.weight';
const HEAD = 'lm_head.weight';

/** Every tensor of a model, in the order in which a token reads them. The head is absent where it is the embedding. */
export function llamaTensors(config: LlamaConfig): LlamaTensor[] {
  const { vocabularySize: V, hiddenSize: D } = config;
  return [
    { name: EMBEDDING, gguf: 'token_embd.weight', shape: [V, D] },
    ...config.layers.flatMap((_, i) =>
      layerTensors(config).map((tensor) => ({
        ...tensor,
        name: `model.layers.${i}.${tensor.name}`,
        gguf: `blk.${i}.${tensor.gguf}`,
      })),
    ),
    { name: 'model.norm.weight', gguf: 'output_norm.weight', shape: [D] },
    ...(config.tieWordEmbeddings ? [] : [{ name: HEAD, gguf: 'output.weight', shape: [V, D] }]),
  ];
}

/** The tensors of one layer, without the layer's part of the name. */
function layerTensors(config: LlamaConfig): LlamaTensor[] {
  const {
    hiddenSize: D,
    intermediateSize: F,
    numHeads: H,
    numKvHeads: G,
    headDim: K,
    bias,
    qkNorm,
    postNorms,
  } = config;
  const all: LlamaTensor[] = [{ name: 'input_layernorm.weight', gguf: 'attn_norm.weight', shape: [D] }];
  const linear = (
    name: string,
    gguf: string,
    outputs: number,
    inputs: number,
    hasBias: boolean,
    rotatedHeads?: number,
  ) => {
    all.push({ name: `${name}.weight`, gguf: `${gguf}.weight`, shape: [outputs, inputs], rotatedHeads });
    if (hasBias) all.push({ name: `${name}.bias`, gguf: `${gguf}.bias`, shape: [outputs], rotatedHeads });
  };
  const norm = (name: string, gguf: string, size: number) =>
    all.push({ name: `${name}.weight`, gguf: `${gguf}.weight`, shape: [size] });
  linear('self_attn.q_proj', 'attn_q', H * K, D, bias.qkv, H);
  linear('self_attn.k_proj', 'attn_k', G * K, D, bias.qkv, G);
  linear('self_attn.v_proj', 'attn_v', G * K, D, bias.qkv);
  if (qkNorm) {
    norm('self_attn.q_norm', 'attn_q_norm', K);
    norm('self_attn.k_norm', 'attn_k_norm', K);
  }
  linear('self_attn.o_proj', 'attn_output', D, H * K, bias.o);
  // Gemma's second norm stands after attention, where others have the one before the feed-forward under that name
  norm('post_attention_layernorm', postNorms ? 'post_attention_norm' : 'ffn_norm', D);
  if (postNorms) norm('pre_feedforward_layernorm', 'ffn_norm', D);
  linear('mlp.gate_proj', 'ffn_gate', F, D, false);
  linear('mlp.up_proj', 'ffn_up', F, D, false);
  linear('mlp.down_proj', 'ffn_down', D, F, false);
  if (postNorms) norm('post_feedforward_layernorm', 'post_ffw_norm', D);
  return all;
}

/**
 * Rows of a head in Hugging Face's order, from a GGUF file of architecture `llama`, which has pairs of rows beside each
 * other: row 2i of a head goes to i, row 2i + 1 to i + K/2. In place of `values` a fresh array is given.
 * @param values [heads * K, columns]; a bias has one column
 */
export function unpermuteRows(values: Float32Array, heads: number, columns: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(values.length);
  const headDim = values.length / columns / heads;
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < headDim; row++) {
      const to = (row >> 1) + (row & 1) * (headDim / 2);
      const from = (head * headDim + row) * columns;
      out.set(values.subarray(from, from + columns), (head * headDim + to) * columns);
    }
  }
  return out;
}
