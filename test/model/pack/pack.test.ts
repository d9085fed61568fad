/** Heads of packs: what each kind of weights makes of the table, and heads that say something else. */
import { describe, expect, it } from 'vitest';
import { parseT5Config } from '../../../src/model/checkpoint/config.ts';
import { packTensors } from '../../../src/model/families/registry.ts';
import { decodePackHead, encodePackHead, type PackHead, packBytes, planPack } from '../../../src/model/pack/pack.ts';
import { WEIGHTS_KINDS } from '../../../src/model/tensor-table.ts';
import { fixture } from '../checkpoint/memory.ts';

const json = { config: JSON.parse(Buffer.from(fixture('t5/odd/config.json')).toString()), generation: {} };
const config = parseT5Config(json.config, 'config');
const headOf = (weights: PackHead['weights']): PackHead =>
  planPack({ name: 'odd', json, weights, tiedHead: false }, config, 4096);
const read = (head: PackHead) => decodePackHead(encodePackHead(head), packBytes(head));

describe('a head', () => {
  it.each(WEIGHTS_KINDS)('of %s is read as it was written', (weights) => {
    const head = headOf(weights);
    expect(read(head)).toMatchObject(head);
  });

  it('of int4 has an embedding of int8, and all other matrices of int4, at half the size and a little', () => {
    const [int4, int8] = (['int4', 'int8'] as const).map((weights) =>
      packTensors({ config, weights, tiedHead: false }),
    );
    for (const [i, tensor] of int4!.entries()) {
      if (tensor.layout.kind !== 'matrix') continue;
      const embedding = tensor.name === 'shared.weight';
      expect(tensor.weights).toBe(embedding ? 'int8' : 'int4');
      const share = tensor.bytes / int8![i]!.bytes;
      expect(share).toBeGreaterThan(embedding ? 0.99 : 0.5);
      expect(share).toBeLessThan(embedding ? 1.01 : 0.6);
    }
  });

  it('that names other weights than its table has, or none that exist, is refused', () => {
    expect(() => read({ ...headOf('int8'), weights: 'int4' })).toThrow(
      /^pack: expected encoder\.block\.0\.layer\.0\.SelfAttention\.q\.weight of \d+ bytes at \d+, got /,
    );
    expect(() => read({ ...headOf('int8'), weights: 'int5' as 'int8' })).toThrow(
      'pack: expected weights int4, int8 or float32, got "int5"',
    );
  });
});
