/**
 * Answers in the form of OpenAI's API: one object, or the same as a stream of events, which has everything in it at
 * once, as a canister replies once. Source: OpenAI API reference, "The chat completion object", "The completion object"
 * and their chunks.
 */
import { callId, readToolCalls } from '../../text/tool-calls.ts';
import type { CompletionRequest, Kind } from './request.ts';

/** An answer that is over. */
export interface Completed {
  /** Of the session. */
  id: string;
  /** Seconds since 1970. */
  created: number;
  /** The model's own name. */
  model: string;
  /** SHA-256 of its pack. */
  sha256: string;
  text: string;
  finishReason: 'stop' | 'length';
  promptTokens: number;
  completionTokens: number;
}

interface Body {
  contentType: string;
  text: string;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** The body of an answer. */
export function completionBody(
  kind: Kind,
  asked: Pick<CompletionRequest, 'asking' | 'stream' | 'includeUsage'>,
  done: Completed,
): Body {
  const { id, created, model, sha256, promptTokens, completionTokens } = done;
  const isChat = kind === 'chat.completions';
  const usage = {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
  const head = (object: string) => ({
    id: `${isChat ? 'chatcmpl' : 'cmpl'}-${id}`,
    object,
    created,
    model,
    system_fingerprint: `fp_${sha256.slice(0, 16)}`,
  });
  const mayCall = typeof asked.asking !== 'string' && asked.asking.tools.length > 0;
  if (!isChat)
    return isStream(asked)
      ? stream(textChunks(done, head('text_completion'), asked, usage))
      : whole({
          ...head('text_completion'),
          choices: [{ index: 0, text: done.text, logprobs: null, finish_reason: done.finishReason }],
          usage,
        });
  const { message, reason } = messageOf(done, mayCall);
  if (isStream(asked)) return stream(messageChunks(message, reason, head('chat.completion.chunk'), asked, usage));
  return whole({
    ...head('chat.completion'),
    choices: [{ index: 0, message: { ...message, refusal: null }, logprobs: null, finish_reason: reason }],
    usage,
  });
}

const isStream = ({ stream: asked }: Pick<CompletionRequest, 'stream'>): boolean => asked;
const whole = (value: unknown): Body => ({ contentType: JSON_TYPE, text: JSON.stringify(value) });
const stream = (chunks: readonly unknown[]): Body => ({
  contentType: 'text/event-stream; charset=utf-8',
  text: `${chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')}data: [DONE]\n\n`,
});

interface Message {
  role: 'assistant';
  content: string | null;
  tool_calls?: { id: string; type: 'function'; function: { name: string; arguments: string } }[];
}

function messageOf({ text, id, finishReason }: Completed, mayCall: boolean): { message: Message; reason: string } {
  const { content, calls } = mayCall ? readToolCalls(text) : { content: text, calls: [] };
  if (calls.length === 0) return { message: { role: 'assistant', content: content ?? '' }, reason: finishReason };
  const tool_calls = calls.map(({ name, arguments: given }, i) => ({
    id: callId(id, i),
    type: 'function' as const,
    function: { name, arguments: JSON.stringify(given) },
  }));
  return { message: { role: 'assistant', content: content ?? null, tool_calls }, reason: 'tool_calls' };
}

type Streamed = Pick<CompletionRequest, 'includeUsage'>;

/** With the counts asked for, every chunk has the field and the last one the counts. */
const withUsage = (chunks: object[], head: object, { includeUsage }: Streamed, usage: object): object[] =>
  includeUsage ? [...chunks.map((chunk) => ({ ...chunk, usage: null })), { ...head, choices: [], usage }] : chunks;

function messageChunks(
  { tool_calls, ...message }: Message,
  reason: string,
  head: object,
  asked: Streamed,
  usage: object,
) {
  const calls = tool_calls?.map((call, index) => ({ index, ...call }));
  const choice = (delta: object, finish_reason: string | null) => ({
    ...head,
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
  });
  const chunks = [choice({ ...message, ...(calls && { tool_calls: calls }) }, null), choice({}, reason)];
  return withUsage(chunks, head, asked, usage);
}

function textChunks({ text, finishReason }: Completed, head: object, asked: Streamed, usage: object) {
  const choice = (part: string, finish_reason: string | null) => ({
    ...head,
    choices: [{ index: 0, text: part, logprobs: null, finish_reason }],
  });
  return withUsage([choice(text, null), choice('', finishReason)], head, asked, usage);
}

/** The body of a list of models. @param created seconds since 1970, of the list */
export const modelsBody = (names: readonly string[], created: number): string =>
  JSON.stringify({
    object: 'list',
    data: names.map((id) => ({ id, object: 'model', created, owned_by: 'stepwise' })),
  });
