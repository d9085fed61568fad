/** Requests of OpenAI's API: what becomes of them, what is refused by name, and errors in its form. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError, apiError, errorBody } from '../../../src/service/openai/errors.ts';
import { type Kind, readRequest } from '../../../src/service/openai/request.ts';

const seed = Number(process.env['SEED'] ?? 2026);
const hi = [{ role: 'user', content: 'hi' }];
const chat = (more: object) => readRequest('chat.completions', { model: 'm', messages: hi, ...more });
const text = (more: object) => readRequest('completions', { model: 'm', prompt: 'hi', ...more });

function errorOf(run: () => unknown): ApiError {
  try {
    run();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('expected an ApiError, got none');
}

describe('options', () => {
  it.each<[string, object, object]>([
    ['nothing', {}, {}],
    ['max_tokens', { max_tokens: 5 }, { max_new_tokens: 5 }],
    ['the newer name before the older', { max_tokens: 5, max_completion_tokens: 6 }, { max_new_tokens: 6 }],
    ['temperature 0', { temperature: 0, top_p: 0.5 }, { do_sample: false }],
    ['a temperature', { temperature: 0.5 }, { do_sample: true, temperature: 0.5 }],
    ['top_p alone', { top_p: 0.5 }, { do_sample: true, temperature: 1, top_p: 0.5 }],
    ['top_p of everything', { top_p: 1 }, {}],
    ['a seed', { seed: 7 }, { seed: 7n }],
    ['a seed below 0', { seed: -1 }, { seed: 2n ** 64n - 1n }],
    ['one stop', { stop: 'a' }, { stop_strings: ['a'] }],
    ['several', { stop: ['a', 'b'] }, { stop_strings: ['a', 'b'] }],
    ['none', { stop: [] }, {}],
    ['null for each', { max_tokens: null, temperature: null, stop: null, seed: null, n: null, tools: null }, {}],
    [
      'what changes nothing',
      {
        user: 'u',
        n: 1,
        metadata: {},
        logit_bias: {},
        presence_penalty: 0,
        store: true,
        response_format: { type: 'text' },
      },
      {},
    ],
  ])('%s', (_, given, request) => {
    expect(chat(given).request).toEqual(request);
  });

  it('a completion has a prompt, by itself or in a list of one', () => {
    expect(text({ max_tokens: 3 })).toEqual({
      model: 'm',
      asking: 'hi',
      request: { max_new_tokens: 3 },
      stream: false,
      includeUsage: false,
    });
    expect(text({ prompt: ['hi'] }).asking).toBe('hi');
  });

  it.each<[string, Kind, object, string]>([
    ['no model', 'completions', { model: undefined }, 'completions: expected "model" to be a string, got nothing'],
    [
      'ids as a prompt',
      'completions',
      { prompt: [1, 2] },
      'expected "prompt" to be a text, or a list of one, got [1,2]',
    ],
    ['two prompts', 'completions', { prompt: ['a', 'b'] }, 'expected "prompt" to be a text, or a list of one'],
    ['n above 1', 'chat.completions', { n: 2 }, 'expected "n" to be 1, got 2'],
    ['logprobs', 'chat.completions', { logprobs: true }, 'expected "logprobs" to be false, got true'],
    ['logprobs of a completion', 'completions', { logprobs: 3 }, 'expected "logprobs" to be false, got 3'],
    ['a penalty', 'chat.completions', { presence_penalty: 1 }, 'expected "presence_penalty" to be 0, got 1'],
    [
      'JSON mode',
      'chat.completions',
      { response_format: { type: 'json_object' } },
      'expected "response_format" to be {"type": "text"}',
    ],
    ['what nobody knows', 'chat.completions', { foo: 1 }, 'expected "foo" to be left out (it is not built in), got 1'],
    ['what the other path knows', 'completions', { messages: hi }, 'expected "messages" to be left out'],
    [
      'half a token',
      'chat.completions',
      { max_tokens: 1.5 },
      'expected "max_tokens" to be an integer from 1 to 2147483647, got 1.5',
    ],
    ['no tokens', 'chat.completions', { max_tokens: 0 }, 'expected "max_tokens" to be an integer from 1'],
    ['a huge number', 'chat.completions', { max_tokens: 1e308 }, 'expected "max_tokens" to be an integer from 1'],
    [
      'a number that is infinite',
      'chat.completions',
      { temperature: Number.POSITIVE_INFINITY },
      'expected "temperature" to be a number from 0 to 2',
    ],
    [
      'text for a number',
      'chat.completions',
      { temperature: '1' },
      'expected "temperature" to be a number from 0 to 2, got "1"',
    ],
    [
      'five stops',
      'chat.completions',
      { stop: ['a', 'b', 'c', 'd', 'e'] },
      'expected "stop" to be a text, or a list of at most 4',
    ],
    ['an empty stop', 'chat.completions', { stop: '' }, 'none of them empty, got ""'],
    [
      'messages that are none',
      'chat.completions',
      { messages: 'hi' },
      'expected "messages" to be a list of at most 200 messages, got "hi"',
    ],
    ['a message that is none', 'chat.completions', { messages: [1] }, 'messages[0]: expected an object'],
    [
      'a role that nobody has',
      'chat.completions',
      { messages: [{ role: 'x', content: 'a' }] },
      'messages[0]: expected "role" to be system, developer, user, assistant, tool, got "x"',
    ],
    [
      'a role of the prototype',
      'chat.completions',
      { messages: [{ role: 'toString', content: 'a' }] },
      'messages[0]: expected "role" to be',
    ],
    [
      'a picture',
      'chat.completions',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
      'messages[0].content[0]: expected "type" to be "text"',
    ],
    [
      'no content',
      'chat.completions',
      { messages: [{ role: 'user' }] },
      'messages[0]: expected "content" to be a string, got nothing',
    ],
    [
      'a choice of tools',
      'chat.completions',
      { tool_choice: 'required' },
      'expected "tool_choice" to be "auto" or "none"',
    ],
    [
      'a tool of another kind',
      'chat.completions',
      { tools: [{ type: 'web' }] },
      'tools[0]: expected "type" to be "function"',
    ],
    [
      'a tool without a name',
      'chat.completions',
      { tools: [{ type: 'function', function: {} }] },
      'tools[0].function: expected "name" to be a string',
    ],
  ])('refuses %s', (_, kind, given, message) => {
    const body =
      kind === 'completions' ? { model: 'm', prompt: 'hi', ...given } : { model: 'm', messages: hi, ...given };
    const error = errorOf(() => readRequest(kind, body));
    expect(error.message).toContain(message);
    expect(error.status).toBe(400);
  });

  it('gives an answer or an ApiError for whatever JSON it is', () => {
    const names = fc.constantFrom(
      'model',
      'messages',
      'prompt',
      'stop',
      'tools',
      'seed',
      'n',
      'stream_options',
      '__proto__',
      'constructor',
    );
    const body = fc.oneof(fc.jsonValue(), fc.dictionary(names, fc.jsonValue()));
    fc.assert(
      fc.property(fc.constantFrom<Kind[]>('chat.completions', 'completions'), body, (kind, value) => {
        try {
          readRequest(kind, value);
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
      { seed, numRuns: 2_000 },
    );
  });
});

describe('conversations', () => {
  it('have parts that are texts, developers, calls of tools and what these answered', () => {
    const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"x": 1}' } };
    const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object' }, strict: true } };
    const messages = [
      { role: 'developer', content: 'brief' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
        name: 'n',
      },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c1', content: '2' },
    ];
    expect(chat({ messages, tools: [tool] }).asking).toEqual({
      messages: [
        { role: 'system', content: 'brief' },
        { role: 'user', content: 'ab' },
        { role: 'assistant', content: '', tool_calls: [{ ...call, function: { name: 'f', arguments: { x: 1 } } }] },
        { role: 'tool', content: '2', tool_call_id: 'c1' },
      ],
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
    });
    expect(chat({ tools: [tool], tool_choice: 'none' }).asking).toMatchObject({ tools: [] });
  });
});

describe('errors', () => {
  it.each([
    [
      { InvalidOptions: 'http_request_update: expected "max_new_tokens" to be 1' },
      400,
      'expected "max_tokens" to be 1',
      null,
    ],
    [
      { PromptTooLong: { limit: 1, tokens: 2, message: 'http_request_update: long' } },
      400,
      'long',
      'context_length_exceeded',
    ],
    [{ NotAllowed: 'x' }, 401, 'x', 'invalid_api_key'],
    [{ PaymentRequired: { cycles: 1n, message: 'pay' } }, 402, 'pay', 'insufficient_quota'],
    [{ LimitReached: 'x' }, 429, 'x', 'rate_limit_exceeded'],
    [{ Unavailable: 'x' }, 503, 'x', null],
    [{ NoModel: 'x' }, 503, 'x', null],
    [{ Failed: { session: 's', message: 'broken' } }, 500, 'broken', null],
  ])('%#: as OpenAI has it', (given, status, message, code) => {
    const error = apiError(given);
    expect(error).toMatchObject({ status, message, code });
    expect(JSON.parse(errorBody(error))).toEqual({ error: { message, type: expect.any(String), param: null, code } });
  });
});
