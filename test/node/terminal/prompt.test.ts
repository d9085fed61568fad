/** The question of a command: given once, not blank, and what is said where it is not. */
import { expect, it } from 'vitest';
import { promptFrom } from '../../../src/node/terminal/prompt.ts';

it('is the words, or --prompt', () => {
  expect(promptFrom('ask', ['hi', 'there'], undefined)).toBe('hi there');
  expect(promptFrom('ask', [], 'hi there')).toBe('hi there');
  expect(promptFrom('ask', [], undefined)).toBeUndefined();
});

it.each([
  ['start', [''], undefined, 'start: expected a prompt, got no text; npm start -- "what is 17 + 26?"'],
  ['ask', [], ' \t', 'ask: expected a prompt, got no text; npm run ask -- "what is 17 + 26?"'],
  ['local', ['', ' '], undefined, 'local: expected a prompt, got no text; npm run local -- "what is 17 + 26?"'],
  ['ask', ['a', 'b'], 'c', 'ask: expected the prompt once, got it as --prompt and as "a b"'],
])('%s with %j and --prompt %j is told what to type', (command, words, option, message) => {
  expect(() => promptFrom(command, words, option)).toThrow(message);
});
