/** Rounds by hand: 7 B instructions a round, 2 B a slice of a message. */
import { expect, it } from 'vitest';
import { onTheNetwork, roundsOf } from '../../../src/node/terminal/on-the-network.ts';

const B = 1e9;
it.each<[string, number[], number]>([
  ['nothing', [], 1],
  ['one short message', [0.05 * B], 1],
  ['as much as a round holds', [2 * B, 2 * B, 2 * B, 1 * B], 1],
  ['a little more', [2 * B, 2 * B, 2 * B, 1 * B, 1], 2],
  ['what does not fit the rest begins a round', [2 * B, 2 * B, 2 * B, 2 * B, 2 * B], 2],
  ['a message of several slices, a round each', [5 * B], 3],
  ['one after a short one', [1 * B, 3 * B], 3],
  ['and a short one in the round of its last slice', [3 * B, 2 * B], 2],
  ['49 tokens of 4.5 M', Array(49).fill(4.5e6), 1],
  ['512 tokens of 100 M', Array(512).fill(0.1 * B), 8],
])('%s', (_, messages, rounds) => expect(roundsOf(messages)).toBe(rounds));

it('says seconds: the rounds, and up to one more for the way in and out', () => {
  expect(onTheNetwork([1])).toBe('some 1 to 2 s on a quiet subnet: all messages fit one round');
  expect(onTheNetwork(Array(512).fill(0.1 * B))).toBe('some 8 to 9 s on a quiet subnet: 8 rounds of messages');
});
