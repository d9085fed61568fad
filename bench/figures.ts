/**
 * The figures that this project is judged by, for one shape, and how each is counted. Units: instructions, unless said
 * otherwise; pages are left out where `target` says so and counted in everywhere else. 33 tokens in and 32 out; 128 in
 * for the encoder.
 */
import type { WeightsKind } from '../src/model/tensor-table.ts';
import { randomModel } from '../src/node/model/random-model.ts';
import { macsOf, type T5Named } from '../src/node/model/shapes.ts';
import { measureCanister } from './measure-canister.ts';
import { loadT5, measureAnswer, measureBatch, measureLinear, measureReplay, withoutPages } from './measure-unit.ts';
import { MeteredUnit } from './metered-unit.ts';

const [TOKENS_IN, TOKENS_OUT, ENCODED] = [33, 32, 128];
const UPDATE_LIMIT = 40_000_000_000;

export interface Figures {
  /**
   * A linear op by itself, quantising x and scaling y included: over the shapes of a step's o, wi, wo and head, each as
   * often as a step has it.
   */
  decodeLinearPerMac: number;
  /** The same of eight rows together, and of four beside int4 weights, by the multiply-adds of all rows. */
  rowAmong8PerMac: number;
  int4RowAmong4PerMac: number;
  /**
   * The whole step in the kernels, the choice of the token included, mean over the answer, by the multiply-adds with
   * weights.
   */
  decodeTokenPerMac: number;
  /**
   * A token in a batch of so many sequences in the kernels alone, its choice and the pages that a step touches
   * included.
   */
  unitBatch1: number;
  unitBatch2: number;
  unitBatch4: number;
  unitBatch8: number;
  unitBatch16: number;
  unitBatch32: number;
  /** A token that is made anew, as after an upgrade, in the kernels alone: restoring 100 less restoring 1, by 99. */
  unitReplayPerToken: number;
  /**
   * The same in the canister, all messages after an upgrade counted: of a session of 100 tokens less those of one of 1,
   * by 99.
   */
  replayPerToken: number;
  /** Encoder, cross keys and values in the kernels, by the multiply-adds with weights. */
  encodePerMac: number;
  /**
   * What a further token one a call takes beyond the unit's programs, its self-call and callback, and the pages that
   * these touch.
   */
  outsideUnitPerToken: number;
  /** The same without any pages. */
  outsideUnitPerTokenPagesApart: number;
  /** 64 KiB pages, heap and stable, that a further token one a call touches, self-call and callback. */
  pagesPerToken: number;
  /** What an answer of 32 takes beyond an answer of 1, by 31. */
  instructionsPerTokenOneByOne: number;
  /**
   * The same with `auto`, where pages are touched once: a call of 32 tokens by 32, with all the pages of a call of one.
   */
  instructionsPerTokenAuto: number;
  /**
   * The same where so many answers are worked on at once, all their messages counted: beyond answers of 1, by all
   * further tokens.
   */
  batch8OneByOne: number;
  batch16OneByOne: number;
  batch8Auto: number;
  /** A further position of four beams, one a call. */
  beams4OneByOne: number;
  /** Tokens until an update's 40 B are used up, at the cost of a further token with `auto`. */
  tokensPerUpdate: number;
  /** The messages after an upgrade until the model is ready, by the bytes of the pack. */
  loadPerByte: number;
  /** All messages of an answer of 40 tokens with `auto`, its prompt new. */
  answerInstructions: number;
}

/** What is aimed at for flan-t5-small, and the best we know of elsewhere. */
export const targets: Record<keyof Figures, { target: number; most: boolean; pagesApart?: boolean }> = {
  decodeLinearPerMac: { target: 0.66, most: true, pagesApart: true },
  rowAmong8PerMac: { target: 0.56, most: true, pagesApart: true },
  int4RowAmong4PerMac: { target: 0.7, most: true, pagesApart: true },
  decodeTokenPerMac: { target: 0.72, most: true, pagesApart: true },
  unitBatch1: { target: Number.NaN, most: true },
  unitBatch2: { target: Number.NaN, most: true },
  unitBatch4: { target: Number.NaN, most: true },
  unitBatch8: { target: 31_000_000, most: true },
  unitBatch16: { target: 27_500_000, most: true },
  unitBatch32: { target: Number.NaN, most: true },
  unitReplayPerToken: { target: Number.NaN, most: true },
  replayPerToken: { target: 13_000_000, most: true },
  encodePerMac: { target: 0.64, most: true, pagesApart: true },
  outsideUnitPerToken: { target: 2_500_000, most: true },
  outsideUnitPerTokenPagesApart: { target: 2_500_000, most: true, pagesApart: true },
  pagesPerToken: { target: Number.NaN, most: true },
  instructionsPerTokenOneByOne: { target: 85_000_000, most: true },
  instructionsPerTokenAuto: { target: 30_000_000, most: true },
  batch8OneByOne: { target: 31_000_000, most: true },
  batch16OneByOne: { target: 27_500_000, most: true },
  batch8Auto: { target: 25_000_000, most: true },
  beams4OneByOne: { target: 165_000_000, most: true },
  tokensPerUpdate: { target: 1300, most: false },
  loadPerByte: { target: 2.5, most: true, pagesApart: true },
  answerInstructions: { target: 2_000_000_000, most: true },
};

export async function measureFigures(shape: T5Named, weights: WeightsKind = 'int8'): Promise<Figures> {
  const model = await randomModel(shape, { weights });
  const macs = macsOf(shape);
  const unit = await MeteredUnit.create();
  const t5 = loadT5(unit, model);
  const { steps } = measureAnswer(unit, t5, TOKENS_IN, TOKENS_OUT);
  const encoded = measureAnswer(unit, t5, ENCODED, 1);
  const batch = (rows: number): number => Math.round(measureBatch(unit, t5, rows, TOKENS_IN, TOKENS_OUT).total);
  const batches = {
    unitBatch1: batch(1),
    unitBatch2: batch(2),
    unitBatch4: batch(4),
    unitBatch8: batch(8),
    unitBatch16: batch(16),
    unitBatch32: batch(32),
  };
  const canister = await measureCanister(model, { tokensIn: TOKENS_IN, tokensOut: TOKENS_OUT });
  const { further, furtherAuto, furtherInUnit, firstCached, load, answer, packBytes } = canister;
  const oneByOne = further.total;
  // a call in TypeScript touches pages of QuickJS too, which the native loop's message does not
  const firstOfCall = furtherAuto.total + firstCached.pages;
  return {
    decodeLinearPerMac: await linearPerMac(shape, weights),
    rowAmong8PerMac: await linearPerMac(shape, 'int8', 8),
    int4RowAmong4PerMac: await linearPerMac(shape, 'int4', 4),
    decodeTokenPerMac: steps.reduce((sum, step) => sum + withoutPages(step), 0) / TOKENS_OUT / macs.step,
    ...batches,
    unitReplayPerToken: Math.round(measureReplay(unit, t5, TOKENS_IN).total),
    replayPerToken: Math.round(canister.replayed),
    encodePerMac: (withoutPages(encoded.encode) + withoutPages(encoded.cross)) / (ENCODED * macs.promptToken),
    outsideUnitPerToken: Math.round(oneByOne - furtherInUnit),
    outsideUnitPerTokenPagesApart: Math.round(further.systemCalls + further.typescript),
    pagesPerToken: Math.round(further.pagesTouched),
    instructionsPerTokenOneByOne: Math.round(oneByOne),
    instructionsPerTokenAuto: Math.round((firstOfCall + (TOKENS_OUT - 1) * furtherAuto.total) / TOKENS_OUT),
    batch8OneByOne: Math.round(canister.together8),
    batch16OneByOne: Math.round(canister.together16),
    batch8Auto: Math.round(canister.together8Auto),
    beams4OneByOne: Math.round(canister.furtherOfBeams),
    tokensPerUpdate: 1 + Math.floor((UPDATE_LIMIT - firstOfCall) / furtherAuto.total),
    loadPerByte: withoutPages(load) / packBytes,
    answerInstructions: answer.total,
  };
}

async function linearPerMac({ config }: T5Named, weights: WeightsKind, rows = 1): Promise<number> {
  const { dModel, dFf, numHeads, dKv, vocabularySize, numDecoderLayers, feedForward } = config;
  const shapes = [
    { outputs: dModel, inputs: numHeads * dKv, times: 2 * numDecoderLayers },
    { outputs: dFf, inputs: dModel, times: (feedForward.gated ? 2 : 1) * numDecoderLayers },
    { outputs: dModel, inputs: dFf, times: numDecoderLayers },
    { outputs: vocabularySize, inputs: dModel, times: 1 },
  ];
  let [instructions, macs] = [0, 0];
  for (const { outputs, inputs, times } of shapes) {
    instructions += times * withoutPages(await measureLinear(outputs, inputs, { weights, rows }));
    macs += rows * times * outputs * inputs;
  }
  return instructions / macs;
}
