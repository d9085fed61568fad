/** Models whose ops are recorded in many parts, since a message has room for little, give the same to the bit. */
import { describe, expect, it, vi } from 'vitest';
import { FIXTURES, LLAMA_FIXTURES } from './generation/models.ts';

const PROMPT = [7, 19, 4, 33, 12, 5, 9];
/** Few enough that of small fixtures, too, matrices and attention take several ops. */
const LITTLE = 20_000;

/** The modules of models and of the recorder, where an op may take so many instructions. */
async function modelsWith(opInstructions?: number) {
  vi.resetModules();
  if (opInstructions !== undefined)
    vi.doMock('../../src/tensor/op-costs.ts', async (original) => ({
      ...(await original<object>()),
      OP_INSTRUCTIONS: opInstructions,
    }));
  const { FixtureModel } = await import('./generation/models.ts');
  const { newUnit } = await import('../tensor/machines.ts');
  vi.doUnmock('../../src/tensor/op-costs.ts');
  return async (name: string, weights: 'int4' | 'int8' | 'float32') => {
    const { lm } = await FixtureModel.open(name, weights, newUnit());
    const { forward } = (lm as unknown as { programs: { forward: { ops: unknown[] } } }).programs;
    const sequences = [PROMPT, PROMPT.slice(2), [...PROMPT, ...PROMPT]].map((ids) => lm.open(ids, 6));
    const steps: number[][] = [];
    for (let token = 0; token < 3; token++) {
      while (lm.step(sequences) !== 'done');
      sequences.forEach((sequence, row) => {
        steps.push([...lm.logits(row)]);
        sequence.targetIds.push(lm.greedy(row));
      });
    }
    return { ops: forward.ops.length, steps };
  };
}

const inWhole = await modelsWith();
const inParts = await modelsWith(LITTLE);

describe.each([...FIXTURES, ...LLAMA_FIXTURES])('%s', (name) => {
  it.each(['int8', 'int4', 'float32'] as const)('%s: the same bits', async (weights) => {
    const [whole, parts] = [await inWhole(name, weights), await inParts(name, weights)];
    expect(parts.ops).toBeGreaterThan(whole.ops);
    expect(parts.steps).toEqual(whole.steps);
  });
});
