/**
 * OpenAI's API as far as the canister has it: its paths, each with its method, and what a request may have. The build
 * makes answers of it that are known beforehand, the canister all others.
 */
export const API_METHODS: Record<string, 'GET' | 'POST'> = {
  '/v1/chat/completions': 'POST',
  '/v1/completions': 'POST',
  '/v1/models': 'GET',
};

/** What all of them begin with. */
export const API_ROOT = '/v1';

/**
 * The most bytes of a body: 8,192 characters of text as JSON writes them, and what stands around them.
 */
export const MAX_BODY_BYTES = 65_536;
/** Characters that a URL may have, as RFC 9110, section 4.1, asks of servers at least. */
export const MAX_URL_CHARACTERS = 8_000;

/** Values of its JSON, and lists and objects within one another. */
export const MAX_BODY_VALUES = 4_000;
export const MAX_BODY_DEPTH = 32;
