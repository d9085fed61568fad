/** The example in the replica's README, run as it stands there; only the file that it reads is made here. */
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { transform } from 'esbuild';
import { expect, test } from 'vitest';
import { canister } from './wat.ts';

/** Counts up, and replies a nat in Candid. */
const counter = canister(`
  (data (i32.const 0) "DIDL\\00\\01\\7d\\00")
  (func (export "canister_update inc")
    (i32.store8 (i32.const 7) (i32.add (i32.load8_u (i32.const 7)) (i32.const 1)))
    (call $msg_reply_data_append (i32.const 0) (i32.const 8))
    (call $msg_reply))`);

const file = new URL('../README.md', import.meta.url);
const example = /```ts\n([\s\S]*?)```/.exec(await readFile(file, 'utf8'))![1]!;

test('the example works, in ten lines', async () => {
  const { code } = await transform(example, { loader: 'ts' });
  const imports = /^import \{ (.*?) \} from ["'](.*?)["'];$/gm;
  const body = code.replaceAll(imports, "const { $1 } = await load('$2');");
  expect(body).not.toContain('import ');
  const load = async (name: string): Promise<object> => {
    if (name === 'node:fs/promises') return { readFile: async () => gzipSync(counter) };
    return import(name === 'stepwise-replica' ? '../src/index.ts' : name);
  };
  const printed: unknown[] = [];
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (...args: unknown[]) => Promise<void>;
  await new AsyncFunction('load', 'console', body)(load, { log: (...values: unknown[]) => printed.push(...values) });
  // Entering and the instructions 19, two system calls, 8 bytes at 50, one page read and written.
  const cost = { total: 161_419, pages: 160_000, systemCalls: 2 * 500 + 8 * 50, rest: 19 };
  expect(printed).toEqual([[1n], cost]);
  expect(example.trim().split('\n').length).toBeLessThanOrEqual(10);
});
