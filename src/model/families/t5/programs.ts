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
import { MAX_LOGIT_ROWS, MAX_ROWS } from '../../batch.ts';
import {
  type Allocate,
  type BatchPrograms,
  LOGIT_ROWS,
  logitsOf,
  ROWS,
  recordCopy,
  recordGreedy,
  type SharedScratch,
  type StagePrograms,
  sharedRoom,
  tableOf,
} from '../../batch-programs.ts';
import { MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH } from '../../limits.ts';
import type { WeightPlaces } from '../../weight-places.ts';
import { CROSS, decoderCache, encoderCache, encoderCacheBytes, SELF } from './kv-caches.ts';
import {
  BIAS_REACH,
  blockName,
  blocksHere,
  crossKeysName,
  EMBEDDING,
  feedForwardInputs,
  HEAD,
  paddedSizes,
  type T5Shape,
} from './tensors.ts';

/** What a prompt's own programs need, in any stage. */
export interface PromptPrograms {
  /** Keys and values of a prompt, for the decoder's layers that are here. */
  cross: Program;
  /** Row table of a prompt, written before a program runs. */
  prompt: number;
  /** Where the encoder's keys and values are. */
  encoderCache: number;
  /** float32 [S, D padded]: where the encoder's layers have their rows. */
  promptHidden: Rows;
  /** float32 [S, D padded]: what `encode` makes and `cross` reads. */
  encoded: Rows;
}

export interface T5Programs extends BatchPrograms, PromptPrograms {
  /** Of a prompt: rows of `prompt`. */
  encode: Program;
  /** Word of `encode` at which its layers are through. */
  encodedFrom: number;
}

/** A stage behind the first: it has layers and nothing else. */
export interface T5StagePrograms extends StagePrograms, PromptPrograms {
  /** Undefined where no layer of the encoder is here. */
  encodeLayers: Program | undefined;
}

/** A model that is whole, or its first stage. */
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
    ...recordEncode(layers, prompt, promptRows),
    cross: recordCross(layers, prompt, promptRows),
    ...recordForward(layers, batch, rows, logits),
    greedy: recordGreedy(batch, logits),
    ...anyStage(shape, allocate, { batch, rows, prompt, promptRows }),
    logits,
  };
}

interface Room {
  batch: { at: number };
  rows: Working;
  prompt: { at: number };
  promptRows: Working;
}

/** What every stage has beside its layers' programs. */
const anyStage = (shape: T5Shape, allocate: Allocate, { batch, rows, prompt, promptRows }: Room) => ({
  copy: recordCopy(),
  prompt: prompt.at,
  batch: batch.at,
  hidden: rows.x,
  encoderCache: allocate(encoderCacheBytes(shape)),
  promptHidden: promptRows.x,
  encoded: promptRows.h,
});

/** A stage behind the first: hidden rows in, hidden rows out. */
export function recordT5Stage(shape: T5Shape, weights: WeightPlaces, allocate: Allocate): T5StagePrograms {
  const { model, inner, ff } = paddedSizes(shape.config);
  const shared = sharedRoom(shape.weights, [model, inner, ff], [model, inner, ff], allocate);
  const batch = tableOf(MAX_ROWS, allocate);
  const rows = workingRows(shape, MAX_ROWS, shared, allocate);
  const prompt = tableOf(MAX_SOURCE_LENGTH, allocate);
  const promptRows = workingRows(shape, MAX_SOURCE_LENGTH, shared, allocate);
  const layers = new Layers(shape, weights);
  return {
    encodeLayers: layers.here('encoder').length > 0 ? recordEncodeLayers(layers, prompt, promptRows) : undefined,
    cross: recordCross(layers, prompt, promptRows),
    forward: recordForwardLayers(layers, batch, rows),
    ...anyStage(shape, allocate, { batch, rows, prompt, promptRows }),
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
  const scoresBytes = KEYS * 32;
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

  /** Layers of a stack that are here, by their numbers in the whole model. */
  here(stack: 'encoder' | 'decoder'): number[] {
    const { from, to } = blocksHere(this.shape, stack);
    return Array.from({ length: to - from }, (_, i) => from + i);
  }

  encoderBlocks(r: Recorder, prompt: RowTable, rows: Working): void {
    for (const l of this.here('encoder')) {
      this.weights.enter(r, blockName('encoder', l));
      this.selfAttention(r, `encoder.block.${l}.layer.0`, prompt, encoderCache(this.shape), rows);
      this.feedForward(r, `encoder.block.${l}.layer.1`, rows);
    }
  }

  decoderBlocks(r: Recorder, batch: RowTable, rows: Working): void {
    for (const l of this.here('decoder')) {
      const block = blockName('decoder', l);
      this.weights.enter(r, block);
      this.selfAttention(r, `${block}.layer.0`, batch, decoderCache(this.shape, SELF, l), rows);
      this.crossAttention(r, `${block}.layer.1`, batch, decoderCache(this.shape, CROSS, l), rows);
      this.feedForward(r, `${block}.layer.2`, rows);
    }
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

/** A prompt's rows and a batch's; both see a prompt's keys, or an answer's. */
const KEYS = Math.max(MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH);
const MOST_OF_PROMPT = { rows: MAX_SOURCE_LENGTH, keys: KEYS, sequences: 1 };
const MOST_OF_BATCH = { rows: MAX_ROWS, keys: KEYS, sequences: MAX_LOGIT_ROWS };

function recordEncode(layers: Layers, prompt: RowTable, rows: Working): { encode: Program; encodedFrom: number } {
  const r = new Recorder(rows.scratch, MOST_OF_PROMPT);
  r.gather(rows.x, prompt.at, layers.weights.matrix(EMBEDDING), ROW_BYTES);
  layers.encoderBlocks(r, prompt, rows);
  const encodedFrom = r.position;
  layers.norm(r, rows.h, rows.x, 'encoder.final_layer_norm');
  return { encode: r.finish(), encodedFrom };
}

function recordEncodeLayers(layers: Layers, prompt: RowTable, rows: Working): Program {
  const r = new Recorder(rows.scratch, MOST_OF_PROMPT);
  layers.encoderBlocks(r, prompt, rows);
  return r.finish();
}

function recordCross(layers: Layers, prompt: RowTable, { h, k, v, scratch }: Working): Program {
  const { shape } = layers;
  const r = new Recorder(scratch, MOST_OF_PROMPT);
  for (const l of layers.here('decoder')) {
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
  const r = new Recorder(rows.scratch, MOST_OF_BATCH);
  r.gather(rows.x, batch.at, layers.weights.matrix(EMBEDDING), ROW_BYTES);
  layers.decoderBlocks(r, batch, rows);
  const head = r.position;
  const [x, h] = [rows.x, rows.h].map((all) => ({ ...all, rows: LOGIT_ROWS }));
  layers.norm(r, h!, x!, 'decoder.final_layer_norm');
  if (config.scaleDecoderOutputs) r.scale('decoder.scale', h!, h!, config.dModel ** -0.5);
  r.linear(logits, h!, layers.weights.matrix(shape.tiedHead ? EMBEDDING : HEAD), { mostRows: MAX_LOGIT_ROWS });
  return { forward: r.finish(), head };
}

function recordForwardLayers(layers: Layers, batch: RowTable, rows: Working): Program {
  const r = new Recorder(rows.scratch, MOST_OF_BATCH);
  layers.decoderBlocks(r, batch, rows);
  return r.finish();
}
