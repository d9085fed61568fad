/**
 * The matrices of a decode step and of encoding a prompt, as chains that any runtime can be given: every weight matrix
 * of the model once, with its own weights, what one makes going into the next. Not a T5: no attention, no norms, no
 * embedding; these are under a tenth of the work, and left out for all alike.
 */
import type { T5Config } from '../../src/model/checkpoint/config.ts';

/** float32 [rows, cols], by name; the first is the input `x`. */
export type Node =
  /** out = sum over the matrices of x w^T */
  | { kind: 'linear'; out: string; x: string; outputs: number; inputs: number; weights: string[] }
  | { kind: 'relu'; out: string; x: string; cols: number };

export interface Chain {
  /** Columns of the input and of the output. */
  inputs: number;
  outputs: number;
  nodes: Node[];
}

interface Sizes {
  model: number;
  inner: number;
  ff: number;
}
const sizesOf = ({ dModel, numHeads, dKv, dFf }: T5Config): Sizes => ({
  model: dModel,
  inner: numHeads * dKv,
  ff: dFf,
});

/** q, k and v are added up, so that no runtime may leave one out. */
function attention(name: string, x: string, { model, inner }: Sizes, parts: string[]): Node[] {
  const weights = parts.map((part) => `${name}.${part}`);
  return [
    { kind: 'linear', out: `${name}.qkv`, x, outputs: inner, inputs: model, weights },
    { kind: 'linear', out: name, x: `${name}.qkv`, outputs: model, inputs: inner, weights: [`${name}.o`] },
  ];
}

/** wi_0 and wi_1 are added up, not multiplied: products of products would run out of float32 in a few layers. */
function feedForward(name: string, x: string, { model, ff }: Sizes): Node[] {
  const weights = [`${name}.wi_0`, `${name}.wi_1`];
  return [
    { kind: 'linear', out: `${name}.wi`, x, outputs: ff, inputs: model, weights },
    { kind: 'relu', out: `${name}.relu`, x: `${name}.wi`, cols: ff },
    { kind: 'linear', out: name, x: `${name}.relu`, outputs: model, inputs: ff, weights: [`${name}.wo`] },
  ];
}

/** A decode step: self-attention, cross-attention's q and o, feed-forward, in every layer, and the head. */
export function decodeChain(config: T5Config): Chain {
  const sizes = sizesOf(config);
  const nodes: Node[] = [];
  let x = 'x';
  for (let l = 0; l < config.numDecoderLayers; l++) {
    nodes.push(...attention(`self${l}`, x, sizes, ['q', 'k', 'v']));
    nodes.push(...attention(`cross${l}`, `self${l}`, sizes, ['q']));
    nodes.push(...feedForward(`ff${l}`, `cross${l}`, sizes));
    x = `ff${l}`;
  }
  const head = { outputs: config.vocabularySize, inputs: config.dModel, weights: ['lm_head'] };
  nodes.push({ kind: 'linear', out: 'y', x, ...head });
  return { inputs: config.dModel, outputs: config.vocabularySize, nodes };
}

/** The encoder, and the decoder's cross keys and values. */
export function encodeChain(config: T5Config): Chain {
  const sizes = sizesOf(config);
  const nodes: Node[] = [];
  let x = 'x';
  for (let l = 0; l < config.numLayers; l++) {
    nodes.push(...attention(`self${l}`, x, sizes, ['q', 'k', 'v']), ...feedForward(`ff${l}`, `self${l}`, sizes));
    x = `ff${l}`;
  }
  const weights = Array.from({ length: config.numDecoderLayers }, (_, l) => [`cross${l}.k`, `cross${l}.v`]).flat();
  nodes.push({ kind: 'linear', out: 'y', x, outputs: sizes.inner, inputs: sizes.model, weights });
  return { inputs: sizes.model, outputs: sizes.inner, nodes };
}

export const macsOfChain = ({ nodes }: Chain): number =>
  nodes.reduce((sum, node) => sum + (node.kind === 'linear' ? node.outputs * node.inputs * node.weights.length : 0), 0);

/** The weights of a matrix by its name, float32 [outputs, inputs], spread so that sums keep their size. */
export function chainWeights(name: string, outputs: number, inputs: number, addends: number): Float32Array {
  let state = Array.from(name, (c) => c.charCodeAt(0)).reduce((hash, c) => Math.imul(hash, 31) + c, 7) | 1;
  const scale = Math.sqrt(3 / inputs / addends) / 2 ** 31;
  const w = new Float32Array(outputs * inputs);
  for (let i = 0; i < w.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    w[i] = state * scale;
  }
  return w;
}

/** Input rows for any chain. */
export const chainInput = (rows: number, cols: number): Float32Array =>
  Float32Array.from({ length: rows * cols }, (_, i) => Math.sin(i * 1.7) * Math.SQRT2);
