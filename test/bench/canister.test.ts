import { describe, expect, it } from 'vitest';
import { type Figures, targets } from '../../bench/figures.ts';
import { measureCanister } from '../../bench/measure-canister.ts';
import { randomModel } from '../../src/node/model/random-model.ts';
import { t5ShapeNamed } from '../../src/node/model/shapes.ts';

describe('what an answer costs in the canister', () => {
  it('is kernels, pages, system calls and TypeScript, in each kind of message', async () => {
    const figures = await measureCanister(await randomModel(t5ShapeNamed('little-flan')));
    const { first, firstCached, further, furtherAuto, answer } = figures;
    for (const share of [first, firstCached, further, furtherAuto, answer]) {
      const { total, kernels, pages, systemCalls, typescript } = share;
      expect(kernels + pages + systemCalls + typescript).toBeCloseTo(total, 0);
      expect(typescript).toBeGreaterThan(0);
    }
    // a self-call and its callback for every token but the first
    expect(further.messages).toBe(2);
    // its pages and the dispatch of its messages are what a token one a call costs more
    expect(furtherAuto.kernels).toBe(further.kernels);
    expect(furtherAuto.total).toBeLessThan(further.total);
    // the unit's own counter has the kernels and the pages that they touch
    expect(figures.furtherInUnit).toBeGreaterThanOrEqual(further.kernels);
    expect(figures.furtherInUnit).toBeLessThan(further.kernels + further.pages + further.systemCalls);
    // the embedding cache answered
    expect(firstCached.total).toBeLessThan(first.total - (first.kernels - firstCached.kernels) / 2);
    expect(figures.arenaBytes).toBeLessThan(figures.heapBytes);
    // what comes back after an upgrade comes back many rows at once, and without a head
    expect(figures.replayed).toBeGreaterThan(0);
    expect(figures.replayed).toBeLessThan(furtherAuto.kernels);
  });
});

describe('the figures', () => {
  it('are those that are asked for', () => {
    const names: (keyof Figures)[] = [
      'decodeLinearPerMac',
      'rowAmong8PerMac',
      'int4RowAmong4PerMac',
      'decodeTokenPerMac',
      'unitBatch1',
      'unitBatch2',
      'unitBatch4',
      'unitBatch8',
      'unitBatch16',
      'unitBatch32',
      'unitReplayPerToken',
      'replayPerToken',
      'encodePerMac',
      'outsideUnitPerToken',
      'outsideUnitPerTokenPagesApart',
      'pagesPerToken',
      'instructionsPerTokenOneByOne',
      'instructionsPerTokenAuto',
      'batch8OneByOne',
      'batch16OneByOne',
      'batch8Auto',
      'beams4OneByOne',
      'tokensPerUpdate',
      'loadPerByte',
      'answerInstructions',
    ];
    expect(Object.keys(targets)).toEqual(names);
  });
});
