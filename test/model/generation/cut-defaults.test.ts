import { describe, expect, it } from 'vitest';
import { parseGenerationConfig } from '../../../src/model/checkpoint/generation-config.ts';
import { namingWhatIsCut } from '../../../src/model/generation/cut-defaults.ts';
import { generationOptions } from '../../../src/model/generation/options.ts';
import { notAppliedLine } from '../../../src/node/model/model-folder.ts';

const t5 = { vocabularySize: 100, eosTokenIds: [1], decoderStartTokenId: 0 };
const llama = { vocabularySize: 100, eosTokenIds: [1], contextLength: 1_000 };
const more = 'unless a call asks for more)';

describe('defaults of a file that are not what they say here', () => {
  it.each([
    ['a T5', t5, { max_length: 1_000 }, ['max_length 1000 (an answer has at most 512 tokens here)']],
    ['a T5', t5, { max_length: 514 }, ['max_length 514 (an answer has at most 512 tokens here)']],
    ['a T5', t5, { max_length: 513 }, []],
    ['a T5', t5, { max_new_tokens: 513 }, ['max_new_tokens 513 (an answer has at most 512 tokens here)']],
    ['a T5', t5, { max_new_tokens: 40, max_length: 1_000 }, []],
    [
      'a T5',
      t5,
      { max_new_tokens: 10, min_new_tokens: 20 },
      [`min_new_tokens 20 (an answer has at most 10 tokens ${more}`],
    ],
    ['a T5', t5, { min_length: 600 }, [`min_length 600 (an answer has at most 128 tokens ${more}`]],
    ['a T5', t5, { max_length: 10, min_length: 10 }, []],
    [
      'a decoder-only model',
      llama,
      { max_new_tokens: 1_000 },
      ['max_new_tokens 1000 (an answer has at most 999 tokens here)'],
    ],
    [
      'a decoder-only model',
      llama,
      { max_length: 20 },
      ['max_length 20 (it counts the prompt; max_new_tokens is what bounds an answer here)'],
    ],
    ['a decoder-only model', llama, { max_length: 20, max_new_tokens: 5 }, []],
    [
      'a decoder-only model',
      llama,
      { min_length: 5 },
      ['min_length 5 (it counts the prompt; min_new_tokens is what counts here)'],
    ],
    ['a decoder-only model', llama, { min_length: 0 }, []],
    [
      'a long context',
      { ...llama, contextLength: 131_072 },
      {},
      ['a context of 131072 tokens (prompt and answer have at most 32768 here)'],
    ],
  ])('%s: %j of %j', (_, model, json, named) => {
    const generation = namingWhatIsCut(parseGenerationConfig(json, 100), model);
    expect(generation.notApplied).toEqual(named);
  });

  it('are the lengths of an answer that differ from what the file says, and those alone', () => {
    for (const model of [t5, llama])
      for (let i = 0; i < 200; i++) {
        const length = 1 + i * 7;
        for (const json of [{ max_new_tokens: length }, { min_new_tokens: length }]) {
          const generation = namingWhatIsCut(parseGenerationConfig(json, 100), model);
          const { maxNewTokens, minNewTokens } = generationOptions({}, generation, model, () => 0n);
          const applied = 'max_new_tokens' in json ? maxNewTokens : minNewTokens;
          expect(generation.notApplied.length, JSON.stringify(json)).toBe(applied === length ? 0 : 1);
        }
      }
  });

  it('are said in a line, beside what is not built in', () => {
    const generation = namingWhatIsCut(parseGenerationConfig({ max_length: 600, min_p: 0.1 }, 100), t5);
    expect(notAppliedLine(generation, 'x')).toBe(
      "x: its files ask for min_p, max_length 600 (an answer has at most 512 tokens here) by default, which is not applied here; answers may differ from transformers'",
    );
  });
});
