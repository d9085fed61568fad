/**
 * What a model's programs cost in the kernels alone: the encoder, the cross keys and values and each decode step, whole
 * and op by op; and a linear op by its shape. Instructions only; times are taken elsewhere.
 */

import type { T5Config } from '../src/model/checkpoint/config.ts';
import { T5 } from '../src/model/families/t5/t5.ts';
import type { Sequence } from '../src/model/sequence.ts';
import type { RandomModel } from '../src/node/model/random-model.ts';
import { Arena } from '../src/tensor/arena.ts';
import { ACCUMULATOR_BYTES } from '../src/tensor/assembly/protocol.ts';
import { type MatrixKind, weightBytes } from '../src/tensor/layout.ts';
import type { Machine, Program, RecordedOp } from '../src/tensor/machine.ts';
import { matrixAt, Recorder, type Rows } from '../src/tensor/recorder.ts';
import { addCost, type Cost, MeteredUnit, noCost, type RunCost } from './metered-unit.ts';

/** Counted instructions but for what pages cost. */
export const withoutPages = ({ total, pages }: { total: number; pages: number }): number => total - pages;

/** The model on a machine, its weights in place. */
export function loadT5(machine: Machine, { config, head, pack }: RandomModel<T5Config>): T5 {
  const t5 = new T5(machine, new Arena(machine), { config, weights: head.weights, tiedHead: head.tiedHead });
  const weights = pack.subarray(head.weightsOffset, head.weightsOffset + head.weightsBytes);
  t5.weights.put(0, weights, (at, bytes) => machine.write(at, bytes));
  return t5;
}

/** A prompt of ids, none of them special. */
export const idsOf = (count: number, vocabularySize: number): number[] =>
  Array.from({ length: count }, (_, i) => 3 + ((i * 7919) % (vocabularySize - 3)));

/** Makes the next token; its choice included. */
export function nextToken(t5: T5, session: Sequence): void {
  t5.step([session]);
  session.targetIds.push(t5.greedy(0));
}

export interface UnitCosts {
  encode: Cost;
  cross: Cost;
  /** Of each token, its choice included. */
  steps: Cost[];
}

const sum = (runs: readonly RunCost[]): Cost => runs.reduce((total, { cost }) => addCost(total, cost), noCost());

/** One answer: `tokensIn` prompt tokens, `tokensOut` tokens. Every program runs as a message of its own. */
export function measureAnswer(unit: MeteredUnit, t5: T5, tokensIn: number, tokensOut: number): UnitCosts {
  const session = t5.open(idsOf(tokensIn, t5.shape.config.vocabularySize), tokensOut);
  unit.take();
  t5.encode(session);
  const encode = sum(unit.take());
  nextToken(t5, session);
  const [cross, ...first] = unit.take();
  const steps = [sum(first)];
  while (steps.length < tokensOut) {
    nextToken(t5, session);
    steps.push(sum(unit.take()));
  }
  t5.close(session);
  return { encode, cross: cross!.cost, steps };
}

/**
 * A token of each of so many sequences in one batch, its choice included, mean over `tokensOut` tokens after the first:
 * by sequence, pages counted in each.
 */
export function measureBatch(unit: MeteredUnit, t5: T5, sequences: number, tokensIn: number, tokensOut: number): Cost {
  const ids = idsOf(tokensIn + sequences, t5.shape.config.vocabularySize);
  const all = Array.from({ length: sequences }, (_, i) => t5.open(ids.slice(i, i + tokensIn), tokensOut));
  const total = noCost();
  for (let token = 0; token < tokensOut; token++) {
    unit.take();
    t5.step(all);
    for (const [row, { targetIds }] of all.entries()) targetIds.push(t5.greedy(row));
    if (token > 0) addCost(total, sum(unit.take()));
  }
  for (const sequence of all) t5.close(sequence);
  return divided(total, (tokensOut - 1) * sequences);
}

/** What a token takes that is made anew, as after an upgrade: restoring 100 less restoring 1, by 99. */
export function measureReplay(unit: MeteredUnit, t5: T5, tokensIn: number): Cost {
  const restoring = (tokens: number): Cost => {
    const { vocabularySize } = t5.shape.config;
    const sequence = t5.open(idsOf(tokensIn, vocabularySize), 128, idsOf(tokens, vocabularySize));
    unit.take();
    t5.step([sequence]);
    t5.close(sequence);
    return sum(unit.take());
  };
  const [one, hundred] = [restoring(1), restoring(100)];
  return divided(addCost(hundred, divided(one, -1)), 99);
}

const divided = (cost: Cost, by: number): Cost =>
  Object.fromEntries(Object.entries(cost).map(([key, value]) => [key, value / by])) as never;

export interface OpRow {
  op: string;
  count: number;
  /** Multiply-adds with weights. */
  macs: number;
  cost: Cost;
}

/** What each kind of op costs, with `tokensIn` prompt tokens and `position` >= 1 tokens before the one that is made. */
export function measureOps(
  unit: MeteredUnit,
  t5: T5,
  tokensIn: number,
  position: number,
): Record<'encode' | 'cross' | 'step', OpRow[]> {
  const { config } = t5.shape;
  const { encode, cross, forward } = t5.programs;
  const targetIds = [config.decoderStartTokenId, ...idsOf(position, config.vocabularySize)];
  const session = t5.open(idsOf(tokensIn, config.vocabularySize), position + 1, targetIds);
  unit.take();
  unit.opByOp = true;
  t5.step([session]);
  unit.opByOp = false;
  const runs = unit.take();
  t5.close(session);
  const rows = (program: Program, from: number, perOp: number): OpRow[] =>
    byKind(program.ops, runs.slice(from, from + program.ops.length), perOp);
  return {
    encode: rows(encode, 0, tokensIn),
    cross: rows(cross, encode.ops.length, tokensIn),
    step: rows(forward, runs.length - forward.ops.length, 1),
  };
}

/** Ops of one name and one place in a layer are of a kind: `linear DenseReluDense.wo`. */
function byKind(ops: readonly RecordedOp[], runs: readonly RunCost[], rows: number): OpRow[] {
  const kinds = new Map<string, OpRow>();
  ops.forEach(({ name, label, macs }, i) => {
    const place = label.replace(/^(en|de)coder\.block\.\d+\.layer\.\d+\./, '').replace(/\.weight$/, '');
    const op = name === place ? name : `${name} ${place}`;
    const kind = kinds.get(op) ?? { op, count: 0, macs: 0, cost: noCost() };
    kind.count += 1;
    kind.macs += macs * rows;
    addCost(kind.cost, runs[i]!.cost);
    kinds.set(op, kind);
  });
  return [...kinds.values()];
}

/** A linear op by itself: `rows` of x are quantised, multiplied with weights [outputs, inputs], and scaled. */
export async function measureLinear(
  outputs: number,
  inputs: number,
  { weights = 'int8', rows = 1 }: { weights?: MatrixKind; rows?: number } = {},
): Promise<Cost> {
  const unit = await MeteredUnit.create();
  const arena = new Arena(unit);
  const allocate = (bytes: number) => arena.allocate(bytes);
  const scratch = {
    quantized: allocate(rows * inputs * 2),
    quantizedScales: allocate(rows * 4),
    sums: allocate(ACCUMULATOR_BYTES),
    scores: allocate(16),
    unpacked: allocate(weights === 'int4' ? outputs * inputs : 16),
  };
  const x: Rows = { at: allocate(rows * inputs * 4), rows, cols: inputs, width: inputs };
  const out: Rows = { at: allocate(rows * outputs * 4), rows, cols: outputs, width: outputs };
  const w = matrixAt(weights, 'w', allocate(weightBytes(weights, outputs, inputs)), outputs, inputs);
  const recorder = new Recorder(scratch);
  recorder.linear(out, x, w);
  const program = recorder.finish();
  const pointer = allocate(program.words.byteLength);
  unit.write(pointer, new Uint8Array(program.words.buffer));
  unit.run(pointer, program.ops[0]!.from, program.words.length, []);
  return sum(unit.take());
}
