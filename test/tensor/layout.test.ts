/** Where weights lie: every one in a place of its own, and spans one after another. */
import { describe, expect, it } from 'vitest';
import { inOrder, matrixParts, placeInt8, spanRow, spans } from '../../src/tensor/layout.ts';

describe('spans', () => {
  it('are the largest that fit, in order', () => {
    expect(spans(1024).map(({ from, columns }) => [from, columns])).toEqual([
      [0, 512],
      [512, 512],
    ]);
    expect(spans(976).map(({ columns }) => columns)).toEqual([512, 384, 64, 16]);
    expect(spans(16)).toEqual([{ from: 0, columns: 16 }]);
  });

  it.each(['int8', 'int4'] as const)('give every weight of an %s matrix a place, and fill it', (kind) => {
    const [outputs, inputs] = [16, 976];
    const bytes = matrixParts(kind, outputs, inputs).multipliers;
    const uses = new Uint8Array(bytes);
    for (let row = 0; row < outputs; row++) {
      for (const span of spans(inputs)) {
        const at = spanRow(kind, outputs, span, row);
        for (let c = 0; c < span.columns; c++) uses[at + (c >> 1) * 8 + (c & 1)]! += 1;
      }
    }
    expect(uses.every((count) => count === (kind === 'int8' ? 1 : 2))).toBe(true);
  });

  it('by hand: the second span of row 5 stands behind all of the first', () => {
    const [outputs, inputs] = [16, 1024];
    const weights = new Float32Array(outputs * inputs);
    weights[5 * inputs + 512 + 3] = 2;
    const bytes = placeInt8(weights, inputs, inOrder(outputs), inOrder(inputs));
    // span 1, group 1, pair 1, row 1 of the group, the pair's second
    expect(bytes.findIndex((byte) => byte !== 0)).toBe(outputs * 512 + 1 * 512 * 4 + 8 + 2 + 1);
  });
});
