/**
 * How the next token is chosen from a row of the logits that a step leaves: Hugging Face's logits processors, in their
 * order, as one program that never lets the logits out of the unit.
 * Source: transformers, generation/utils.py (_get_logits_processor) and generation/logits_process.py, version 5.
 */
import { ROW_BYTES } from '../../tensor/assembly/row-table.ts';
import type { Program } from '../../tensor/machine.ts';
import { Recorder } from '../../tensor/recorder.ts';
import { plus, register, times } from '../../tensor/value.ts';
import type { LanguageModel } from '../language-model.ts';
import { allowedIds } from './allowed.ts';
import { bannedIds, forcedIds, hasBans, mostBanned } from './bans.ts';
import { distinct } from './distinct.ts';
import { candidatesOf, type GenerationOptions } from './options.ts';

/** Registers: penalised ids, banned ids behind them in the list, the random number, the row of logits. */
const [PENALISED, BANNED, RANDOM, ROW] = [register(0), register(1), register(2), register(3)];

/** Whether the likeliest token is wanted as it is, for which models have a program of its own. */
export const isPlainGreedy = (o: GenerationOptions): boolean =>
  !o.doSample && o.numBeams === 1 && o.repetitionPenalty === 1 && !o.choices && !hasBans(o);

export class Choice {
  private readonly model: LanguageModel;
  private readonly options: GenerationOptions;
  private readonly program: Program;
  /**
   * Words of the program at which all logits are taken away, where only some ids are allowed, and at which it goes on.
   */
  private readonly clearing: { from: number; to: number } | undefined;
  /**
   * Pointers: the program, its list of ids, the beams' candidates, a row of minus infinities where some ids are
   * allowed.
   */
  private readonly held: readonly [program: number, list: number, candidates: number, nothing: number | undefined];

  private readonly given: number;

  /** @param given ids that stand before the answer @throws RangeError where the arena has no room */
  constructor(model: LanguageModel, options: GenerationOptions, given: number) {
    this.model = model;
    this.options = options;
    this.given = given;
    // every target id may be penalised; behind those stand the banned ones
    const list = model.arena.allocate((options.maxNewTokens + given + mostBanned(options, given)) * 4);
    const candidates = model.arena.allocate(candidatesOf(options) * 8);
    const nothing = options.choices && emptyRow(model);
    const recorded = record(model, options, list, candidates, nothing);
    this.program = recorded.program;
    this.clearing = recorded.clearing;
    const pointer = model.arena.allocate(this.program.words.byteLength);
    model.machine.write(pointer, new Uint8Array(this.program.words.buffer));
    this.held = [pointer, list, candidates, nothing];
  }

  /** The id that follows `targetIds`, given ones included. @param random 32 random bits, where a token is drawn */
  token(row: number, targetIds: readonly number[], random: number): number {
    const forced = forcedIds(targetIds, this.given, this.options);
    // equally likely ones: the likeliest is the first, a draw as docs/generation.md has it
    if (forced) return forced[this.options.doSample ? Math.floor((random / 2 ** 32) * forced.length) : 0]!;
    const allowed = allowedIds(targetIds, this.given, this.options);
    if (allowed?.length === 1) return allowed[0]!;
    this.run(row, targetIds, random, allowed);
    return this.model.token(row);
  }

  /** A beam's best continuations, falling, those with probability 0 left out: ids and logarithms of probabilities. */
  candidates(row: number, targetIds: readonly number[]): { id: number; logProbability: number }[] {
    const forced = forcedIds(targetIds, this.given, this.options);
    if (forced) return forced.map((id) => ({ id, logProbability: 0 }));
    this.run(row, targetIds, 0, allowedIds(targetIds, this.given, this.options));
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
    for (const pointer of this.held) if (pointer !== undefined) this.model.arena.release(pointer);
  }

  private run(row: number, targetIds: readonly number[], random: number, allowed?: readonly number[]): void {
    const { machine } = this.model;
    const [pointer, list] = this.held;
    const penalised = this.options.repetitionPenalty === 1 ? [] : distinct(targetIds);
    const banned = bannedIds(targetIds, this.given, this.options);
    if (penalised.length + banned.length > 0) {
      machine.write(list, new Uint8Array(Uint32Array.from([...penalised, ...banned]).buffer));
    }
    const registers = [penalised.length, banned.length, random, row];
    let from = this.program.ops[0]!.from;
    if (allowed && this.clearing) {
      machine.run(pointer, from, this.clearing.from, registers);
      const { at, cols } = this.model.output.logits;
      const places = allowed.map((id) => (at as number) + (row * cols + id) * 4);
      const kept = places.map((place) => machine.read(place, 4));
      machine.run(pointer, this.clearing.from, this.clearing.to, registers);
      places.forEach((place, i) => {
        machine.write(place, kept[i]!);
      });
      from = this.clearing.to;
    }
    machine.run(pointer, from, this.program.words.length, registers);
  }
}

/** A row of logits for which no id may be chosen. @returns its pointer */
function emptyRow({ arena, machine, output }: LanguageModel): number {
  const { cols } = output.logits;
  const at = arena.allocate(cols * 4);
  machine.write(at, new Uint8Array(new Float32Array(cols).fill(Number.NEGATIVE_INFINITY).buffer));
  return at;
}

function record(
  { output, vocabularySize }: LanguageModel,
  options: GenerationOptions,
  list: number,
  candidates: number,
  nothing: number | undefined,
): { program: Program; clearing: { from: number; to: number } | undefined } {
  const all = output.logits;
  const logits = { ...all, at: plus(all.at, times(ROW, all.cols * 4)), rows: 1 };
  const token = plus(output.table, times(ROW, ROW_BYTES));
  const { numBeams, doSample, temperature, topK, topP, repetitionPenalty } = options;
  const r = new Recorder();
  if (numBeams > 1) r.logSoftmax(logits);
  if (repetitionPenalty !== 1) r.penalize(logits, list, PENALISED, repetitionPenalty);
  r.mask(logits, plus(list, times(PENALISED, 4)), BANNED);
  const from = r.position;
  if (nothing !== undefined) r.copy('choices', logits.at, nothing, all.cols * 4);
  const clearing = nothing === undefined ? undefined : { from, to: r.position };
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
  return { program: r.finish(), clearing };
}
