/**
 * A model of the Llama block as a program over one arena: `forward` takes a batch of rows from their tokens to logits,
 * be they a prompt's or an answer's. Reads as Hugging Face's modeling_llama.py does; tensors have the checkpoint's
 * names, and what is multiplied into them beforehand is said in conversion.ts.
 */
import { ROW_BYTES } from '../../../tensor/assembly/row-table.ts';
import type { Program } from '../../../tensor/machine.ts';
import { type KvCache, Recorder, type Rows, type Scratch } from '../../../tensor/recorder.ts';
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
  type StagePrograms,
  sharedRoom,
  tableOf,
} from '../../batch-programs.ts';
import type { WeightPlaces } from '../../weight-places.ts';
import { contextOf, kvLayout, paddedSizes } from './kv-cache.ts';
import {
  EMBEDDING,
  EMBEDDING_SCALES,
  FINAL_NORM,
  frequenciesName,
  HEAD,
  type LlamaShape,
  layerName,
  layersHere,
  ropesOf,
} from './tensors.ts';

/** Rows of a tile of attention (tensor/assembly/ops/attention-q16.ts). */
const TILE_ROWS = 16;

/** A model that is whole, or its first stage. */
export function recordLlama(shape: LlamaShape, weights: WeightPlaces, allocate: Allocate): BatchPrograms {
  const batch = tableOf(MAX_ROWS, allocate);
  const rows = workingRows(shape, allocate);
  const logits = logitsOf(shape.config.vocabularySize, allocate);
  const block = new Block(shape, weights, batch.at, rows);
  return {
    ...block.forward(logits),
    greedy: recordGreedy(batch, logits),
    copy: recordCopy(),
    batch: batch.at,
    hidden: rows.x,
    logits,
  };
}

/** A stage behind the first: hidden rows in, hidden rows out. */
export function recordLlamaStage(shape: LlamaShape, weights: WeightPlaces, allocate: Allocate): StagePrograms {
  const batch = tableOf(MAX_ROWS, allocate);
  const rows = workingRows(shape, allocate);
  const forward = new Block(shape, weights, batch.at, rows).between();
  return { forward, copy: recordCopy(), batch: batch.at, hidden: rows.x };
}

type Working = Record<'x' | 'h' | 'q' | 'k' | 'v' | 'a' | 'gate' | 'up', Rows> & { angles: Value[]; scratch: Scratch };

/** Room for MAX_ROWS working rows, packed for as many as there are (docs/design.md, "Batches"). */
function workingRows(shape: LlamaShape, allocate: Allocate): Working {
  const { config, weights } = shape;
  const { model, queries, keys, ff, vocabulary } = paddedSizes(config);
  const shared = sharedRoom(weights, [model, queries, ff], [model, queries, ff, vocabulary], allocate);
  const context = contextOf(config);
  const { ropes } = ropesOf(config);
  const angleBytes = config.headDim * 4;
  const quantizedBytes = Math.max(model, queries, ff) * 2;
  const rowBytes = (2 * model + 2 * queries + 2 * keys + 2 * ff) * 4 + ropes.length * angleBytes + quantizedBytes + 16;
  const base = allocate(MAX_ROWS * rowBytes + context * TILE_ROWS * 2 + 64);
  let before = 0;
  const take = (bytes: number): Value => {
    const at = plus(base, times(ROWS, before));
    before += bytes;
    return at;
  };
  const rows = (cols: number, width = cols): Rows => ({ at: take(cols * 4), rows: ROWS, cols, width });
  const working = {
    h: rows(model, config.hiddenSize),
    x: rows(model, config.hiddenSize),
    q: rows(queries),
    k: rows(keys),
    v: rows(keys),
    a: rows(queries),
    gate: rows(ff, config.intermediateSize),
    up: rows(ff, config.intermediateSize),
    angles: ropes.map(() => take(angleBytes)),
  };
  const scratch = {
    quantized: take(quantizedBytes),
    quantizedScales: take(16),
    scores: take(0),
    long: allocate(context * TILE_ROWS * 4 + 64),
    ...shared,
  };
  return { ...working, scratch };
}

const mostOf = ({ config }: LlamaShape) => ({ rows: MAX_ROWS, keys: contextOf(config), sequences: MAX_LOGIT_ROWS });

/** Layers by the checkpoint's names; each adds what it computes to x. */
class Block {
  private readonly r: Recorder;

  constructor(
    private readonly shape: LlamaShape,
    private readonly weights: WeightPlaces,
    private readonly batch: number,
    private readonly rows: Working,
  ) {
    this.r = new Recorder(rows.scratch, mostOf(shape));
  }

  forward(logits: Rows): Pick<BatchPrograms, 'forward' | 'head'> {
    const { r, rows, batch } = this;
    const { tiedHead } = this.shape;
    r.gather(rows.x, batch, this.weights.matrix(EMBEDDING), ROW_BYTES);
    if (this.weights.has(EMBEDDING_SCALES)) r.scaleRow(rows.x, this.weights.vector(EMBEDDING_SCALES));
    this.layers();
    const head = r.position;
    const [x, h] = [rows.x, rows.h].map((all) => ({ ...all, rows: LOGIT_ROWS }));
    this.norm(h!, x!, FINAL_NORM);
    r.linear(logits, h!, this.weights.matrix(tiedHead ? EMBEDDING : HEAD), { mostRows: MAX_LOGIT_ROWS });
    return { forward: r.finish(), head };
  }

  /** The layers alone. */
  between(): Program {
    this.layers();
    return this.r.finish();
  }

  private layers(): void {
    const { r, rows, batch } = this;
    const { config } = this.shape;
    const { ropes, ofLayer } = ropesOf(config);
    for (let i = 0; i < ropes.length; i++) {
      const table = { at: batch, rows: ROWS };
      r.angles(rows.angles[i]!, table, this.weights.vector(frequenciesName(i)), config.headDim / 2);
    }
    const { from, to } = layersHere(this.shape);
    for (let l = from; l < to; l++) {
      this.weights.enter(r, layerName(l));
      this.attention(l, rows.angles[ofLayer[l]!]!, { ...kvLayout(this.shape), cache: 0, layer: l - from });
      this.feedForward(l);
    }
  }

  private attention(l: number, angles: Value, kv: KvCache): void {
    const { r, rows, batch } = this;
    const { numHeads: H, numKvHeads: G, headDim: K, bias, qkNorm, layers } = this.shape.config;
    const { x, h, q, k, v, a } = rows;
    const layer = layerName(l);
    const name = `${layer}.self_attn`;
    this.norm(h, x, `${layer}.input_layernorm.weight`);
    for (const [part, out] of [
      ['q', q],
      ['k', k],
      ['v', v],
    ] as const) {
      r.linear(out, h, this.weights.matrix(`${name}.${part}_proj.weight`));
    }
    if (bias.qkv) {
      for (const [part, out] of [
        ['q', q],
        ['k', k],
        ['v', v],
      ] as const) {
        r.addRow(out, this.weights.vector(`${name}.${part}_proj.bias`));
      }
    }
    if (qkNorm) {
      this.norm(asHeads(q, H, K), asHeads(q, H, K), `${name}.q_norm.weight`);
      this.norm(asHeads(k, G, K), asHeads(k, G, K), `${name}.k_norm.weight`);
    }
    r.rotate(`${name}.q`, q, angles, H, K / 2);
    r.rotate(`${name}.k`, k, angles, G, K / 2);
    const table = { at: batch, rows: ROWS };
    r.appendKv(name, table, kv, k, v);
    r.attention(name, a, q, table, kv, { group: H / G, window: layers[l]!.window });
    this.addTo(x, a, `${name}.o_proj`, bias.o, `${layer}.post_attention_layernorm.weight`);
  }

  private feedForward(l: number): void {
    const { r, rows } = this;
    const { activation, postNorms } = this.shape.config;
    const { x, h, gate, up } = rows;
    const layer = layerName(l);
    this.norm(h, x, `${layer}.${postNorms ? 'pre_feedforward' : 'post_attention'}_layernorm.weight`);
    r.linear(gate, h, this.weights.matrix(`${layer}.mlp.gate_proj.weight`));
    r.linear(up, h, this.weights.matrix(`${layer}.mlp.up_proj.weight`));
    r.activate(`${layer}.mlp.act_fn`, gate, gate, activation, up);
    this.addTo(x, gate, `${layer}.mlp.down_proj`, false, `${layer}.post_feedforward_layernorm.weight`);
  }

  /** x += linear(from), normed before where the model has norms there. */
  private addTo(x: Rows, from: Rows, name: string, biased: boolean, norm: string): void {
    const { r } = this;
    const { h } = this.rows;
    const { postNorms } = this.shape.config;
    r.linear(postNorms ? h : x, from, this.weights.matrix(`${name}.weight`), { accumulate: !postNorms });
    if (biased) r.addRow(postNorms ? h : x, this.weights.vector(`${name}.bias`));
    if (!postNorms) return;
    this.norm(h, h, norm);
    r.add(name, x, h);
  }

  private norm(out: Rows, x: Rows, name: string): void {
    this.r.rmsNorm(out, x, this.weights.vector(name), this.shape.config.rmsNormEpsilon);
  }
}

/** Every head as a row of its own. */
const asHeads = ({ at, cols }: Rows, heads: number, width: number): Rows => ({
  at,
  rows: times(ROWS, heads),
  cols: cols / heads,
  width,
});
