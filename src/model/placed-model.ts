/** Programs and weights of a model, or of a stage of one, in the arena. */
import type { Arena } from '../tensor/arena.ts';
import type { Machine, Program, Registers } from '../tensor/machine.ts';
import type { Rows } from '../tensor/recorder.ts';
import type { Value } from '../tensor/value.ts';
import type { Allocate } from './batch-programs.ts';
import type { WeightPlaces } from './weight-places.ts';

const isProgram = (value: unknown): value is Program => typeof value === 'object' && value !== null && 'words' in value;

/** A program in the arena: pointer, first word, end. */
export type PlacedProgram = readonly [number, number, number];

/** What a value of a program is for these registers. */
function resolve(value: Value, registers: Registers): number {
  if (typeof value === 'number') return value;
  let sum = value.constant;
  for (let i = 0; i < value.strides.length; i += 2) sum += registers[value.strides[i]!]! * value.strides[i + 1]!;
  return sum;
}

export class PlacedModel<P extends object> {
  readonly weights: WeightPlaces;
  readonly programs: P;
  readonly machine: Machine;
  readonly arena: Arena;
  private readonly pointers = new Map<Program, number>();
  /** Room taken for weights, programs and working rows. */
  private readonly room: number[] = [];

  /**
   * Takes room for everything but sequences. The weights are to be put in their places before the first sequence runs.
   * @param place takes room for weights
   */
  constructor(
    machine: Machine,
    arena: Arena,
    place: (allocate: Allocate) => WeightPlaces,
    record: (weights: WeightPlaces, allocate: Allocate) => P,
  ) {
    this.machine = machine;
    this.arena = arena;
    const allocate: Allocate = (bytes) => this.allocate(bytes);
    this.weights = place(allocate);
    this.programs = record(this.weights, allocate);
    for (const program of Object.values(this.programs).filter(isProgram)) {
      const pointer = this.allocate(program.words.byteLength);
      machine.write(pointer, new Uint8Array(program.words.buffer));
      this.pointers.set(program, pointer);
    }
  }

  private allocate(bytes: number): number {
    const at = this.arena.allocate(bytes);
    this.room.push(at);
    return at;
  }

  /** Gives all its room back but open sequences'. */
  dispose(): void {
    for (const at of this.room) this.arena.release(at);
    this.room.length = 0;
  }

  protected placed(program: Program, end = program.words.length): PlacedProgram {
    return [this.pointers.get(program)!, program.ops[0]?.from ?? end, end];
  }

  /** Working rows as they are: float32 [count, padded width]. */
  protected readRows({ at, cols }: Rows, registers: Registers, count: number): Uint8Array {
    return this.machine.read(resolve(at, registers), count * cols * 4);
  }

  protected writeRows({ at }: Rows, registers: Registers, bytes: Uint8Array): void {
    this.machine.write(resolve(at, registers), bytes);
  }
}
