/** Random T5s against what Hugging Face transformers computes on them (test/fixtures/t5, made by make_t5_fixtures.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { T5 } from '../../../../src/model/families/t5/t5.ts';
import { openLocalT5 } from '../../../../src/node/model/local-model.ts';

interface Case {
  input_ids: number[];
  encoder_first: number[];
  encoder_last: number[];
  decoder_input_ids: number[];
  logits: number[][];
  logits_positions: number[];
  argmax: number[];
  greedy_ids: number[];
}

const folder = (name: string) => `test/fixtures/t5/${name}`;
const cases = (name: string): Case[] => JSON.parse(readFileSync(`${folder(name)}/expected.json`, 'utf8')).cases;

function greedy({ t5 }: { t5: T5 }, sourceIds: number[], most: number): number[] {
  const session = t5.open(sourceIds, most);
  for (let i = 0; i < most && !t5.shape.config.eosTokenIds.includes(session.targetIds.at(-1)!); i++) {
    t5.step([session]);
    session.targetIds.push(t5.greedy(0));
  }
  t5.close(session);
  return session.targetIds;
}

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);

describe.each(['flan-a', 'flan-b', 't5-v1.0', 'odd'])('%s', (name) => {
  it('float32: greedy ids equal, encoder rows and logits within 2e-4', async () => {
    const model = await openLocalT5(folder(name), 'float32');
    const { t5 } = model;
    for (const c of cases(name)) {
      expect(greedy(model, c.input_ids, 24)).toEqual(c.greedy_ids);

      const session = t5.open(c.input_ids, 24, c.decoder_input_ids.slice(0, 1));
      t5.encode(session);
      const rows = new Float32Array(t5.encoding(session).buffer);
      const D = t5.shape.config.dModel;
      const padded = rows.length / c.input_ids.length;
      expect(largestDifference(c.encoder_first, rows.subarray(0, D))).toBeLessThan(2e-4);
      expect(largestDifference(c.encoder_last, rows.subarray(rows.length - padded))).toBeLessThan(2e-4);

      for (const [position, best] of c.argmax.entries()) {
        t5.step([session]);
        expect(t5.greedy(0), `argmax at ${position}`).toBe(best);
        const recorded = c.logits[c.logits_positions.indexOf(position)];
        if (recorded) expect(largestDifference(recorded, t5.logits())).toBeLessThan(2e-4);
        session.targetIds.push(c.decoder_input_ids[position + 1] ?? 0);
      }
      t5.close(session);
    }
  });

  it('int8: near, and the share of equal greedy tokens is said', async () => {
    const model = await openLocalT5(folder(name), 'int8');
    let [same, all] = [0, 0];
    for (const c of cases(name)) {
      const ids = greedy(model, c.input_ids, 24);
      // the start token is no choice
      all += c.greedy_ids.length - 1;
      same += c.greedy_ids.filter((id, i) => i > 0 && ids[i] === id).length;
    }
    console.log(`${name}, int8: ${same} of ${all} greedy tokens as in float32`);
    // random weights have no sure favourite: one token that falls otherwise changes all that follow
    expect(same / all).toBeGreaterThan(0.3);
  });
});

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>) => Array.from(x).reduce((sum, v, i) => sum + v * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

describe.each(['flan-a', 't5-v1.0', 'odd'])('%s, int4', (name) => {
  it('logits near, by their cosine with the recorded ones', async () => {
    const { t5 } = await openLocalT5(folder(name), 'int4');
    const cosines: number[] = [];
    for (const c of cases(name)) {
      const session = t5.open(c.input_ids, 24, c.decoder_input_ids.slice(0, 1));
      t5.step([session]);
      cosines.push(cosine(c.logits[c.logits_positions.indexOf(0)]!, t5.logits()));
      t5.close(session);
    }
    const mean = cosines.reduce((sum, x) => sum + x, 0) / cosines.length;
    console.log(`${name}, int4: cosine ${mean.toFixed(4)}, at least ${Math.min(...cosines).toFixed(4)}`);
    expect(mean).toBeGreaterThan(0.97);
  });
});

describe('a session', () => {
  it('whose key/value caches were lost comes to the same tokens', async () => {
    const model = await openLocalT5(folder('flan-a'), 'float32');
    const [c] = cases('flan-a').slice(3);
    const { t5 } = model;
    const session = t5.open(c!.input_ids, 24, c!.greedy_ids.slice(0, 10));
    while (session.targetIds.length < c!.greedy_ids.length) {
      t5.step([session]);
      session.targetIds.push(t5.greedy(0));
    }
    expect(session.targetIds).toEqual(c!.greedy_ids);
  });

  it('refuses ids and lengths that cannot be', async () => {
    const { t5 } = await openLocalT5(folder('flan-a'), 'int8');
    expect(() => t5.open([], 5)).toThrow('open: expected 1 to 512 prompt tokens, got 0');
    expect(() => t5.open([384], 5)).toThrow('open: expected token ids from 0 to 383, got 384');
    expect(() => t5.open([1], 0)).toThrow('open: expected 1 to 512 new tokens, got 0');
    expect(() => t5.open([1], 2, [0, 5, 6])).toThrow('open: expected 1 to 2 target tokens, got 3');
  });
});
