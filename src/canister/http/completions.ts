/**
 * OpenAI's API: the body of a request becomes an answer as any other (generate.ts), which is replied in that API's form
 * (src/service/openai). Everything comes in one update, so the whole subnet agrees on the answer; a stream is one body
 * with all of its events.
 */
import { MAX_BODY_DEPTH, MAX_BODY_VALUES } from '../../interface/http-api.ts';
import type { HttpResponse } from '../../interface/llm.did.ts';
import { ApiError, apiError, errorBody } from '../../service/openai/errors.ts';
import { type Kind, readRequest } from '../../service/openai/request.ts';
import { completionBody, modelsBody } from '../../service/openai/response.ts';
import { utf8Of } from '../../text/utf8.ts';
import type { Blob } from '../candid/argument-reader.ts';
import { candidEncoder } from '../candid/candid-encoder.ts';
import { readConversation } from '../candid/chat-messages.ts';
import { answer, inForm, replyRefused } from '../methods/generate.ts';
import { typesOf } from '../methods/methods.ts';
import { activeModel, whyNoModel } from '../model/model.ts';
import { namesOf, notThisModel } from '../model/model-names.ts';
import { now } from '../runtime/time.ts';

const METHOD = 'http_request_update';
/** Gateways wait for four minutes or so. */
const PATIENCE_MS = 200_000;

const KINDS: Record<string, Kind> = {
  '/v1/chat/completions': 'chat.completions',
  '/v1/completions': 'completions',
};

export const encodeHttp = candidEncoder<HttpResponse>(typesOf(METHOD).result);

const httpReply = (status: number, text: string, contentType = 'application/json; charset=utf-8'): Uint8Array =>
  encodeHttp({
    status_code: status,
    headers: [
      ['Content-Type', contentType],
      ['Cache-Control', 'no-store'],
      ['X-Content-Type-Options', 'nosniff'],
      ['Access-Control-Allow-Origin', '*'],
    ],
    body: utf8Of(text),
    upgrade: [],
  });

const errorReply = (error: ApiError): Uint8Array => httpReply(error.status, errorBody(error));

/** The value of a body. @throws ApiError */
function jsonOf(body: Blob): unknown {
  const found = body.json();
  if (!found) throw new ApiError(400, 'expected a body of UTF-8, got other bytes');
  const { text, values, depth } = found;
  if (values > MAX_BODY_VALUES) throw new ApiError(400, `expected JSON of at most ${MAX_BODY_VALUES} values, got more`);
  if (depth > MAX_BODY_DEPTH)
    throw new ApiError(400, `expected lists and objects of at most ${MAX_BODY_DEPTH} levels, got ${depth}`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ApiError(400, `expected JSON, got something else: ${(error as Error).message}`);
  }
}

/**
 * Answers the request in hand at one of the API's paths.
 * @param account whose account the caller has, if not its own
 */
export async function complete(path: string, body: Blob, account: string | undefined): Promise<void> {
  const kind = KINDS[path];
  try {
    const model = activeModel();
    if (kind === undefined)
      return replyRefused(METHOD, account, httpReply(200, modelsBody(model ? namesOf(model) : [], seconds())));
    const asked = readRequest(kind, jsonOf(body));
    if (!model) throw new ApiError(503, whyNoModel());
    const other = notThisModel(kind, asked.model, model);
    if (other !== undefined) throw new ApiError(404, other, 'model_not_found', 'model');
    const reply = inForm((given) => {
      if ('Err' in given) return { bytes: errorReply(apiError(given.Err)) };
      const { session, text, finish_reason, prompt_tokens, output_tokens } = given.Ok;
      const done = {
        id: session,
        created: seconds(),
        model: model.head.name,
        sha256: model.stored.sha256,
        text,
        finishReason: 'stop' in finish_reason ? ('stop' as const) : ('length' as const),
        promptTokens: prompt_tokens,
        completionTokens: output_tokens,
      };
      const { contentType, text: shown } = completionBody(kind, asked, done);
      return { bytes: httpReply(200, shown, contentType) };
    });
    const { asking: said, request } = asked;
    const asking = typeof said === 'string' ? said : readConversation(said.messages, said.tools);
    await answer({ method: METHOD, asking, options: [], request, account }, reply, PATIENCE_MS);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    replyRefused(METHOD, account, errorReply(error));
  }
}

const seconds = (): number => Math.floor(now() / 1000);
