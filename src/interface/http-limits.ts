/**
 * What a request's body may have, in bytes: 8,192 characters of text as JSON writes them, and what stands around them.
 */
export const MAX_BODY_BYTES = 65_536;

/** Values of its JSON, and lists and objects within one another. */
export const MAX_BODY_VALUES = 4_000;
export const MAX_BODY_DEPTH = 32;
