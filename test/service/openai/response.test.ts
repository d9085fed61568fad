/** Answers in OpenAI's form, whole and as one stream of events. */
import { describe, expect, it } from 'vitest';
import { completionBody, modelsBody } from '../../../src/service/openai/response.ts';

const done = {
  id: '0123456789abcdef0123456789abcdef',
  created: 5,
  model: 'm',
  sha256: 'ab'.repeat(32),
  text: 'Paris.',
  finishReason: 'stop' as const,
  promptTokens: 3,
  completionTokens: 2,
};
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
const plain = { stream: false, includeUsage: false };
const talk = { messages: [], tools: [] };
const called = { messages: [], tools: [{ type: 'function' as const, function: { name: 'f' } }] };
const call = '<tool_call>{"name": "f", "arguments": {"x": [1]}}</tool_call>';
const events = (text: string): unknown[] =>
  text
    .split('\n\n')
    .filter((line) => line !== '' && line !== 'data: [DONE]')
    .map((line) => JSON.parse(line.replace(/^data: /, '')) as unknown);

describe('an answer', () => {
  it('of a conversation', () => {
    const { contentType, text } = completionBody('chat.completions', { asking: talk, ...plain }, done);
    expect(contentType).toBe('application/json; charset=utf-8');
    expect(JSON.parse(text)).toEqual({
      id: `chatcmpl-${done.id}`,
      object: 'chat.completion',
      created: 5,
      model: 'm',
      system_fingerprint: 'fp_abababababababab',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Paris.', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage,
    });
  });

  it('of a prompt', () => {
    const body = JSON.parse(
      completionBody('completions', { asking: 'x', ...plain }, { ...done, finishReason: 'length' }).text,
    );
    expect(body).toMatchObject({ id: `cmpl-${done.id}`, object: 'text_completion', usage });
    expect(body.choices).toEqual([{ index: 0, text: 'Paris.', logprobs: null, finish_reason: 'length' }]);
  });

  it('that calls a tool, where tools were named', () => {
    const answer = { ...done, text: call };
    const [choice] = JSON.parse(completionBody('chat.completions', { asking: called, ...plain }, answer).text).choices;
    expect(choice).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } });
    expect(choice.message.tool_calls).toEqual([
      { id: 'call_0123456789abcdef_0', type: 'function', function: { name: 'f', arguments: '{"x":[1]}' } },
    ]);
    const [other] = JSON.parse(completionBody('chat.completions', { asking: talk, ...plain }, answer).text).choices;
    expect(other).toMatchObject({ finish_reason: 'stop', message: { content: call } });
  });
});

describe('a stream', () => {
  it('has all of it, its end, and the counts if they are asked for', () => {
    for (const includeUsage of [false, true]) {
      const asked = { asking: talk, stream: true, includeUsage };
      const { contentType, text } = completionBody('chat.completions', asked, done);
      expect(contentType).toBe('text/event-stream; charset=utf-8');
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
      const [first, second, third] = events(text) as { choices: unknown[]; object: string; usage?: unknown }[];
      expect(first!.object).toBe('chat.completion.chunk');
      expect(first!.choices).toEqual([
        { index: 0, delta: { role: 'assistant', content: 'Paris.' }, logprobs: null, finish_reason: null },
      ]);
      expect(second!.choices).toEqual([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }]);
      expect(third && { choices: third.choices, usage: third.usage }).toEqual(
        includeUsage ? { choices: [], usage } : undefined,
      );
    }
  });

  it('of a prompt, and of calls', () => {
    const { text } = completionBody('completions', { asking: 'x', stream: true, includeUsage: false }, done);
    expect(events(text)).toMatchObject([
      { object: 'text_completion', choices: [{ text: 'Paris.', finish_reason: null }] },
      { choices: [{ text: '', finish_reason: 'stop' }] },
    ]);
    const calls = completionBody(
      'chat.completions',
      { asking: called, stream: true, includeUsage: false },
      { ...done, text: call },
    );
    expect(events(calls.text)).toMatchObject([
      { choices: [{ delta: { content: null, tool_calls: [{ index: 0, function: { name: 'f' } }] } }] },
      { choices: [{ finish_reason: 'tool_calls' }] },
    ]);
  });

  it('a text with line ends, quotes and marks of events stays one event', () => {
    const odd = 'a\n\ndata: [DONE]\n\n"\\\u2028é';
    const { text } = completionBody(
      'completions',
      { asking: 'x', stream: true, includeUsage: false },
      { ...done, text: odd },
    );
    expect((events(text)[0] as { choices: { text: string }[] }).choices[0]!.text).toBe(odd);
  });
});

it('models are a list', () => {
  expect(JSON.parse(modelsBody(['a', 'b'], 5))).toEqual({
    object: 'list',
    data: ['a', 'b'].map((id) => ({ id, object: 'model', created: 5, owned_by: 'stepwise' })),
  });
});
