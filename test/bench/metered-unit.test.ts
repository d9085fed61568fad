import { describe, expect, it } from 'vitest';
import { idsOf, loadT5, measureAnswer, measureLinear, measureOps, withoutPages } from '../../bench/measure-unit.ts';
import { MeteredUnit } from '../../bench/metered-unit.ts';
import { randomModel } from '../../src/node/model/random-model.ts';
import { macsOf, t5ShapeNamed } from '../../src/node/model/shapes.ts';
import { newUnit } from '../tensor/machines.ts';

const shape = t5ShapeNamed('little-flan');
const model = await randomModel(shape);

describe('the metered unit', () => {
  it('computes what the kernels without metering do, to the bit', async () => {
    const [metered, plain] = [await MeteredUnit.create(), newUnit()].map((machine) => {
      const t5 = loadT5(machine, model);
      const session = t5.open(idsOf(9, shape.config.vocabularySize), 4);
      t5.step([session]);
      return t5.logits();
    });
    expect(metered).toEqual(plain);
  });

  it('counts the same in every run, and op by op what a whole run is but for its beginning and end', async () => {
    const unit = await MeteredUnit.create();
    const t5 = loadT5(unit, model);
    const [a, b] = [measureAnswer(unit, t5, 33, 18), measureAnswer(unit, t5, 33, 18)];
    expect(a).toEqual(b);
    const ops = measureOps(unit, t5, 33, 17);
    const opByOp = ops.encode.reduce((sum, { cost }) => sum + cost.rest, 0);
    expect(opByOp).toBeGreaterThanOrEqual(a.encode.rest);
    expect(opByOp).toBeLessThan(a.encode.rest * 1.01);
    const macs = macsOf(shape);
    expect(ops.step.reduce((sum, op) => sum + op.macs, 0)).toBe(macs.step);
    expect([...ops.encode, ...ops.cross].reduce((sum, op) => sum + op.macs, 0)).toBe(33 * macs.promptToken);
  });

  it('counts a linear op by itself with what it quantises and scales', async () => {
    const cost = await measureLinear(512, 384);
    // 5 instructions for 8 products are the form's floor (docs/design.md)
    expect(withoutPages(cost) / (512 * 384)).toBeGreaterThan(0.5);
    expect(withoutPages(cost) / (512 * 384)).toBeLessThan(1.2);
    // 192 KiB of weights alone
    expect(cost.pagesTouched).toBeGreaterThan(3);
  });
});
