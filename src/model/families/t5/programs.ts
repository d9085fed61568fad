/**
 * A T5 as programs over one arena: `encode` a prompt, make the decoder's `cross` keys and values of what came out, and
 * `forward`, which takes a batch of rows from their tokens to logits. Reads as the paper and Hugging Face's
 * modeling_t5.py do; tensors have the checkpoint's names. What a program computes is said by the ops (src/tensor); when
 * it runs is t5.ts's business.
 */
import { ROW_BYTES } from '../../../tensor/assembly/row-table.ts';
import type { Program } from '../../../tensor/machine.ts';
import {
  type DistanceBias,
  type KvCache,
  Recorder,
  type Rows,
  type RowTable,
  type Scratch,
} from '../../../tensor/recorder.ts';
import { plus, times, type Value } from '../../../tensor/value.ts';
import { MAX_ROWS } from '../../batch.ts';
import {
  type Allocate,
  type BatchPrograms,
  LOGIT_ROWS,
  logitsOf,
  ROWS,
  recordCopy,
  recordGreedy,
  type SharedScratch,
  sharedRoom,
  tableOf,
} from '../../batch-programs.ts';
import { MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH } from '../../limits.ts';
import type { WeightPlaces } from '../../weight-places.ts';
import { CROSS, decoderCache, encoderCache, encoderCacheBytes, SELF } from './kv-caches.ts';
import {
  BIAS_REACH,
  blockName,
  crossKeysName,
  EMBEDDING,
  feedForwardInputs,
  HEAD,
  paddedSizes,
  type T5Shape,
} from './tensors.ts';

export interface T5Programs extends BatchPrograms {
  /** Of a prompt: rows of `prompt`. */
  encode: Program;
  cross: Program;
  /** Row table of a prompt, written before a program runs. */
  prompt: number;
  /** Where the encoder's keys and values are. */
  encoderCache: number;
  /** float32 [S, D padded]: what `encode` makes and `cross` reads. */
  encoded: Rows;
}

export function recordT5(shape: T5Shape, weights: WeightPlaces, allocate: Allocate): T5Programs {
  const { model, inner, ff, vocabulary } = paddedSizes(shape.config);
  const shared = sharedRoom(shape.weights, [model, inner, ff], [model, inner, ff, vocabulary], allocate);
  // what every token uses, together
  const batch = tableOf(MAX_ROWS, allocate);
  const rows = workingRows(shape, MAX_ROWS, shared, allocate);
  const logits = logitsOf(shape.config.vocabularySize, allocate);
  const prompt = tableOf(MAX_SOURCE_LENGTH, allocate);
  const promptRows = workingRows(shape, MAX_SOURCE_LENGTH, shared, allocate);
  const layers = new Layers(shape, weights);
  return {
    encode: recordEncode(layers, prompt, promptRows),
    cross: recordCross(layers, prompt, promptRows),
    ...recordForward(layers, batch, rows, logits),
    greedy: recordGreedy(batch, logits),
    copy: recordCopy(),
    prompt: prompt.at,
    batch: batch.at,
    encoderCache: allocate(encoderCacheBytes(shape)),
    encoded: promptRows.h,
    logits,
  };
}

type Working = Record<'x' | 'h' | 'q' | 'k' | 'v' | 'a' | 'wi' | 'gate', Rows> & { scratch: Scratch };

/**
 * Working rows: room for `most`, packed for as many as there are, so that one row's are on one page and a step touches
 * no more pages than it must.
 */
function workingRows({ config }: T5Shape, most: number, shared: SharedScratch, allocate: Allocate): Working {
  const { model, inner, ff } = paddedSizes(config);
  // scores of the keys of a tile of 16 rows, as int16, or of one in float32
  const scoresBytes = Math.max(MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH) * 32;
  const bytesOf = { h: model, x: model, q: inner, k: inner, v: inner, a: inner, wi: ff, gate: ff };
  const quantizedBytes = Math.max(model, inner, ff) * 2;
  const rowBytes = Object.values(bytesOf).reduce((sum, cols) => sum + cols * 4, quantizedBytes + 16);
  const base = allocate(most * rowBytes + scoresBytes);
  let before = 0;
  const take = (bytes: number): Value => {
    const at = plus(base, times(ROWS, before));
    before += bytes;
    return at;
  };
  const rows = (cols: number, width: number): Rows => ({ at: take(cols * 4), rows: ROWS, cols, width });
  return {
    h: rows(model, config.dModel),
    x: rows(model, config.dModel),
    q: rows(inner, inner),
    k: rows(inner, inner),
    v: rows(inner, inner),
    a: rows(inner, inner),
    wi: rows(ff, config.dFf),
    gate: rows(ff, config.dFf),
    scratch: { quantized: take(quantizedBytes), quantizedScales: take(16), scores: take(0), ...shared },
  };
}

/** Layers of a T5, by the checkpoint's names; each adds what it computes to x. */
class Layers {
  readonly shape: T5Shape;
  readonly weights: WeightPlaces;

  constructor(shape: T5Shape, weights: WeightPlaces) {
    this.shape = shape;
    this.weights = weights;
  }

  norm(r: Recorder, out: Rows, x: Rows, name: string): void {
    r.rmsNorm(out, x, this.weights.vector(`${name}.weight`), this.shape.config.layerNormEpsilon);
  }

  /** The encoder's or the decoder's; keys and values go to the cache, and which of them a row sees is in the table. */
  selfAttention(r: Recorder, layer: string, table: RowTable, kv: KvCache, { x, h, q, k, v, a }: Working): void {
    const name = `${layer}.SelfAttention`;
    this.norm(r, h, x, `${layer}.layer_norm`);
    r.linear(q, h, this.weights.matrix(`${name}.q.weight`));
    r.linear(k, h, this.weights.matrix(`${name}.k.weight`));
    r.linear(v, h, this.weights.matrix(`${name}.v.weight`));
    r.appendKv(name, table, kv, k, v);
    r.attention(name, a, q, table, kv, { bias: this.bias(layer.split('.')[0]!) });
    r.linear(x, a, this.weights.matrix(`${name}.o.weight`), { accumulate: true });
  }

  crossAttention(r: Recorder, layer: string, table: RowTable, kv: KvCache, { x, h, q, a }: Working): void {
    const name = `${layer}.EncDecAttention`;
    this.norm(r, h, x, `${layer}.layer_norm`);
    r.linear(q, h, this.weights.matrix(`${name}.q.weight`));
    r.attention(name, a, q, table, kv);
    r.linear(x, a, this.weights.matrix(`${name}.o.weight`), { accumulate: true });
  }

  feedForward(r: Recorder, layer: string, { x, h, wi, gate }: Working): void {
    const { config } = this.shape;
    const dense = (name: string) => this.weights.matrix(`${layer}.DenseReluDense.${name}.weight`);
    this.norm(r, h, x, `${layer}.layer_norm`);
    const [first, second] = feedForwardInputs(config);
    r.linear(wi, h, dense(first!));
    if (second) r.linear(gate, h, dense(second));
    const { activation } = config.feedForward;
    r.activate(`${layer}.DenseReluDense.act`, wi, wi, activation, second ? gate : undefined);
    r.linear(x, wi, dense('wo'), { accumulate: true });
  }

  private bias(stack: string): DistanceBias {
    const name = `${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`;
    return { ...this.weights.vector(name), reach: BIAS_REACH };
  }
}

function recordEncode(layers: Layers, prompt: RowTable, rows: Working): Program {
  const { shape } = layers;
  const r = new Recorder(rows.scratch);
  r.gather(rows.x, prompt.at, layers.weights.matrix(EMBEDDING), ROW_BYTES);
  for (let l = 0; l < shape.config.numLayers; l++) {
    layers.weights.enter(r, blockName('encoder', l));
    layers.selfAttention(r, `encoder.block.${l}.layer.0`, prompt, encoderCache(shape), rows);
    layers.feedForward(r, `encoder.block.${l}.layer.1`, rows);
  }
  layers.norm(r, rows.h, rows.x, 'encoder.final_layer_norm');
  return r.finish();
}

function recordCross(layers: Layers, prompt: RowTable, { h, k, v, scratch }: Working): Program {
  const { shape } = layers;
  const r = new Recorder(scratch);
  for (let l = 0; l < shape.config.numDecoderLayers; l++) {
    const name = `decoder.block.${l}.layer.1.EncDecAttention`;
    layers.weights.enter(r, crossKeysName(l));
    r.linear(k, h, layers.weights.matrix(`${name}.k.weight`));
    r.linear(v, h, layers.weights.matrix(`${name}.v.weight`));
    r.appendKv(name, prompt, decoderCache(shape, CROSS, l), k, v);
  }
  return r.finish();
}

function recordForward(layers: Layers, batch: RowTable, rows: Working, logits: Rows) {
  const { shape } = layers;
  const { config } = shape;
  const r = new Recorder(rows.scratch);
  r.gather(rows.x, batch.at, layers.weights.matrix(EMBEDDING), ROW_BYTES);
  for (let l = 0; l < config.numDecoderLayers; l++) {
    const block = blockName('decoder', l);
    layers.weights.enter(r, block);
    layers.selfAttention(r, `${block}.layer.0`, batch, decoderCache(shape, SELF, l), rows);
    layers.crossAttention(r, `${block}.layer.1`, batch, decoderCache(shape, CROSS, l), rows);
    layers.feedForward(r, `${block}.layer.2`, rows);
  }
  const head = r.position;
  const [x, h] = [rows.x, rows.h].map((all) => ({ ...all, rows: LOGIT_ROWS }));
  layers.norm(r, h!, x!, 'decoder.final_layer_norm');
  if (config.scaleDecoderOutputs) r.scale('decoder.scale', h!, h!, config.dModel ** -0.5);
  r.linear(logits, h!, layers.weights.matrix(shape.tiedHead ? EMBEDDING : HEAD));
  return { forward: r.finish(), head };
}
