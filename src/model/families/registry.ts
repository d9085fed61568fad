/** The families of models. Packs, the canister and scripts know a family by this file alone. */
import type { Arena } from '../../tensor/arena.ts';
import type { Machine } from '../../tensor/machine.ts';
import type { LanguageModel } from '../language-model.ts';
import type { PackTensor } from '../tensor-table.ts';
import { T5 } from './t5/t5.ts';
import { type T5Shape, packTensors as t5PackTensors } from './t5/tensors.ts';

/** What of a model decides its tensors and programs. */
export type PackShape = T5Shape;

/** A pack's tensors, with their places. */
export const packTensors = (shape: PackShape): PackTensor[] => t5PackTensors(shape);

/**
 * Takes room for a model and records its programs. The weights are to be written to `weightsAt` before the first sequence runs.
 * @throws RangeError where memory is exhausted
 */
export const openModel = (machine: Machine, arena: Arena, shape: PackShape): LanguageModel =>
  new T5(machine, arena, shape);
