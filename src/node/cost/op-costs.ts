/**
 * The op of a model that takes the most, by its programs as they are recorded: what a message may take beyond the
 * budget after which it begins none (src/tensor/op-costs.ts). Nothing is run.
 */
import { MAX_LOGIT_ROWS, MAX_ROWS } from '../../model/batch.ts';
import { contextOf } from '../../model/families/llama/kv-cache.ts';
import type { LlamaShape } from '../../model/families/llama/tensors.ts';
import type { PackShape } from '../../model/families/registry.ts';
import { ARENA_BYTES, MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH } from '../../model/limits.ts';
import { NoMachine, openInRoom, openStageInRoom } from '../../model/open-in-room.ts';
import { Arena } from '../../tensor/arena.ts';
import type { Program } from '../../tensor/machine.ts';
import { attentionInstructions, linearInstructions, type Most } from '../../tensor/op-costs.ts';
import { type OpName, opEntry } from '../../tensor/ops.ts';
import { piecesOf } from './places.ts';

export interface OpCost {
  name: OpName;
  label: string;
  instructions: number;
}

type Args = Record<string, number>;

const KINDS = { linearInt4: 'int4', linearQ8: 'int8', linearF32: 'float32' } as const;

/** Of an element that is looked at, and of one of what else there is: sums of many terms, bytes read and written. */
const PER_LOGIT = 10;
const PER_ELEMENT = 60;
/** Of a byte that is read from stable memory: reading it, and its pages there and here. */
const PER_STABLE_BYTE = 5;

/** What an op with these arguments takes at most. */
function instructionsOf(name: OpName, args: Args, most: Most): number {
  if (name === 'linearInt4' || name === 'linearQ8' || name === 'linearF32')
    return (args.to! - args.from!) * linearInstructions(KINDS[name], args.rows!, args.inputs!);
  if (name === 'attentionQ16' || name === 'attentionF32') {
    const rows = Math.min(args.rows!, args.lastRow!) - args.firstRow!;
    const keys = args.window ? Math.min(most.keys, args.window + 32) : most.keys;
    const kind = name === 'attentionQ16' ? 'int16' : 'float32';
    return (args.lastHead! - args.firstHead!) * attentionInstructions(kind, { ...most, rows, keys }, args.dKv!);
  }
  if (name === 'loadStable') return args.bytes! * PER_STABLE_BYTE;
  if (name === 'copy') return args.bytes! * PER_STABLE_BYTE;
  if (name === 'argmax') return args.rows! * args.count! * PER_LOGIT;
  const { rows = 1, heads = 1, dKv = 1, cols, count = cols ?? args.pairs ?? 1 } = args;
  return rows * Math.max(count, heads * dKv) * PER_ELEMENT;
}

/** An op's arguments where registers have these values. */
function argsOf({ words }: Program, from: number, name: OpName, registers: readonly number[]): Args {
  const { names } = opEntry(name);
  const values = names.map((_, i) => words[from + 1 + i]!);
  const patches = words[from]! >> 16;
  for (let p = 0, at = from + 1 + names.length; p < patches; p++, at += 2) {
    const [which, stride] = [words[at]!, words[at + 1]!];
    values[which & 0xff]! += registers[which >> 8]! * stride;
  }
  return Object.fromEntries(names.map((arg, i) => [arg, values[i]!]));
}

/** What each op of a program takes at most. */
export const opCosts = (program: Program, registers: readonly number[], most: Most): OpCost[] =>
  program.ops.map(({ name, label, from }) => ({
    name,
    label,
    instructions: instructionsOf(name, argsOf(program, from, name, registers), most),
  }));

const isProgram = (value: unknown): value is Program => typeof value === 'object' && value !== null && 'words' in value;

/** The dearest op of a model, whole or a stage of one. */
export function largestOp(shape: PackShape, arenaBytes = ARENA_BYTES): OpCost {
  const machine = new NoMachine();
  const arena = new Arena(machine);
  const room = { machine, arena, most: arenaBytes, tokenizerBytes: 0, piecesOf, isNew: true };
  const isStage = shape.stage !== undefined && shape.stage.index > 0;
  const opened = isStage ? openStageInRoom(shape, room) : openInRoom(shape, room).languageModel;
  const { programs } = opened as unknown as { programs: Record<string, unknown> };
  const keys = shape.family === 'llama' ? contextOf((shape as LlamaShape).config) : MAX_SOURCE_LENGTH;
  const ofBatch = { rows: MAX_ROWS, keys: Math.max(keys, MAX_TARGET_LENGTH), sequences: MAX_LOGIT_ROWS };
  const ofPrompt = { ...ofBatch, rows: MAX_SOURCE_LENGTH, sequences: 1 };
  const costs = Object.entries(programs).flatMap(([name, program]) => {
    // registers of a copy are addresses, and bytes that are told when it runs
    if (!isProgram(program) || name === 'copy') return [];
    const most = name === 'forward' || name === 'greedy' ? ofBatch : ofPrompt;
    return opCosts(program, [most.rows, MAX_LOGIT_ROWS], most);
  });
  return costs.reduce((dearest, cost) => (cost.instructions > dearest.instructions ? cost : dearest));
}
