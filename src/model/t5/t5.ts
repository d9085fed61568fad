/**
 * A T5 at work on a machine: holds the weights and the sessions' key/value caches, and takes a session from its prompt to its next token, in as
 * many slices as the instruction budget makes of it. It knows ids only; text, stopping and choosing among sessions are its callers' business.
 */
import type { Arena } from '../../tensor/arena.ts';
import type { Machine, Program, Registers } from '../../tensor/machine.ts';
import {
  MAX_SOURCE_LENGTH,
  MAX_TARGET_LENGTH,
  type PackShape,
  packTensors,
  packWeightsBytes,
} from '../pack/tensors.ts';
import { blockBytes, pieceOf } from './keys-and-values.ts';
import { recordT5, registersOf, type T5Programs } from './programs.ts';

/** One answer in the making. What lies in the arena of it can be made again from these ids. */
export interface T5Session {
  readonly sourceIds: readonly number[];
  /** The start token, then what was made so far. */
  readonly targetIds: number[];
  /** The most tokens it may have, the start token not counted. */
  readonly capacity: number;
  /** Pointers to the prompt's block in the arena, and to its own. */
  readonly cross: number;
  readonly self: number;
  /** The session whose prompt's block it shares. */
  readonly forkOf?: T5Session;
  phase: 'encode' | 'cross' | 'decode';
  /** Target positions whose keys and values are in the block. */
  cached: number;
}

/** `paused`: the budget is used up, go on in another message. `busy`: another session is in the middle of a program. */
export type Outcome = 'paused' | 'busy' | 'done';

/** So often a session in mid-program is waited for before it is thought dead and has to begin its program again. */
const PATIENCE = 16;

/** A program in the arena: pointer, first word, end. */
export type PlacedProgram = readonly [number, number, number];

/** What makes a session's next tokens, one after another, each the likeliest: for whoever runs the programs without this class. */
export interface StepPlan {
  step: PlacedProgram;
  choice: PlacedProgram;
  /** Pointer of the u32 where the id that a step starts from is put, and where the choice leaves the next. */
  token: number;
  /** The id that the next step starts from. */
  first: number;
  /** Of the next step; the first is the position, and grows by one from step to step. */
  registers: Registers;
}

type ProgramName = 'encode' | 'cross' | 'step';

/** How many ids two lists have in common from the first on. */
function agreement(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let i = 0;
  while (i < most && a[i] === b[i]) i++;
  return i;
}

export class T5 {
  readonly shape: PackShape;
  readonly weightsAt: number;
  readonly weightsBytes: number;
  readonly programs: T5Programs;
  readonly machine: Machine;
  readonly arena: Arena;
  private readonly pointers = new Map<Program, number>();
  /** Room taken for weights, programs and working rows. */
  private readonly held: number[] = [];
  /** The session whose program is under way, and the word to go on from; working rows are shared, so there is one at most. */
  private running: { session: T5Session; program: ProgramName; at: number; waited: number } | undefined;
  /** The session whose prompt's encoding stands in `programs.encoded`. */
  private encodedFor: T5Session | undefined;

  /** Takes room for everything but sessions. The weights are to be written to `weightsAt` before the first session runs. */
  constructor(machine: Machine, arena: Arena, shape: PackShape) {
    this.machine = machine;
    this.shape = shape;
    this.arena = arena;
    const tensors = packTensors(shape);
    this.weightsBytes = packWeightsBytes(tensors);
    this.weightsAt = this.allocate(this.weightsBytes);
    this.programs = recordT5(shape, tensors, this.weightsAt, (bytes) => this.allocate(bytes));
    const { encode, cross, step, greedy, copy } = this.programs;
    for (const program of [encode, cross, step, greedy, copy]) {
      const pointer = this.allocate(program.words.byteLength);
      this.machine.write(pointer, new Uint8Array(program.words.buffer));
      this.pointers.set(program, pointer);
    }
  }

  private allocate(bytes: number): number {
    const at = this.arena.allocate(bytes);
    this.held.push(at);
    return at;
  }

  /** Gives all its room back but open sessions'. */
  dispose(): void {
    for (const at of this.held) this.arena.release(at);
    this.held.length = 0;
  }

  /**
   * Opens a session. `targetIds` of an earlier one, start token included, are taken up again: their keys and values are made anew.
   * @throws RangeError for ids or lengths out of range, or where memory is exhausted.
   */
  open(sourceIds: readonly number[], capacity: number, targetIds?: readonly number[]): T5Session {
    const { vocabularySize, decoderStartTokenId } = this.shape.config;
    const lengthOf = (what: string, length: number, most: number): void => {
      if (!Number.isInteger(length) || length < 1 || length > most) {
        throw new RangeError(`open: expected 1 to ${most} ${what}, got ${length}`);
      }
    };
    lengthOf('prompt tokens', sourceIds.length, MAX_SOURCE_LENGTH);
    lengthOf('new tokens', capacity, MAX_TARGET_LENGTH);
    const target = [...(targetIds ?? [decoderStartTokenId])];
    lengthOf('target tokens', target.length, capacity);
    for (const id of [...sourceIds, ...target]) {
      if (!Number.isInteger(id) || id < 0 || id >= vocabularySize) {
        throw new RangeError(`open: expected token ids from 0 to ${vocabularySize - 1}, got ${id}`);
      }
    }
    const cross = this.arena.allocate(blockBytes(this.shape, sourceIds.length));
    const self = this.allocateSelf(cross, capacity);
    return { sourceIds: [...sourceIds], targetIds: target, capacity, cross, self, phase: 'encode', cached: 0 };
  }

  /** Another session on the same prompt, which shares what was made of it. It can step once the first one can, and must be closed before it. */
  fork(first: T5Session): T5Session {
    const self = this.arena.allocate(blockBytes(this.shape, first.capacity));
    return { ...first, targetIds: [...first.targetIds], self, forkOf: first, phase: 'decode', cached: 0 };
  }

  /** Gives a session other target ids. Its keys and values stay as far as the ids agree. */
  retarget(session: T5Session, targetIds: readonly number[]): void {
    this.interrupt(session);
    session.cached = Math.min(session.cached, agreement(session.targetIds, targetIds));
    session.targetIds.splice(0, session.targetIds.length, ...targetIds);
  }

  /** Copies keys and values that it lacks from a session on the same prompt, as far as their target ids agree. */
  borrow(session: T5Session, other: T5Session): void {
    const shared = Math.min(other.cached, agreement(session.targetIds, other.targetIds));
    if (shared <= session.cached) return;
    this.interrupt(session);
    const { at, bytes } = pieceOf(this.shape, session.cached, shared);
    this.runWhole(this.programs.copy, [session.self + at, other.self + at, bytes]);
    session.cached = shared;
  }

  /** Gives a session's room back. */
  close(session: T5Session): void {
    this.arena.release(session.self);
    if (!session.forkOf) this.arena.release(session.cross);
    this.interrupt(session);
    if (this.encodedFor === session) this.encodedFor = undefined;
  }

  /** Encodes the prompt. After `done`, `encoding` gives what came out. */
  encode(session: T5Session, budget?: bigint): Outcome {
    if (session.phase !== 'encode') return 'done';
    if (!this.mayRun(session)) return 'busy';
    if (!this.running) {
      this.machine.write(this.programs.sourceIds, new Uint8Array(Uint32Array.from(session.sourceIds).buffer));
    }
    const outcome = this.run(session, 'encode', budget);
    if (outcome === 'done') {
      session.phase = 'cross';
      this.encodedFor = session;
    }
    return outcome;
  }

  /** float32 [S, D padded] of the session that was encoded last. */
  encoding(session: T5Session): Uint8Array {
    if (this.encodedFor !== session)
      throw new Error('encoding: expected the session that was encoded last, got another');
    return this.machine.read(this.programs.encoded.at as number, this.encodingBytes(session));
  }

  encodingBytes(session: T5Session): number {
    return session.sourceIds.length * this.programs.encoded.cols * 4;
  }

  /** Takes a prompt's encoding from the embedding cache in place of `encode`. */
  useEncoding(session: T5Session, encoding: Uint8Array): Outcome {
    if (!this.mayRun(session)) return 'busy';
    if (encoding.length !== this.encodingBytes(session)) {
      throw new RangeError(`useEncoding: expected ${this.encodingBytes(session)} bytes, got ${encoding.length}`);
    }
    this.machine.write(this.programs.encoded.at as number, encoding);
    session.phase = 'cross';
    this.encodedFor = session;
    return 'done';
  }

  /**
   * Makes the logits of the next token. A session whose encoding another one has overwritten meanwhile goes back to `encode`.
   */
  step(session: T5Session, budget?: bigint): Outcome {
    if (session.forkOf && session.forkOf.phase !== 'decode') {
      throw new Error(`step: expected a fork of a session that has stepped, got one in "${session.forkOf.phase}"`);
    }
    if (!this.mayRun(session)) return 'busy';
    if (session.phase === 'cross' && this.encodedFor !== session) session.phase = 'encode';
    if (session.phase === 'encode') {
      const outcome = this.encode(session, budget);
      if (outcome !== 'done') return outcome;
    }
    if (session.phase === 'cross') {
      const outcome = this.run(session, 'cross', budget);
      if (outcome !== 'done') return outcome;
      session.phase = 'decode';
    }
    while (session.cached < session.targetIds.length) {
      if (!this.running) this.writeToken(session.targetIds[session.cached]!);
      const outcome = this.run(session, 'step', budget);
      if (outcome !== 'done') return outcome;
      session.cached += 1;
    }
    return 'done';
  }

  /** The likeliest id after `step` was done for this session. */
  greedy(): number {
    this.runWhole(this.programs.greedy, []);
    return this.token();
  }

  /** The id that a choosing program left in `programs.token`. */
  token(): number {
    return new Uint32Array(this.machine.read(this.programs.token, 4).buffer)[0]!;
  }

  /** Undefined where something else than a step is to do for the session, or a program is under way. */
  plan(session: T5Session): StepPlan | undefined {
    const { phase, cached, targetIds, sourceIds, cross, self } = session;
    if (this.running || phase !== 'decode' || cached !== targetIds.length - 1) return undefined;
    const { step, greedy, token } = this.programs;
    return {
      step: this.placed(step),
      choice: this.placed(greedy),
      token,
      first: targetIds[cached]!,
      registers: registersOf(cached, sourceIds.length, cross, self),
    };
  }

  /** Whether a session's program is under way, which no other may run into. */
  get busy(): boolean {
    return this.running !== undefined;
  }

  /** float32 [V] after `step` was done. For looking at; in the canister logits stay in the unit. */
  logits(): Float32Array {
    const { logits } = this.programs;
    const bytes = this.machine.read(logits.at as number, this.shape.config.vocabularySize * 4);
    return new Float32Array(bytes.buffer);
  }

  /** If its program is under way, it has to begin again. */
  private interrupt(session: T5Session): void {
    if (this.running?.session === session) this.running = undefined;
  }

  private allocateSelf(cross: number, capacity: number): number {
    try {
      return this.arena.allocate(blockBytes(this.shape, capacity));
    } catch (error) {
      this.arena.release(cross);
      throw error;
    }
  }

  private placed(program: Program): PlacedProgram {
    return [this.pointers.get(program)!, program.ops[0]!.from, program.words.length];
  }

  private runWhole(program: Program, registers: Registers): void {
    this.machine.run(...this.placed(program), registers);
  }

  private writeToken(id: number): void {
    this.machine.write(this.programs.token, new Uint8Array(Uint32Array.of(id).buffer));
  }

  /** Whether no other session stands in mid-program; one that does not come back loses its turn. */
  private mayRun(session: T5Session): boolean {
    if (!this.running || this.running.session === session) return true;
    this.running.waited += 1;
    if (this.running.waited <= PATIENCE) return false;
    this.running = undefined;
    return true;
  }

  private run(session: T5Session, name: ProgramName, budget?: bigint): Outcome {
    const program = this.programs[name];
    const from = this.running?.at ?? program.ops[0]!.from;
    const end = program.words.length;
    const registers = registersOf(session.cached, session.sourceIds.length, session.cross, session.self);
    const at = this.machine.run(this.pointers.get(program)!, from, end, registers, budget);
    this.running = at < end ? { session, program: name, at, waited: 0 } : undefined;
    return at < end ? 'paused' : 'done';
  }
}
