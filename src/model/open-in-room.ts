/** How much of a model is resident: all, where the arena may grow so far, else as much as leaves room to sessions. */
import { Arena, NoRoom } from '../tensor/arena.ts';
import type { Machine } from '../tensor/machine.ts';
import type { StagePrograms } from './batch-programs.ts';
import { openModel, openStage, type PackShape } from './families/registry.ts';
import type { LanguageModel } from './language-model.ts';
import type { Stage } from './stages/stage.ts';
import type { Streaming } from './weight-places.ts';

/** What a model takes of the arena. */
export interface Opened {
  languageModel: LanguageModel;
  tokenizerAt: number;
}

type Open<T> = (machine: Machine, arena: Arena, streaming?: Streaming) => T;

export interface Room {
  machine: Machine;
  arena: Arena;
  /** What the arena may grow to, in bytes. */
  most: number;
  tokenizerBytes: number;
  /** Where the pack's weights stand in stable memory. */
  piecesOf: Streaming['piecesOf'];
  /** Of a first stage (families/registry.ts). */
  epoch?: number;
  /** Not so one that answered before an upgrade: where the arena may be less by now, it takes what it must. */
  isNew: boolean;
}

/** Of the arena, what weights and working rows leave to sessions where not all of a model fits. */
const SESSIONS_SHARE = 0.25;

/**
 * The model with all weights resident, where the arena may grow so far; else with as many as leave a quarter of it to
 * sessions, the others streamed.
 * @throws NoRoom where the arena has no room for that either
 */
export function openInRoom(shape: PackShape, room: Room): Opened {
  const { epoch, tokenizerBytes } = room;
  return placeInRoom(
    (machine, arena, streaming) => ({
      languageModel: openModel(machine, arena, shape, streaming, epoch),
      tokenizerAt: arena.allocate(tokenizerBytes),
    }),
    ({ languageModel }) => languageModel.weights.bytes,
    room,
  );
}

/** The same of a stage behind the first. */
export const openStageInRoom = (shape: PackShape, room: Room): Stage<StagePrograms> =>
  placeInRoom(
    (machine, arena, streaming) => openStage(machine, arena, shape, streaming),
    ({ weights }) => weights.bytes,
    room,
  );

function placeInRoom<T>(
  open: Open<T>,
  weightsBytes: (opened: T) => number,
  { machine, arena, most, piecesOf, isNew }: Room,
): T {
  try {
    return arena.within(most, () => open(machine, arena));
  } catch (error) {
    if (!(error instanceof NoRoom)) throw error;
  }
  // what a model takes beside weights, by a machine that has no memory
  const nowhere = new NoMachine();
  const beside = new Arena(nowhere);
  const least = open(nowhere, beside, { room: 0, piecesOf });
  const room = most * (1 - SESSIONS_SHARE) - (beside.used - weightsBytes(least));
  const streamed = (): T => open(machine, arena, { room, piecesOf });
  return isNew ? arena.within(most, streamed) : streamed();
}

/** Where a model lies is known without memory. */
export class NoMachine implements Machine {
  private grown = 0;

  grow(bytes: number): number {
    this.grown += bytes;
    return this.grown - bytes;
  }

  write(): void {}

  read(): Uint8Array {
    throw new Error('machine: expected memory to read, got none');
  }

  run(): number {
    throw new Error('machine: expected memory to work in, got none');
  }
}
