/** Sessions that share a prompt: what one has of keys and values, another can have without computing it. */
import { expect, it } from 'vitest';
import { openLocalT5 } from '../../../../src/node/model/local-model.ts';

const { t5 } = await openLocalT5('test/fixtures/t5/flan-a', 'float32');
const source = [20, 31, 42, 53, 1];
const target = [0, 7, 8, 9, 10, 11];

/** Logits after `ids`, by a session that shares nothing. */
function logitsAfter(ids: number[]): Float32Array {
  const session = t5.open(source, 10, ids);
  t5.step([session]);
  t5.close(session);
  return t5.logits();
}

it('a fork computes the same as a session of its own', () => {
  const first = t5.open(source, 10, target);
  const fork = t5.fork(first);
  t5.step([first]);
  t5.step([fork]);
  expect(t5.logits()).toEqual(logitsAfter(target));
  t5.close(fork);
  t5.close(first);
});

it('borrows what it lacks, as far as the ids agree, to the bit', () => {
  const first = t5.open(source, 10, target);
  const fork = t5.fork(first);
  t5.step([first]);
  const ids = [0, 7, 8, 9, 99, 98];
  t5.retarget(fork, ids);
  t5.borrow(fork, first);
  expect(fork.cached).toBe(4);
  t5.step([fork]);
  expect(t5.logits()).toEqual(logitsAfter(ids));
  t5.close(fork);
  t5.close(first);
});

it('keeps its own as far as the new ids agree with the old', () => {
  const session = t5.open(source, 10, target);
  t5.step([session]);
  const ids = [0, 7, 50, 9];
  t5.retarget(session, ids);
  expect(session).toMatchObject({ cached: 2, targetIds: ids });
  t5.step([session]);
  expect(t5.logits()).toEqual(logitsAfter(ids));
  t5.close(session);
});

it('borrows nothing that it has, and nothing that is not there', () => {
  const first = t5.open(source, 10, target);
  const fork = t5.fork(first);
  t5.borrow(fork, first);
  expect(fork.cached).toBe(0);
  t5.step([first]);
  t5.borrow(fork, first);
  // the last token goes through the model itself, for its logits
  expect(fork.cached).toBe(5);
  t5.retarget(first, [0, 1]);
  t5.borrow(fork, first);
  expect(fork.cached).toBe(5);
  t5.close(fork);
  t5.close(first);
});

it('cannot step before the first has', () => {
  const first = t5.open(source, 10);
  const fork = t5.fork(first);
  expect(() => t5.step([fork])).toThrow('step: expected a fork of a sequence that has stepped, got one in "encode"');
  t5.close(fork);
  t5.close(first);
});
