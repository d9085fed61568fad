/** How far the arena may grow: as the settings say, and no further than the heap's bound allows. */

import { arena, unit } from '../runtime/unit.ts';
import { HEAP_BYTES, settings } from '../storage/settings.ts';

/** Below the heap's bound, what the arena leaves to everything else. */
const HEAP_REST = 64 * 2 ** 20;

/** What the arena may grow to. */
export const arenaBytes = (): number =>
  Math.min(settings().arena_bytes, arena.grown + HEAP_BYTES - HEAP_REST - unit.grow(0));
