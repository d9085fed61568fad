/** A pack in stable memory, and how its weights come from there to where they belong. */
import { inPieces, type Resident, type WeightPlaces } from '../../model/weight-places.ts';
import { BLOCK_BYTES } from '../../native/blocks-protocol.ts';
import { instructionsNow } from '../runtime/unit.ts';
import { type Blocks, readToArena } from '../storage/blocks.ts';

/** A pack in stable memory. */
export interface StoredPack {
  blocks: Blocks;
  bytes: number;
  /** Lowercase hex, of the whole file. */
  sha256: string;
  /** What its head calls it; unknown until it is whole. */
  name: string;
  /**
   * Parts of it that were found right (check-pack.ts); 'all' where it may become the model. Packs of earlier versions
   * are yet to be checked.
   */
  checked?: number | 'all';
}

/** Weights on their way. */
export class Loading {
  /** Resident weights that are yet to be brought. */
  private readonly toLoad: Resident[];

  constructor(
    private readonly blocks: Blocks,
    private readonly weightsOffset: number,
    weights: WeightPlaces,
  ) {
    this.toLoad = weights.resident.flatMap((range) => inPieces(range, BLOCK_BYTES));
  }

  /**
   * Loads a block at a time and at least one, until all are there or the message's counter passes `budget`.
   * @returns whether all are there
   */
  goOn(budget: number): boolean {
    for (let next = this.toLoad.shift(); next; next = this.toLoad.shift()) {
      const { offset, bytes, at } = next;
      readToArena(this.blocks, this.weightsOffset + offset, bytes, at);
      if (instructionsNow() > budget) return false;
    }
    return true;
  }
}
