/** A stage behind the first: layers of a model, in this canister, and who else has a part of it. */
import { Principal } from 'azle';
import type { StagePrograms } from '../../model/batch-programs.ts';
import { openStageInRoom } from '../../model/open-in-room.ts';
import { type OpenedHead, packShape } from '../../model/pack/pack.ts';
import type { Stage } from '../../model/stages/stage.ts';
import { arena, unit } from '../runtime/unit.ts';
import { stablePieces } from '../storage/blocks.ts';
import { readRecord, writeRecord } from '../storage/stable.ts';
import { arenaBytes } from './arena-bytes.ts';
import { Loading, type StoredPack } from './loading.ts';

export class StageHere {
  private readonly stage: Stage<StagePrograms>;
  private readonly loading: Loading;

  /** @throws NoRoom where the arena has no room */
  constructor(
    readonly stored: StoredPack,
    readonly head: OpenedHead,
    isNew: boolean,
  ) {
    this.stage = openStageInRoom(packShape(head), {
      machine: unit,
      arena,
      most: arenaBytes(),
      tokenizerBytes: 0,
      piecesOf: (offset, bytes) => stablePieces(stored.blocks, head.weightsOffset + offset, bytes),
      isNew,
    });
    this.loading = new Loading(stored.blocks, head.weightsOffset, this.stage.weights);
  }

  dispose(): void {
    this.stage.dispose();
  }

  /** Loads weights as far as the budget goes. @returns whether all are there */
  load(budget: number): boolean {
    return this.loading.goOn(budget);
  }

  /**
   * Does what the first canister asks.
   * @throws Error for what it cannot be asked, NoRoom: the message has to trap then, so that all is as before
   */
  answer(request: Uint8Array, budget: bigint): Uint8Array {
    return arena.within(arenaBytes(), () => this.stage.answer(request, budget));
  }

  /** For who asks here. */
  whoAnswers(): string {
    const { index, parts } = this.head.stage!;
    const [first] = stageCanisters();
    const who = first ? `ask its first canister, ${first.toText()}` : 'ask its first canister';
    return `this canister is stage ${index + 1} of ${parts.length} of a model; ${who}`;
  }
}

/** The canisters of a model's stages, the first one first; none where nobody has said which they are. */
export const stageCanisters = (): Principal[] =>
  (readRecord<string[]>('stages') ?? []).map((text) => Principal.fromText(text));

export const setStageCanisters = (canisters: readonly Principal[]): void =>
  writeRecord('stages', canisters.length > 0 ? canisters.map((canister) => canister.toText()) : undefined);

/** What two canisters have to agree on to work on the same model: that, and how it is cut. */
export const cutOf = ({ stage }: OpenedHead): string => JSON.stringify({ model: stage!.model, parts: stage!.parts });
