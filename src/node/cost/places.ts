/** Where a model's weights are while it works, known before anything is deployed: as the canister itself decides it. */
import { BatchedModel } from '../../model/batched-model.ts';
import { type PackShape, packTensors } from '../../model/families/registry.ts';
import { ARENA_BYTES } from '../../model/limits.ts';
import { NoMachine, openInRoom } from '../../model/open-in-room.ts';
import { packWeightsBytes } from '../../model/tensor-table.ts';
import { Arena, NoRoom } from '../../tensor/arena.ts';
import type { Program } from '../../tensor/machine.ts';
import { opEntry } from '../../tensor/ops.ts';
import type { StablePiece } from '../../tensor/recorder.ts';

export interface Places {
  /** The setting `arena_bytes`. */
  arenaBytes: number;
  /** What the model takes of the arena, its tokenizer and working rows included. */
  usedBytes: number;
  weightsBytes: number;
  /** Of these, what stays in stable memory. */
  streamedBytes: number;
  /** Bytes that are read from there for each batch of rows, and by an encoder. */
  readByBatch: number;
  readByEncoder: number;
}

/** Of stable memory that is ours (src/native/blocks-protocol.ts): a piece lies in one of these. */
export const PIECE_BYTES = 8 * 2 ** 20;

/** Pieces of a pack as blocks of stable memory have them; numbers of pages have no meaning here. */
export function piecesOf(offset: number, bytes: number): StablePiece[] {
  const pieces: StablePiece[] = [];
  for (let done = 0; done < bytes; done += pieces.at(-1)!.bytes) {
    const within = (offset + done) % PIECE_BYTES;
    pieces.push({ page: 0, offset: within, bytes: Math.min(PIECE_BYTES - within, bytes - done) });
  }
  return pieces;
}

/** @throws Error where the arena has no room for the model, streamed or not */
export function placesOf(shape: PackShape, tokenizerBytes: number, arenaBytes = ARENA_BYTES): Places {
  const machine = new NoMachine();
  const arena = new Arena(machine);
  const room = { machine, arena, most: arenaBytes, tokenizerBytes, piecesOf, isNew: true };
  try {
    const { languageModel } = openInRoom(shape, room);
    const programs = languageModel instanceof BatchedModel ? Object.entries<unknown>(languageModel.programs) : [];
    const read = (ofBatches: boolean): number =>
      programs.reduce((sum, [name, of]) => sum + ((name === 'forward') === ofBatches ? readBy(of) : 0), 0);
    return {
      arenaBytes,
      usedBytes: arena.used,
      weightsBytes: packWeightsBytes(packTensors(shape)),
      streamedBytes: languageModel.weights.streamedBytes,
      readByBatch: read(true),
      readByEncoder: read(false),
    };
  } catch (error) {
    if (!(error instanceof NoRoom)) throw error;
    throw new Error(
      `arena_bytes: expected room for what the model needs at least, got ${arenaBytes}: ${error.message}`,
    );
  }
}

/** Bytes of stable memory that a program reads. */
function readBy(program: unknown): number {
  if (typeof program !== 'object' || program === null || !('ops' in program)) return 0;
  const { ops, words } = program as Program;
  const at = 1 + opEntry('loadStable').names.indexOf('bytes');
  return ops.reduce((sum, { name, from }) => sum + (name === 'loadStable' ? words[from + at]! : 0), 0);
}

/** An `arena_bytes` with which all layers of a shape are streamed. */
export function arenaToStreamAll(shape: PackShape, tokenizerBytes: number): number {
  const { usedBytes } = placesOf(shape, tokenizerBytes, Number.MAX_SAFE_INTEGER);
  let found: Places | undefined;
  // from room for everything down to where nothing fits any more
  for (let most = usedBytes; most > 0; most -= Math.ceil(usedBytes / 64)) {
    try {
      const places = placesOf(shape, tokenizerBytes, most);
      if (!found || places.streamedBytes > found.streamedBytes) found = places;
    } catch {
      break;
    }
  }
  if (!found?.streamedBytes) throw new Error('places: expected layers that can be streamed, got none');
  return found.arenaBytes;
}
