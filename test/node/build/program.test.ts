import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { smaller } from '../../../src/node/build/program.ts';

/** As Azle's bundler makes it: a module's names, and the Candid text at its end. */
const program = `
// src/canister/index.ts
var greeting = "hello";
function greet(someone) {
  return greeting + ", " + someone;
}
class Canister {}
const canisterIdlType = {}, meta = { index: 3 };
const candid2 = idlToString(canisterIdlType, { meta });
globalThis.answer = { text: greet("world"), isClass: Canister.toString().startsWith("class"), candid: candid2 };
`;

it('does the same in fewer letters, and works out no Candid file', async () => {
  const small = await smaller(program);
  expect(small.length).toBeLessThan(program.length / 1.5);
  expect(small).not.toContain('greeting');
  const context: { answer?: unknown } = {};
  runInNewContext(small, context);
  expect(context.answer).toEqual({ text: 'hello, world', isClass: true, candid: '' });
});

it('is one function, whose names are found by hash', async () => {
  const context = {};
  runInNewContext(await smaller(program), context);
  expect(Object.keys(context)).toEqual(['answer']);
});

it.each([
  ['no Candid text', 'var a = 1;', 0],
  ['two of them', `${program}${program.replaceAll('candid2', 'candid3')}`, 2],
])('%s: refused, as Azle makes another program than we know', async (_, text, times) => {
  await expect(smaller(text)).rejects.toThrow(
    `build: expected idlToString(canisterIdlType, once in the program that Azle makes, got it ${times} times`,
  );
});
