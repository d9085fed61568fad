/**
 * The command lines that `npm start -- --serve` prints, as a shell takes them apart: any question arrives as it was
 * asked.
 */
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { howToCall } from '../../../src/node/terminal/how-to-call.ts';

const at = {
  url: 'http://127.0.0.1:4943',
  canisterId: 'rwlgt-iiaaa-aaaaa-aaaaa-cai',
  caller: 'renrk-eyaaa-aaaaa-aaada-cai',
};

/** The last argument of each command line that begins with `tool`, as bash hands it on. */
function lastArguments(tool: string, text: string): string[] {
  const lines = text.split('\n').filter((line) => line.trimStart().startsWith(`${tool} `));
  expect(lines.length).toBeGreaterThan(0);
  return lines.map((line) =>
    execFileSync('bash', ['-c', `${tool}() { printf %s "\${@: -1}"; }\n${line}`], { encoding: 'utf8' }),
  );
}

it.each([
  ['plain', 'what is 17 + 26?'],
  ['an apostrophe', "what's the capital of France?"],
  ['double quotes', 'is this "good" or \\"bad\\"?'],
  ['what a shell would read', '$(exit 1) `exit 2` $HOME !! \\ * ~'],
])('%s', (_, prompt) => {
  const text = howToCall(at, prompt);
  expect(lastArguments('npm', text)[0]).toBe(prompt);
  for (const candid of [...lastArguments('dfx', text), ...lastArguments('icp', text)]) {
    expect(JSON.parse(candid.slice(1, -1))).toBe(prompt);
  }
  const [, json] = /llm\.generate\((".*")\)\);$/m.exec(text)!;
  expect(JSON.parse(json!)).toBe(prompt);
});
