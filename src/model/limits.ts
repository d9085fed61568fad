/**
 * How long prompts and answers may be. T5 has no limit of its own; its training had 512. A decoder-only model has one
 * for prompt and answer together.
 */

/** Longest prompt in tokens, `</s>` included. */
export const MAX_SOURCE_LENGTH = 512;
/** Most tokens a generation may have. */
export const MAX_TARGET_LENGTH = 512;
/**
 * Most tokens of a decoder-only model's prompt and answer, whatever its files allow: scratch for so many keys is taken
 * when it is opened.
 */
export const MAX_CONTEXT = 32_768;
/** The setting `arena_bytes` where nobody has set it. */
export const ARENA_BYTES = 2_560 * 2 ** 20;
