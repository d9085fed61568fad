/**
 * A T5 as programs over one arena: `encode` a prompt, make the decoder's cross keys and values of what came out, `step` from a token to the
 * next one's logits, and choose among them. Reads as the paper and Hugging Face's modeling_t5.py do; tensors have the checkpoint's names. What a program computes is said by
 * the ops (src/tensor); when it runs is t5.ts's business.
 *
 *   a prompt's block:   | cross keys, values [2 L] x [S, H K] |
 *   a session's block:  | self keys, values [capacity] x [2 L, H K] |
 *
 * Self keys and values lie position by position, all layers of one together, so that a step writes in one page, and what two sessions have in
 * common is one piece.
 */
import { ACCUMULATOR_BYTES } from '../../tensor/assembly/protocol.ts';
import { pad } from '../../tensor/layout.ts';
import type { Program } from '../../tensor/machine.ts';
import { Recorder, type Rows, type Scratch, type Vector, type Weights } from '../../tensor/recorder.ts';
import { plus, register, times, type Value } from '../../tensor/value.ts';
import {
  biasReach,
  feedForwardInputs,
  MAX_SOURCE_LENGTH,
  MAX_TARGET_LENGTH,
  type PackShape,
  type PackTensor,
  paddedSizes,
} from '../pack/tensors.ts';

/** Registers of the programs: position, source length, the prompt's block, the session's block. */
const [T, S, CROSS, SELF] = [register(0), register(1), register(2), register(3)];

/** Takes room in the arena while programs are recorded. */
export type Allocate = (bytes: number) => number;

export interface T5Programs {
  encode: Program;
  cross: Program;
  step: Program;
  greedy: Program;
  /** Registers: out, source, bytes. */
  copy: Program;
  /** u32 [S]: the prompt's ids, written before `encode` runs. */
  sourceIds: number;
  /** float32 [S, D padded]: what `encode` makes and `cross` reads. */
  encoded: Rows;
  /** float32 [V padded]: what `step` leaves behind. */
  logits: Rows;
  /** u32: the id that `step` starts from, and the one that `greedy` chose. */
  token: number;
  /** What `step` works in, free between steps: for programs that go on from its logits. */
  scratch: Scratch;
  /** Room that must be zero before anything runs: columns past the heads, which attention leaves alone and the next matrix reads. */
  zeroed: { at: number; bytes: number }[];
}

/** Bytes of all layers' keys and values for one position: a prompt's block has so many for every source token, a session's for every target token. */
export const positionBytes = ({ config }: PackShape): number =>
  2 * config.numDecoderLayers * paddedSizes(config).inner * 4;

export function recordT5(
  shape: PackShape,
  tensors: readonly PackTensor[],
  weightsAt: number,
  allocate: Allocate,
): T5Programs {
  const { config } = shape;
  const { numHeads: heads, layerNormEpsilon: epsilon, feedForward, numDecoderLayers } = config;
  const sizes = paddedSizes(config);
  const table = new Map(tensors.map((t) => [t.name, t]));

  const at = (name: string): PackTensor => {
    const tensor = table.get(name);
    if (!tensor) throw new Error(`t5: expected a tensor ${name}, got none`);
    return tensor;
  };
  const vector = (name: string): Vector => ({ label: name, at: weightsAt + at(name).offset });
  const matrix = (name: string): Weights => {
    const t = at(name);
    if (t.kind !== 'matrix') throw new Error(`t5: expected ${name} to be a matrix, got a ${t.kind}`);
    const [outputs, inputs] = [t.rows.length, t.cols.length];
    const where = weightsAt + t.offset;
    return shape.weights === 'int8'
      ? { kind: 'int8', label: name, at: where, scales: where + outputs * inputs, outputs, inputs }
      : { kind: 'float32', label: name, at: where, outputs, inputs };
  };
  const bias = (stack: string) => ({
    ...vector(`${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`),
    reach: biasReach(config),
  });

  /** Working rows of a stack: room for `most`, used for `rows`. */
  const working = (most: number, rows: Value) => {
    const f32 = (cols: number, width: number): Rows => ({ at: allocate(most * cols * 4), rows, cols, width });
    return {
      x: f32(sizes.model, config.dModel),
      h: f32(sizes.model, config.dModel),
      q: f32(sizes.inner, sizes.inner),
      k: f32(sizes.inner, sizes.inner),
      v: f32(sizes.inner, sizes.inner),
      a: f32(sizes.inner, sizes.inner),
      wi: f32(sizes.ff, config.dFf),
      gate: f32(sizes.ff, config.dFf),
    };
  };
  type Working = ReturnType<typeof working>;
  const scratch = (most: number, sums: number): Scratch => ({
    quantized: allocate(most * Math.max(sizes.model, sizes.inner, sizes.ff) * 2),
    quantizedScales: allocate(pad(most * 4, 16)),
    sums,
    scores: allocate(Math.max(MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH) * 4),
  });

  const recordFeedForward = (r: Recorder, { x, h, wi, gate }: Working, layer: string): void => {
    const dense = (name: string) => matrix(`${layer}.DenseReluDense.${name}.weight`);
    r.rmsNorm(h, x, vector(`${layer}.layer_norm.weight`), epsilon);
    const [first, second] = feedForwardInputs(config);
    r.linear(wi, h, dense(first!));
    if (second) r.linear(gate, h, dense(second));
    r.activate(`${layer}.DenseReluDense.act`, wi, wi, feedForward.activation, second ? gate : undefined);
    r.linear(x, wi, dense('wo'), { accumulate: true });
  };

  const keyBytes = sizes.inner * 4;
  const crossAt = (layer: number, value: 0 | 1): Value => plus(CROSS, times(S, (2 * layer + value) * keyBytes));
  const selfAt = (layer: number, value: 0 | 1): Value => plus(SELF, (2 * layer + value) * keyBytes);
  const stride = positionBytes(shape);

  // What every token uses, together: working rows of one position, the accumulators, the logits.
  const one = working(1, 1);
  const token = allocate(16);
  const logits: Rows = {
    at: allocate(sizes.vocabulary * 4),
    rows: 1,
    cols: sizes.vocabulary,
    width: config.vocabularySize,
  };
  const sums = allocate(ACCUMULATOR_BYTES);
  const stepScratch = scratch(1, sums);
  const sourceIds = allocate(MAX_SOURCE_LENGTH * 4);
  const many = working(MAX_SOURCE_LENGTH, S);
  const manyScratch = scratch(MAX_SOURCE_LENGTH, sums);

  const encode = (() => {
    const r = new Recorder(manyScratch);
    const { x, h, q, k, v, a } = many;
    r.gather(x, sourceIds, matrix('shared.weight'));
    for (let l = 0; l < config.numLayers; l++) {
      const layer = `encoder.block.${l}.layer.0`;
      const own = (part: string) => matrix(`${layer}.SelfAttention.${part}.weight`);
      r.rmsNorm(h, x, vector(`${layer}.layer_norm.weight`), epsilon);
      r.linear(q, h, own('q'));
      r.linear(k, h, own('k'));
      r.linear(v, h, own('v'));
      const shape = { heads, dKv: sizes.kv, keys: S, keyBytes, bias: bias('encoder') };
      r.attention(`${layer}.SelfAttention`, a, q, k.at, v.at, shape);
      r.linear(x, a, own('o'), { accumulate: true });
      recordFeedForward(r, many, `encoder.block.${l}.layer.1`);
    }
    r.rmsNorm(h, x, vector('encoder.final_layer_norm.weight'), epsilon);
    return r.finish();
  })();

  const cross = (() => {
    const r = new Recorder(manyScratch);
    for (let l = 0; l < numDecoderLayers; l++) {
      for (const [value, part] of (['k', 'v'] as const).entries()) {
        const out: Rows = { at: crossAt(l, value as 0 | 1), rows: S, cols: sizes.inner, width: sizes.inner };
        r.linear(out, many.h, matrix(`decoder.block.${l}.layer.1.EncDecAttention.${part}.weight`));
      }
    }
    return r.finish();
  })();

  const step = (() => {
    const r = new Recorder(stepScratch);
    const { x, h, q, a } = one;
    r.gather(x, token, matrix('shared.weight'));
    for (let l = 0; l < numDecoderLayers; l++) {
      const self = `decoder.block.${l}.layer.0`;
      const own = (part: string) => matrix(`${self}.SelfAttention.${part}.weight`);
      const keep = (value: 0 | 1): Rows => ({
        at: plus(selfAt(l, value), times(T, stride)),
        rows: 1,
        cols: sizes.inner,
        width: sizes.inner,
      });
      r.rmsNorm(h, x, vector(`${self}.layer_norm.weight`), epsilon);
      r.linear(q, h, own('q'));
      r.linear(keep(0), h, own('k'));
      r.linear(keep(1), h, own('v'));
      r.attention(`${self}.SelfAttention`, a, q, selfAt(l, 0), selfAt(l, 1), {
        heads,
        dKv: sizes.kv,
        keys: plus(T, 1),
        keyBytes: stride,
        first: T,
        bias: bias('decoder'),
      });
      r.linear(x, a, own('o'), { accumulate: true });

      const attend = `decoder.block.${l}.layer.1`;
      r.rmsNorm(h, x, vector(`${attend}.layer_norm.weight`), epsilon);
      r.linear(q, h, matrix(`${attend}.EncDecAttention.q.weight`));
      const source = { heads, dKv: sizes.kv, keys: S, keyBytes };
      r.attention(`${attend}.EncDecAttention`, a, q, crossAt(l, 0), crossAt(l, 1), source);
      r.linear(x, a, matrix(`${attend}.EncDecAttention.o.weight`), { accumulate: true });
      recordFeedForward(r, one, `decoder.block.${l}.layer.2`);
    }
    r.rmsNorm(h, x, vector('decoder.final_layer_norm.weight'), epsilon);
    if (config.scaleDecoderOutputs) r.scale('decoder.scale', h, h, config.dModel ** -0.5);
    r.linear(logits, h, matrix(shape.tiedHead ? 'shared.weight' : 'lm_head.weight'));
    return r.finish();
  })();

  const greedy = (() => {
    const r = new Recorder(stepScratch);
    r.argmax(token, logits, config.vocabularySize);
    return r.finish();
  })();

  const copy = (() => {
    const r = new Recorder(stepScratch);
    r.copy('self keys and values', register(0), register(1), register(2));
    return r.finish();
  })();

  const zeroed =
    sizes.inner === heads * sizes.kv
      ? []
      : [one, many].map(({ a }, i) => ({ at: a.at as number, bytes: [1, MAX_SOURCE_LENGTH][i]! * sizes.inner * 4 }));
  return { encode, cross, step, greedy, copy, sourceIds, encoded: many.h, logits, token, scratch: stepScratch, zeroed };
}
