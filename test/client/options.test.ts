import { describe, expect, it } from 'vitest';
import { toCandid } from '../../src/client/options.ts';

describe('options', () => {
  it('are `opt` in Candid: what is left out is []', () => {
    expect(toCandid('generate', {})[0]).toMatchObject({ max_new_tokens: [], tokens_per_call: [] });
    expect(toCandid('generate', { max_new_tokens: 5, tokens_per_call: 'auto' })[0]).toMatchObject({
      max_new_tokens: [5],
      tokens_per_call: [{ auto: null }],
    });
    expect(toCandid('generate', { tokens_per_call: 3 })[0].tokens_per_call).toEqual([{ fixed: 3 }]);
  });

  it('that the canister does not know are refused, not dropped', () => {
    expect(() => toCandid('stream', { max_tokens: 5 } as object)).toThrow(
      /^stream: expected options among .*max_new_tokens.*, got max_tokens$/,
    );
  });

  it('of another type are refused by name', () => {
    const given = { temperature: 'hot' as unknown as number };
    expect(() => toCandid('generate', given)).toThrow('generate: expected temperature to be opt float64, got hot');
    expect(() => toCandid('generate', { top_k: -1 })).toThrow('generate: expected top_k to be opt nat32, got -1');
    expect(() => toCandid('generate', { tokens_per_call: 1.5 })).toThrow(
      /^generate: expected tokens_per_call to be opt variant/,
    );
  });
});
