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
});
