/**
 * A T5 as programs over one arena: `encode` a prompt, make the decoder's cross keys and values of what came out, `step` from a token to the
 * next one's logits, and choose among them. Reads as the paper and Hugging Face's modeling_t5.py do; tensors have the checkpoint's names. What a program computes is said by
 * the ops (src/tensor); when it runs is t5.ts's business.
 */
import { ACCUMULATOR_BYTES } from '../../tensor/assembly/protocol.ts';
import { KEPT_POSITIONS, pad } from '../../tensor/layout.ts';
import type { Program, Registers } from '../../tensor/machine.ts';
import {
  type DistanceBias,
  matrixAt,
  Recorder,
  type Rows,
  type Scratch,
  type Vector,
  type Weights,
} from '../../tensor/recorder.ts';
import { register, type Value } from '../../tensor/value.ts';
import {
  BIAS_REACH,
  feedForwardInputs,
  MAX_SOURCE_LENGTH,
  MAX_TARGET_LENGTH,
  type PackShape,
  type PackTensor,
  paddedSizes,
} from '../pack/tensors.ts';
import { attentionMemory, type Places } from './keys-and-values.ts';

/** Registers of the programs, in the order of `registersOf`: see keys-and-values.ts. */
const places: Places = {
  T: register(0),
  S: register(1),
  CROSS: register(2),
  SELF: register(3),
  PADDED_S: register(4),
};

/** The registers' values for the target position T of a session. */
export const registersOf = (T: number, S: number, cross: number, self: number): Registers => [
  T,
  S,
  cross,
  self,
  pad(S, KEPT_POSITIONS),
];

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
}

export function recordT5(
  shape: PackShape,
  tensors: readonly PackTensor[],
  weightsAt: number,
  allocate: Allocate,
): T5Programs {
  const { config } = shape;
  const { layerNormEpsilon: epsilon, feedForward, numDecoderLayers } = config;
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
    return matrixAt(t.weights, name, weightsAt + t.offset, t.rows.length, t.cols.length);
  };
  const bias = (stack: string): DistanceBias => ({
    ...vector(`${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`),
    reach: BIAS_REACH,
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
    unpacked,
    // of a tile of 16 queries as int16, of a single one in float32
    scores: allocate(Math.max(MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH) * (most > 1 ? 32 : 4)),
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
  // the head, the only larger matrix, stands against one row
  const unpacked = shape.weights === 'int4' ? allocate(Math.max(sizes.inner, sizes.ff) * sizes.model) : undefined;
  const stepScratch = scratch(1, sums);
  const sourceIds = allocate(MAX_SOURCE_LENGTH * 4);
  const many = working(MAX_SOURCE_LENGTH, places.S);
  const manyScratch = scratch(MAX_SOURCE_LENGTH, sums);
  const memory = attentionMemory(shape, places, allocate);

  const encode = (() => {
    const r = new Recorder(manyScratch);
    const { x, h, q, a } = many;
    const keysAndValues = memory.encoder(many);
    r.gather(x, sourceIds, matrix('shared.weight'));
    for (let l = 0; l < config.numLayers; l++) {
      const layer = `encoder.block.${l}.layer.0`;
      const own = (part: string) => matrix(`${layer}.SelfAttention.${part}.weight`);
      r.rmsNorm(h, x, vector(`${layer}.layer_norm.weight`), epsilon);
      r.linear(q, h, own('q'));
      r.linear(keysAndValues.k, h, own('k'));
      r.linear(keysAndValues.v, h, own('v'));
      keysAndValues.keep(r, `${layer}.SelfAttention`);
      keysAndValues.attend(r, `${layer}.SelfAttention`, a, q, bias('encoder'));
      r.linear(x, a, own('o'), { accumulate: true });
      recordFeedForward(r, many, `encoder.block.${l}.layer.1`);
    }
    r.rmsNorm(h, x, vector('encoder.final_layer_norm.weight'), epsilon);
    return r.finish();
  })();

  const cross = (() => {
    const r = new Recorder(manyScratch);
    for (let l = 0; l < numDecoderLayers; l++) {
      const attend = `decoder.block.${l}.layer.1.EncDecAttention`;
      const keysAndValues = memory.cross(l, many);
      r.linear(keysAndValues.k, many.h, matrix(`${attend}.k.weight`));
      r.linear(keysAndValues.v, many.h, matrix(`${attend}.v.weight`));
      keysAndValues.keep(r, attend);
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
      const keysAndValues = memory.self(l, one);
      r.rmsNorm(h, x, vector(`${self}.layer_norm.weight`), epsilon);
      r.linear(q, h, own('q'));
      r.linear(keysAndValues.k, h, own('k'));
      r.linear(keysAndValues.v, h, own('v'));
      keysAndValues.keep(r, `${self}.SelfAttention`);
      keysAndValues.attend(r, `${self}.SelfAttention`, a, q, bias('decoder'));
      r.linear(x, a, own('o'), { accumulate: true });

      const attend = `decoder.block.${l}.layer.1`;
      r.rmsNorm(h, x, vector(`${attend}.layer_norm.weight`), epsilon);
      r.linear(q, h, matrix(`${attend}.EncDecAttention.q.weight`));
      memory.cross(l, many).attend(r, `${attend}.EncDecAttention`, a, q);
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

  return { encode, cross, step, greedy, copy, sourceIds, encoded: many.h, logits, token, scratch: stepScratch };
}
