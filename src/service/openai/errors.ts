/** What OpenAI's clients are told where there is no answer: a status, and an error in the body. */
import type { GenerateError } from '../../interface/llm.did.ts';
import { wordsOf } from '../error-words.ts';

export class ApiError extends Error {
  /** @param code OpenAI's, by which clients tell errors apart */
  constructor(
    readonly status: number,
    message: string,
    readonly code: string | null = null,
    readonly param: string | null = null,
  ) {
    super(message);
  }
}

const typeOf = (status: number): string =>
  status === 429 || status === 402 ? 'insufficient_quota' : status >= 500 ? 'server_error' : 'invalid_request_error';

/** The body of an error, in JSON. */
export const errorBody = ({ status, message, code, param }: ApiError): string =>
  JSON.stringify({ error: { message, type: typeOf(status), param, code } });

const forms: Record<string, [status: number, code: string | null]> = {
  EmptyPrompt: [400, null],
  InvalidOptions: [400, null],
  PromptTooLong: [400, 'context_length_exceeded'],
  NotAllowed: [401, 'invalid_api_key'],
  PaymentRequired: [402, 'insufficient_quota'],
  LimitReached: [429, 'rate_limit_exceeded'],
  NoModel: [503, null],
  Unavailable: [503, null],
};

/** An error of the canister's as OpenAI has it. */
export function apiError(error: GenerateError): ApiError {
  const [status, code] = forms[Object.keys(error)[0]!] ?? [500, null];
  // callers know our option by another name, and nothing of the canister's methods
  const words = wordsOf(error)
    .replace(/^http_request_update: /, '')
    .replaceAll('"max_new_tokens"', '"max_tokens"');
  return new ApiError(status, words, code);
}
