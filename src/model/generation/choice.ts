/**
 * How the next token is chosen from a row of the logits that a step leaves: Hugging Face's logits processors, in their order, as one program that never
 * lets the logits out of the unit.
 * Source: transformers, generation/utils.py (_get_logits_processor) and generation/logits_process.py, version 5.
 */
import { ROW_BYTES } from '../../tensor/assembly/row-table.ts';
import type { Program } from '../../tensor/machine.ts';
import { Recorder } from '../../tensor/recorder.ts';
import { plus, register, times } from '../../tensor/value.ts';
import type { LanguageModel } from '../language-model.ts';
import { bannedIds, forcedIds, hasBans, mostBanned } from './bans.ts';
import { distinct } from './distinct.ts';
import { candidatesOf, type GenerationOptions } from './options.ts';

/** Registers: penalised ids, banned ids behind them in the list, the random number, the row of logits. */
const [PENALISED, BANNED, RANDOM, ROW] = [register(0), register(1), register(2), register(3)];

/** Whether the likeliest token is wanted as it is, for which models have a program of its own. */
export const isPlainGreedy = (o: GenerationOptions): boolean =>
  !o.doSample && o.numBeams === 1 && o.repetitionPenalty === 1 && !hasBans(o);

export class Choice {
  private readonly model: LanguageModel;
  private readonly options: GenerationOptions;
  private readonly program: Program;
  /** Pointers: the program, its list of ids, the beams' candidates. */
  private readonly held: readonly [program: number, list: number, candidates: number];

  private readonly given: number;

  /** @param given ids that stand before the answer @throws RangeError where the arena has no room */
  constructor(model: LanguageModel, options: GenerationOptions, given: number) {
    this.model = model;
    this.options = options;
    this.given = given;
    // every target id may be penalised; behind those stand the banned ones
    const list = model.arena.allocate((options.maxNewTokens + given + mostBanned(options, given)) * 4);
    const candidates = model.arena.allocate(candidatesOf(options) * 8);
    this.program = record(model, options, list, candidates);
    const pointer = model.arena.allocate(this.program.words.byteLength);
    model.machine.write(pointer, new Uint8Array(this.program.words.buffer));
    this.held = [pointer, list, candidates];
  }

  /** The id that follows `targetIds`, given ones included. @param random 32 random bits, where a token is drawn */
  token(row: number, targetIds: readonly number[], random: number): number {
    const forced = forcedIds(targetIds, this.given, this.options);
    // equally likely ones: the likeliest is the first, a draw as docs/generation.md has it
    if (forced) return forced[this.options.doSample ? Math.floor((random / 2 ** 32) * forced.length) : 0]!;
    this.run(row, targetIds, random);
    return this.model.token(row);
  }

  /** A beam's best continuations, falling, those with probability 0 left out: ids and logarithms of probabilities. */
  candidates(row: number, targetIds: readonly number[]): { id: number; logProbability: number }[] {
    const forced = forcedIds(targetIds, this.given, this.options);
    if (forced) return forced.map((id) => ({ id, logProbability: 0 }));
    this.run(row, targetIds, 0);
    const count = candidatesOf(this.options);
    const { buffer } = this.model.machine.read(this.held[2], count * 8);
    const [ids, values] = [new Uint32Array(buffer, 0, count), new Float32Array(buffer, count * 4, count)];
    const found = [];
    for (let i = 0; i < count && values[i]! > Number.NEGATIVE_INFINITY; i++) {
      found.push({ id: ids[i]!, logProbability: values[i]! });
    }
    return found;
  }

  /** Gives its room back. */
  close(): void {
    for (const pointer of this.held) this.model.arena.release(pointer);
  }

  private run(row: number, targetIds: readonly number[], random: number): void {
    const { machine } = this.model;
    const [pointer, list] = this.held;
    const penalised = this.options.repetitionPenalty === 1 ? [] : distinct(targetIds);
    const banned = bannedIds(targetIds, this.given, this.options);
    if (penalised.length + banned.length > 0) {
      machine.write(list, new Uint8Array(Uint32Array.from([...penalised, ...banned]).buffer));
    }
    const registers = [penalised.length, banned.length, random, row];
    machine.run(pointer, this.program.ops[0]!.from, this.program.words.length, registers);
  }
}

function record(
  { output, vocabularySize }: LanguageModel,
  options: GenerationOptions,
  list: number,
  candidates: number,
): Program {
  const all = output.logits;
  const logits = { ...all, at: plus(all.at, times(ROW, all.cols * 4)), rows: 1 };
  const token = plus(output.table, times(ROW, ROW_BYTES));
  const { numBeams, doSample, temperature, topK, topP, repetitionPenalty } = options;
  const r = new Recorder();
  if (numBeams > 1) r.logSoftmax(logits);
  if (repetitionPenalty !== 1) r.penalize(logits, list, PENALISED, repetitionPenalty);
  r.mask(logits, plus(list, times(PENALISED, 4)), BANNED);
  if (numBeams > 1) {
    r.best(candidates, logits, candidatesOf(options));
  } else if (doSample) {
    if (temperature !== 1) r.scale('temperature', logits, logits, 1 / temperature);
    if (topK > 0 && topK < vocabularySize) r.topK(logits, topK);
    r.softmax(logits);
    if (topP < 1) r.topP(logits, topP);
    r.draw(token, logits, RANDOM);
  } else {
    r.argmax(token, logits, vocabularySize);
  }
  return r.finish();
}
