/** Longer prompts are refused unread: reading one costs some thousand instructions a character. The page counts up to this too. */
export const MAX_PROMPT_CHARACTERS = 8_192;

/** Thousands of steps along the tokenizer's tries, some 15 instructions each: none of T5's texts takes a tenth, but a vocabulary may have pieces of thousands of bytes. */
export const TOKENIZER_STEPS = 40_000;
