/** Some four characters of most texts are a token. */
const CHARACTERS_PER_TOKEN = 8;
const LEAST = 8_192;
/** Arguments have at most 100 kB of text (canister/candid). */
const MOST = 90_000;

/**
 * Longer prompts are refused unread, where a prompt may have so many tokens: reading one costs some thousand
 * instructions a character. The page counts up to this too.
 */
export const maxPromptCharacters = (tokens: number): number =>
  Math.min(Math.max(LEAST, CHARACTERS_PER_TOKEN * tokens), MOST);

/**
 * Thousands of steps along the tokenizer's tries, some 15 instructions each: none of T5's texts takes a tenth, but a
 * vocabulary may have pieces of thousands of bytes.
 */
export const TOKENIZER_STEPS = 40_000;
