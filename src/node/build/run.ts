/** Running a Node program as a child: silent when it goes well, its whole output in the error when not. */
import { spawn } from 'node:child_process';

/**
 * Runs `node ...args` and waits for its end.
 * @param what names the step in the error
 * @throws Error with the child's output if it does not exit with 0
 */
export function runNode(
  what: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', fail);
    child.on('close', (code, signal) => {
      if (code === 0) done();
      else fail(new Error(`${what}: expected exit code 0, got ${code ?? signal}\n${output.trim()}`));
    });
  });
}
