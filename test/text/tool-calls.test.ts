/** Calls of tools as models write them, and what only looks like one. */
import { describe, expect, it } from 'vitest';
import { knowsToolCalls, readToolCalls } from '../../src/text/tool-calls.ts';

const call = '<tool_call>\n{"name": "weather", "arguments": {"city": "Paris", "days": 2}}\n</tool_call>';
const weather = { name: 'weather', arguments: { city: 'Paris', days: 2 } };

describe('readToolCalls', () => {
  it.each([
    ['one call', call, undefined, [weather]],
    ['a call behind words', `I look it up.\n${call}`, 'I look it up.', [weather]],
    ['two calls', `${call}\n${call}`, undefined, [weather, weather]],
    [
      'a list of calls',
      '<tool_call>[{"name":"a","arguments":{}},{"name":"b"}]</tool_call>',
      undefined,
      [
        { name: 'a', arguments: {} },
        { name: 'b', arguments: {} },
      ],
    ],
    ['one without its end', call.replace('</tool_call>', ''), undefined, [weather]],
    ['one that is cut off', '<tool_call>\n{"name": "wea', '<tool_call>\n{"name": "wea', []],
    ['no JSON', '<tool_call>weather()</tool_call> ok', '<tool_call>weather()</tool_call> ok', []],
    ['no name', '<tool_call>{"arguments":{}}</tool_call>', '<tool_call>{"arguments":{}}</tool_call>', []],
    [
      'arguments that are none',
      '<tool_call>{"name":"a","arguments":[1]}</tool_call>',
      '<tool_call>{"name":"a","arguments":[1]}</tool_call>',
      [],
    ],
    ['an empty list', '<tool_call>[]</tool_call>', '<tool_call>[]</tool_call>', []],
    ['a wrong one before a right one', `<tool_call>x</tool_call>${call}`, '<tool_call>x</tool_call>', [weather]],
    ['words alone', ' Paris. ', 'Paris.', []],
    ['nothing', '', undefined, []],
    [
      'JSON within JSON without end',
      `<tool_call>${'['.repeat(20_000)}</tool_call>`,
      `<tool_call>${'['.repeat(20_000)}</tool_call>`,
      [],
    ],
  ])('%s', (_, text, content, calls) => {
    expect(readToolCalls(text)).toEqual({ content, calls });
  });
});

it('only a template that says how calls are written is known', () => {
  expect(knowsToolCalls('{{ "<tool_call>" }}')).toBe(true);
  expect(knowsToolCalls('{% for tool in tools %}{% endfor %}')).toBe(false);
});
