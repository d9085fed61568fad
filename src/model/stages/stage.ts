/**
 * A stage behind the first: it has some layers of a model, and the keys and values that these make. It takes rows as
 * the stage before has left them and gives them as the stage behind needs them. What a family adds is where a row's
 * caches are, and what a prompt's own programs are.
 */
import { CACHE_KEYS, ROW_BYTES, ROW_CACHES, ROW_POSITION, ROW_WORDS } from '../../tensor/assembly/row-table.ts';
import type { Program, Registers } from '../../tensor/machine.ts';
import type { Rows } from '../../tensor/recorder.ts';
import { MAX_ROWS } from '../batch.ts';
import { registersOf, type StagePrograms } from '../batch-programs.ts';
import { type KvLayout, kvBytes, kvPiece } from '../kv-layout.ts';
import { PlacedModel } from '../placed-model.ts';
import {
  DONE,
  decodeRequest,
  ENCODE,
  encodeReply,
  FORWARD,
  GO_ON,
  LACKING,
  NOTHING,
  PART,
  PAUSED,
  PROMPT,
  type Reply,
  type Request,
  type SequenceOf,
} from './wire.ts';

/** A sequence of the first stage's, as far as its layers are here. */
interface Held {
  capacity: number;
  sourceLength: number;
  root: number;
  self: number;
  /** Of its prompt, where it has been made. */
  cross?: number;
  /** Positions whose keys and values are here, from 0 on. */
  cached: number;
  /** Number of the request that needed it last. */
  used: number;
}

/** What a family's prompts need, where an encoder reads them. */
export interface PromptPart {
  encodeLayers: Program | undefined;
  cross: Program;
  /** The row table of a prompt, and where rows are before the encoder's layers, and behind them. */
  table: number;
  hidden: Rows;
  encoded: Rows;
  most: number;
  /** The table's words for a prompt of so many tokens, and the cache for its keys and values. */
  wordsOf(sourceLength: number, cross: number): Uint32Array;
  crossBytes(sourceLength: number): number;
}

/** A program that has the working rows until it is through. */
interface Begun {
  program: Program;
  registers: Registers;
  at: number;
  finish(): Uint8Array;
}

/** A request that waits for its turn, is under way, or is through and has not been asked for. */
interface Run {
  /** With all its rows, of which so many bytes are there. */
  request: Request;
  received: number;
  begun?: Begun;
  /** What came of it. */
  hidden?: Uint8Array;
}

const isWhole = ({ request, received }: Run): boolean => received === request.all;

/** Takes the rows that a request brings. @returns whether they are the next ones */
function receive(run: Run, { hidden, sent }: Request): boolean {
  if (sent !== run.received || sent + hidden.length > run.request.all) return false;
  run.request.hidden.set(hidden, sent);
  run.received += hidden.length;
  return true;
}

export abstract class Stage<P extends StagePrograms> extends PlacedModel<P> {
  /** Keys and values of a sequence's own. */
  protected abstract readonly ownKv: KvLayout;
  /** A row, but what changes from position to position. */
  protected abstract rowOf(self: number, cross: number, sourceLength: number): Uint32Array;
  protected abstract readonly prompt: PromptPart | undefined;
  private readonly held = new Map<number, Held>();
  private epoch = 0;
  private number = 0;
  private lastCopy = 0;
  /** By number, in the order in which all their rows were there. One is worked on at a time, to its end. */
  private readonly runs = new Map<number, Run>();

  /**
   * Does what the first stage asks, and what it has asked before, as far as the budget goes.
   * @throws Error for a request that cannot be one; RangeError where there is no room
   */
  answer(bytes: Uint8Array, budget?: bigint): Uint8Array {
    return encodeReply(this.reply(decodeRequest(bytes), budget));
  }

  /** How many sequences have keys and values here. */
  get sequences(): number {
    return this.held.size;
  }

  private reply(request: Request, budget?: bigint): Reply {
    const { number, alive } = request;
    if (request.kind === NOTHING) return { kind: DONE, hidden: new Uint8Array(0) };
    if (request.epoch !== this.epoch) this.forgetAll(request.epoch);
    for (const other of this.runs.keys()) if (!alive.includes(other)) this.runs.delete(other);
    if (request.kind !== GO_ON) {
      // one that comes late, when later ones have been here
      if (number <= this.number) return { kind: LACKING, from: [] };
      this.number = number;
      const lacking = this.open(request);
      if (lacking.length > 0) return { kind: LACKING, from: lacking };
      this.check(request);
      this.runs.set(number, { request: { ...request, hidden: new Uint8Array(request.all) }, received: 0 });
    }
    const own = this.runs.get(number);
    // what was under way is lost: begin anew
    if (!own || !receive(own, request)) return { kind: LACKING, from: [] };
    if (request.hidden.length > 0 && isWhole(own)) {
      // its turn comes behind those that were whole before: one of them may be in the middle
      this.runs.delete(number);
      this.runs.set(number, own);
    }
    for (const run of this.runs.values()) {
      if (!isWhole(run)) continue;
      if (!this.goOn(run, budget)) return { kind: PAUSED };
      if (run === own) break;
    }
    if (!own.hidden) return { kind: PAUSED };
    const hidden = own.hidden!.subarray(request.taken, request.taken + request.most);
    if (request.taken + hidden.length < own.hidden!.length) return { kind: PART, hidden };
    this.runs.delete(number);
    return { kind: DONE, hidden };
  }

  /** @returns whether it is through */
  private goOn(run: Run, budget?: bigint): boolean {
    if (run.hidden) return true;
    run.begun ??= this.begin(run.request);
    const { begun } = run;
    const [pointer, , end] = this.placed(begun.program);
    begun.at = this.machine.run(pointer, begun.at, end, begun.registers, budget);
    if (begun.at < end) return false;
    run.hidden = begun.finish();
    return true;
  }

  /** Makes room for a request's sequences, and copies what they take from each other. @returns what is lacking */
  private open(request: Request): [number, number][] {
    for (const id of request.closed) this.close(id);
    for (const of of request.sequences) this.openOne(of, request);
    // whoever borrows from one that lacks them would lack them again and again: both are told
    const short = new Map<number, number>();
    for (const { number, target, source, from, to } of request.copies) {
      if (number <= this.lastCopy) continue;
      this.lastCopy = number;
      this.copy(target, source, from, to);
      if ((this.held.get(target)?.cached ?? 0) >= to) continue;
      for (const id of [source, target]) short.set(id, this.held.get(id)?.cached ?? 0);
    }
    return this.lacking(request, short);
  }

  private openOne(of: SequenceOf, { number, sequences }: Request): void {
    const { id, capacity, sourceLength, root } = of;
    const known = this.held.get(id);
    if (known) {
      known.used = number;
      known.root = root;
      return;
    }
    const self = this.roomFor(kvBytes(this.ownKv, capacity), sequences);
    this.held.set(id, { capacity, sourceLength, root, self, cached: 0, used: number });
  }

  /**
   * Room, if need be that of sequences which have not been asked for the longest.
   * @param asked what the request is for
   * @throws RangeError
   */
  private roomFor(bytes: number, asked: readonly SequenceOf[]): number {
    const those = [asked, ...[...this.runs.values()].map(({ request }) => request.sequences)].flat();
    const needed = new Set(those.flatMap(({ id, root }) => [id, root]));
    for (;;) {
      try {
        return this.arena.allocate(bytes);
      } catch (error) {
        let oldest: number | undefined;
        for (const [id, { used }] of this.held)
          if (!needed.has(id) && (oldest === undefined || used < this.held.get(oldest)!.used)) oldest = id;
        if (oldest === undefined) throw error;
        this.close(oldest);
      }
    }
  }

  private copy(targetId: number, sourceId: number, from: number, to: number): void {
    const [target, source] = [this.held.get(targetId), this.held.get(sourceId)];
    if (!target) return;
    const end = Math.min(to, source?.cached ?? 0);
    if (!source || end <= from || target.cached < from) {
      // what it has from there on is of other ids
      target.cached = Math.min(target.cached, from);
      return;
    }
    const { at, bytes } = kvPiece(this.ownKv, from, end);
    const [pointer, first, last] = this.placed(this.programs.copy);
    this.machine.run(pointer, first, last, [target.self + at, source.self + at, bytes]);
    target.cached = end;
  }

  /** @param lacking what is known to be */
  private lacking(request: Request, lacking: Map<number, number>): [number, number][] {
    const { rows } = request;
    const from = new Map<number, number>();
    if (request.kind !== FORWARD) return [];
    for (const [id, position] of rows) from.set(id, Math.min(from.get(id) ?? position, position));
    for (const [id, position] of from) {
      const held = this.heldBy(id);
      if (this.prompt && this.held.get(held.root)?.cross === undefined) lacking.set(held.root, PROMPT);
      if (position > held.cached) lacking.set(id, held.cached);
    }
    return [...lacking];
  }

  private heldBy(id: number): Held {
    const held = this.held.get(id);
    if (!held) throw new Error(`stage: expected rows of sequences that the request describes, got one of ${id}`);
    return held;
  }

  /** @throws Error for what cannot be done here, before anything is */
  private check(request: Request): void {
    const { kind, rows } = request;
    if (kind === FORWARD) {
      this.checkRows(request, this.programs.hidden, MAX_ROWS);
      for (const [id, position] of rows) {
        const { capacity } = this.heldBy(id);
        if (position >= capacity) throw new Error(`stage: expected positions under ${capacity}, got ${position}`);
      }
      return;
    }
    const { prompt } = this;
    if (!prompt) throw new Error('stage: expected rows of a batch of a model without an encoder, got a prompt');
    this.checkRows(request, kind === ENCODE ? prompt.hidden : prompt.encoded, prompt.most);
    if (kind === ENCODE && !prompt.encodeLayers)
      throw new Error("stage: expected a prompt where the encoder's layers are, got it here");
    if (kind === ENCODE) return;
    const { sourceLength } = this.heldBy(rows[0]![0]);
    if (sourceLength !== rows.length)
      throw new Error(`stage: expected ${sourceLength} rows of a prompt, got ${rows.length}`);
  }

  private begin(request: Request): Begun {
    if (request.kind === FORWARD) return this.forward(request);
    return request.kind === ENCODE ? this.encode(request, this.prompt!) : this.cross(request, this.prompt!);
  }

  private forward(request: Request): Begun {
    const { rows, hidden, back } = request;
    const { forward, hidden: x, batch } = this.programs;
    const registers = registersOf(rows.length, back);
    const words = new Uint32Array(rows.length * ROW_WORDS);
    rows.forEach(([id, position], i) => {
      const { self, root } = this.heldBy(id);
      const of = this.held.get(root);
      words.set(this.rowOf(self, of?.cross ?? 0, of?.sourceLength ?? 0), i * ROW_WORDS);
      words[i * ROW_WORDS + ROW_POSITION] = position;
      words[i * ROW_WORDS + ROW_CACHES + CACHE_KEYS] = position + 1;
    });
    this.machine.write(batch, new Uint8Array(words.buffer, 0, rows.length * ROW_BYTES));
    this.writeRows(x, registers, hidden);
    return this.started(forward, registers, () => {
      const last = new Map<number, number>();
      for (const [id, position] of rows) last.set(id, Math.max(last.get(id) ?? 0, position));
      // what stands behind is of other ids
      for (const [id, position] of last) this.heldBy(id).cached = position + 1;
      return this.readRows(x, registers, back);
    });
  }

  private encode({ rows, hidden, back }: Request, prompt: PromptPart): Begun {
    const registers = registersOf(rows.length, 0);
    this.machine.write(prompt.table, new Uint8Array(prompt.wordsOf(rows.length, 0).buffer));
    this.writeRows(prompt.hidden, registers, hidden);
    return this.started(prompt.encodeLayers!, registers, () => this.readRows(prompt.hidden, registers, back));
  }

  private cross({ rows, hidden, sequences }: Request, prompt: PromptPart): Begun {
    const held = this.heldBy(rows[0]![0]);
    held.cross ??= this.roomFor(prompt.crossBytes(rows.length), sequences);
    const registers = registersOf(rows.length, 0);
    this.machine.write(prompt.table, new Uint8Array(prompt.wordsOf(rows.length, held.cross).buffer));
    this.writeRows(prompt.encoded, registers, hidden);
    return this.started(prompt.cross, registers, () => new Uint8Array(0));
  }

  private checkRows({ rows, all, back }: Request, { cols }: Rows, most: number): void {
    if (rows.length < 1 || rows.length > most) throw new Error(`stage: expected 1 to ${most} rows, got ${rows.length}`);
    if (back > rows.length) throw new Error(`stage: expected at most ${rows.length} rows back, got ${back}`);
    const bytes = rows.length * cols * 4;
    if (all !== bytes) throw new Error(`stage: expected ${bytes} bytes of rows, got ${all}`);
  }

  private started(program: Program, registers: Registers, finish: () => Uint8Array): Begun {
    return { program, registers, at: this.placed(program)[1], finish };
  }

  private close(id: number): void {
    const held = this.held.get(id);
    if (!held) return;
    this.held.delete(id);
    this.arena.release(held.self);
    if (held.cross !== undefined) this.arena.release(held.cross);
    // who shares its prompt's keys and values lacks them from now on, and is told so
  }

  /** Another asker, or the same with its memory new: nothing that is here is anyone's. */
  private forgetAll(epoch: number): void {
    for (const id of [...this.held.keys()]) this.close(id);
    this.runs.clear();
    this.epoch = epoch;
    this.number = 0;
    this.lastCopy = 0;
  }

  override dispose(): void {
    this.forgetAll(0);
    super.dispose();
  }
}
