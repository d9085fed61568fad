/**
 * The canister's tensor unit: the kernels are linked in where Azle imports `certified_data_set`, so that function is
 * the way to them. Nothing here runs at module level: Azle runs modules once in Node, where there are no kernels.
 */
import { certifiedDataSet, performanceCounter } from 'azle';
import { Arena } from '../../tensor/arena.ts';
import { Sha256 } from '../../tensor/sha256.ts';
import { Unit } from '../../tensor/unit.ts';

export const unit = new Unit(certifiedDataSet);
export const arena = new Arena(unit);

let hasher: Sha256 | undefined;
export function sha256(): Sha256 {
  hasher ??= new Sha256(unit, (bytes) => arena.allocate(bytes));
  return hasher;
}

/** A message shall fit a slice of 2 B instructions: no op begins after this many. */
export const MESSAGE_BUDGET = 1_500_000_000n;
/** What a slice holds. */
export const SLICE = 2_000_000_000;

/** Instructions of this message so far. */
export const instructionsNow = (): number => Number(performanceCounter(0));
