/**
 * Requests of OpenAI's API, read into what the canister has: a conversation or a prompt, and options of a generation.
 * What there is no such thing for is refused by name, unless it changes nothing. Source: OpenAI API reference, "Create
 * chat completion" and "Create completion".
 */
import type { GenerationRequest } from '../../model/generation/options.ts';
import { Fields } from '../../model/json/json.ts';
import type { ChatMessage, Tool, ToolCall } from '../../text/chat-template.ts';
import { isRecord, parseShallow } from '../../text/nested-json.ts';
import { ApiError } from './errors.ts';

export interface CompletionRequest {
  /** As the caller names it. */
  model: string;
  asking: string | { messages: ChatMessage[]; tools: Tool[] };
  request: GenerationRequest;
  stream: boolean;
  /** Whether a stream has the counts of tokens. */
  includeUsage: boolean;
}

/** Kinds of request, by their path. */
export type Kind = 'chat.completions' | 'completions';

/** Fields that say nothing about the answer: anything may stand there. */
const HARMLESS: ReadonlySet<string> = new Set(
  'metadata parallel_tool_calls prompt_cache_key prompt_cache_retention safety_identifier service_tier store user'.split(
    ' ',
  ),
);

/** Fields that may only say what is done here anyhow: how that is called, and whether a value says it. */
const ONLY: Record<string, [expected: string, isIt: (value: unknown) => boolean]> = {
  best_of: ['1', (value) => value === 1],
  echo: ['false', (value) => value === false],
  frequency_penalty: ['0', (value) => value === 0],
  logit_bias: ['empty', (value) => isRecord(value) && Object.keys(value).length === 0],
  logprobs: ['false', (value) => value === false || value === 0],
  modalities: ['["text"]', (value) => Array.isArray(value) && value.length === 1 && value[0] === 'text'],
  n: ['1', (value) => value === 1],
  presence_penalty: ['0', (value) => value === 0],
  response_format: ['{"type": "text"}', (value) => isRecord(value) && value['type'] === 'text'],
  suffix: ['left out', (value) => value === ''],
  top_logprobs: ['left out', (value) => value === 0],
};

/** Fields that are read. */
const OWN: ReadonlySet<string> = new Set(
  'model max_tokens seed stop stream stream_options temperature top_p'.split(' '),
);
const OWN_OF: Record<Kind, ReadonlySet<string>> = {
  'chat.completions': new Set('max_completion_tokens messages tool_choice tools'.split(' ')),
  completions: new Set(['prompt']),
};

const MOST_STOPS = 4;
/** Each is read field by field, for some 60,000 instructions. */
const MOST_TOOLS = 64;
const MOST_CALLS = 64;
/** As many as a conversation may have (opening.ts). */
const MOST_MESSAGES = 200;

/** Fields whose errors are OpenAI's. */
class Asked extends Fields {
  override wrong(_: new (message: string) => Error, name: string, expected: string, got: unknown): never {
    try {
      return super.wrong(RangeError, name, expected, got);
    } catch (error) {
      throw new ApiError(400, (error as Error).message, null, name);
    }
  }

  refuse(name: string, expected: string): never {
    return this.wrong(RangeError, name, expected, this.get(name));
  }
}

/** A request's body. @throws ApiError */
export function readRequest(kind: Kind, body: unknown): CompletionRequest {
  if (!isRecord(body))
    throw new ApiError(400, `${kind}: expected a JSON object, got ${JSON.stringify(body)?.slice(0, 40)}`);
  const asked = new Asked(kind, body);
  for (const name of asked.names()) {
    if (OWN.has(name) || OWN_OF[kind].has(name) || HARMLESS.has(name)) continue;
    if (!Object.hasOwn(ONLY, name)) asked.refuse(name, 'left out (it is not built in)');
    const [expected, isIt] = ONLY[name]!;
    if (!isIt(asked.get(name))) asked.refuse(name, expected);
  }
  const stream = asked.boolean('stream', false);
  const more = asked.get('stream_options');
  if (more !== undefined && !isRecord(more)) asked.refuse('stream_options', 'an object');
  return {
    model: asked.string('model'),
    asking: kind === 'completions' ? promptOf(asked) : conversationOf(asked),
    request: generationOf(asked, kind),
    stream,
    includeUsage: isRecord(more) && new Asked(`${kind}: stream_options`, more).boolean('include_usage', false),
  };
}

function promptOf(asked: Asked): string {
  const prompt = asked.get('prompt');
  const [first, ...more] = Array.isArray(prompt) ? (prompt as unknown[]) : [prompt];
  if (typeof first !== 'string' || more.length > 0) asked.refuse('prompt', 'a text, or a list of one');
  return first as string;
}

/** The likeliest token unless a temperature or a share of the probability is asked for. */
function generationOf(asked: Asked, kind: Kind): GenerationRequest {
  const request: GenerationRequest = {};
  for (const name of kind === 'completions' ? ['max_tokens'] : ['max_completion_tokens', 'max_tokens']) {
    if (asked.get(name) !== undefined) request.max_new_tokens ??= asked.integer(name, 1, 2 ** 31 - 1);
  }
  const has = (name: string): boolean => asked.get(name) !== undefined;
  const temperature = has('temperature') ? asked.number('temperature', 0, 2) : undefined;
  const topP = has('top_p') ? asked.number('top_p', 0, 1) : undefined;
  if (temperature === 0) request.do_sample = false;
  else if (temperature !== undefined || (topP !== undefined && topP < 1)) {
    request.do_sample = true;
    request.temperature = temperature ?? 1;
    if (topP !== undefined) request.top_p = topP;
  }
  if (has('seed')) {
    const seed = asked.integer('seed', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    request.seed = BigInt.asUintN(64, BigInt(seed));
  }
  const stop = asked.get('stop');
  if (stop !== undefined) {
    const stops = Array.isArray(stop) ? (stop as unknown[]) : [stop];
    if (stops.length > MOST_STOPS || !stops.every((text) => typeof text === 'string' && text !== ''))
      asked.refuse('stop', `a text, or a list of at most ${MOST_STOPS}, none of them empty`);
    if (stops.length > 0) request.stop_strings = stops as string[];
  }
  return request;
}

const ROLES: Record<string, string> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'tool',
};

function conversationOf(asked: Asked): { messages: ChatMessage[]; tools: Tool[] } {
  const messages = asked.get('messages');
  if (!Array.isArray(messages) || messages.length > MOST_MESSAGES)
    asked.refuse('messages', `a list of at most ${MOST_MESSAGES} messages`);
  const choice = asked.get('tool_choice') ?? 'auto';
  if (choice !== 'auto' && choice !== 'none') asked.refuse('tool_choice', '"auto" or "none"');
  const tools = asked.get('tools') ?? [];
  if (!Array.isArray(tools) || tools.length > MOST_TOOLS)
    asked.refuse('tools', `a list of at most ${MOST_TOOLS} tools`);
  const read = (tools as unknown[]).map((tool, i) => toolOf(`tools[${i}]`, tool));
  const calls = (messages as unknown[]).reduce<number>((sum, message) => sum + callsIn(message), 0);
  if (calls > MOST_CALLS) asked.refuse('messages', `messages with at most ${MOST_CALLS} calls of tools in all`);
  const said = (messages as unknown[]).map(
    (message, i) => plainMessage(message) ?? messageOf(`messages[${i}]`, message),
  );
  return {
    messages: said,
    tools: choice === 'none' ? [] : read,
  };
}

/** An object within the request. @throws ApiError */
function objectAt(where: string, value: unknown): Asked {
  if (!isRecord(value)) throw new ApiError(400, `${where}: expected an object`, null, where);
  return new Asked(where, value);
}

const callsIn = (message: unknown): number => {
  const calls = isRecord(message) ? message['tool_calls'] : undefined;
  return Array.isArray(calls) ? calls.length : 0;
};

/** What most messages are, for a tenth of what it takes to look at each field. */
function plainMessage(value: unknown): ChatMessage | undefined {
  if (!isRecord(value)) return undefined;
  const { role: said, content, tool_calls: calls, tool_call_id: id } = value;
  if (typeof said !== 'string' || typeof content !== 'string' || !Object.hasOwn(ROLES, said)) return undefined;
  const role = ROLES[said]!;
  if (role === 'tool') return typeof id === 'string' ? { role, content, tool_call_id: id } : undefined;
  return role !== 'assistant' || (calls ?? undefined) === undefined ? { role, content } : undefined;
}

function messageOf(where: string, value: unknown): ChatMessage {
  const asked = objectAt(where, value);
  const said = asked.string('role');
  const role = Object.hasOwn(ROLES, said) ? ROLES[said]! : asked.refuse('role', Object.keys(ROLES).join(', '));
  const message: ChatMessage = { role, content: contentOf(asked, role === 'assistant') };
  if (role === 'tool') message.tool_call_id = asked.string('tool_call_id');
  const calls = asked.get('tool_calls');
  if (role === 'assistant' && calls !== undefined) {
    if (!Array.isArray(calls)) asked.refuse('tool_calls', 'a list of calls');
    message.tool_calls = (calls as unknown[]).map((call, i) => callOf(`${where}.tool_calls[${i}]`, call));
  }
  return message;
}

/** A text, or parts that are texts. @param mayLack of an assistant that has called tools */
function contentOf(asked: Asked, mayLack: boolean): string {
  const content = asked.get('content');
  if (content === undefined && mayLack) return '';
  if (!Array.isArray(content)) return asked.string('content');
  return content
    .map((part, i) => {
      if (isRecord(part) && part['type'] === 'text' && typeof part['text'] === 'string') return part['text'];
      const { where } = asked;
      const inner = objectAt(`${where}.content[${i}]`, part);
      if (inner.string('type') !== 'text')
        inner.refuse('type', '"text" (there is nothing here to see or to hear with)');
      return inner.string('text');
    })
    .join('');
}

function callOf(where: string, value: unknown): ToolCall {
  const asked = objectAt(where, value);
  const called = objectAt(`${where}.function`, asked.get('function'));
  const given = parseShallow(called.string('arguments', '{}'));
  if (!isRecord(given)) called.refuse('arguments', 'an object, as JSON in a text');
  return {
    id: asked.string('id'),
    type: 'function',
    function: { name: called.string('name'), arguments: given as Record<string, unknown> },
  };
}

function toolOf(where: string, value: unknown): Tool {
  const asked = objectAt(where, value);
  if (asked.string('type') !== 'function') asked.refuse('type', '"function"');
  const described = objectAt(`${where}.function`, asked.get('function'));
  const description = described.string('description', '');
  const parameters = described.get('parameters');
  if (parameters !== undefined && !isRecord(parameters)) described.refuse('parameters', 'an object');
  return {
    type: 'function',
    function: {
      name: described.string('name'),
      ...(description !== '' && { description }),
      ...(parameters !== undefined && { parameters: parameters as Record<string, unknown> }),
    },
  };
}
