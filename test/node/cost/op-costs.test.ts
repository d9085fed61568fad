/** That no op of any known model takes what a message has not left for it. */
import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES } from '../../../src/native/blocks-protocol.ts';
import { packShapeOf } from '../../../src/node/cost/large.ts';
import { largestOp } from '../../../src/node/cost/op-costs.ts';
import { PIECE_BYTES } from '../../../src/node/cost/places.ts';
import { shapeNamed, shapeNames } from '../../../src/node/model/shapes.ts';
import { linearInstructions, OP_INSTRUCTIONS } from '../../../src/tensor/op-costs.ts';

const MiB = 2 ** 20;

it('pieces of streamed weights are as large as blocks', () => {
  expect(PIECE_BYTES).toBe(BLOCK_BYTES);
});

describe('the largest op', () => {
  it.each(shapeNames)('%s: fits what is left of a slice when it begins', (name) => {
    for (const weights of ['int4', 'int8'] as const) {
      const { instructions, label } = largestOp(packShapeOf(shapeNamed(name), weights), 2_560 * MiB);
      expect(instructions, `${weights} ${label}`).toBeLessThanOrEqual(OP_INSTRUCTIONS);
      expect(instructions, `${weights} ${label}`).toBeGreaterThan(OP_INSTRUCTIONS / 10);
    }
  });

  it('is one of a part: 64 rows of the gate of Llama-7B, or 512 of flan-t5-xl, in one op would pass a slice', () => {
    expect(11_008 * linearInstructions('int4', 64, 4096)).toBeGreaterThan(2e9);
    expect(5_120 * linearInstructions('int4', 512, 2048)).toBeGreaterThan(2e9);
  });

  it('of a stage behind the first is no larger', () => {
    const shape = packShapeOf(shapeNamed('llama-7b'), 'int4');
    const parts = [{ layers: { from: 0, to: 16 } }, { layers: { from: 16, to: 32 } }];
    const { instructions } = largestOp({ ...shape, stage: { index: 1, parts } } as typeof shape);
    expect(instructions).toBeLessThanOrEqual(OP_INSTRUCTIONS);
  });
});
