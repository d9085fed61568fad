/** How long prompts and answers may be, whatever the model. T5 has no limit of its own; its training had 512. */

/** Longest prompt in tokens, `</s>` included. */
export const MAX_SOURCE_LENGTH = 512;
/** Most tokens a generation may have. */
export const MAX_TARGET_LENGTH = 512;
