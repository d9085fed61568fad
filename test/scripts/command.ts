/** Runs a command of this project as npm does, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../../src/node/build/project.ts';

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** What stdout has said so far. */
  said(): string;
  /** Resolves when stdout has said it. @throws Error if the process ends before */
  says(text: string): Promise<void>;
  ended: Promise<Ended>;
}

/** @param script a file of scripts/ without its extension @param input what it reads; none unless given */
export function run(script: string, args: readonly string[] = [], input?: string): Running {
  const tsx = ['--import', 'tsx', join(projectRoot, 'scripts', `${script}.ts`)];
  const child = spawn(process.execPath, [...tsx, ...args], { cwd: projectRoot, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const said = () => stdout;
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  const says = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => said().includes(text) && resolve();
      child.stdout.on('data', look);
      look();
      ended.then(({ code }) =>
        reject(new Error(`${script}: expected to say ${text}, got exit code ${code}: ${said()}${stderr}`)),
      );
    });
  return { child, said, says, ended };
}
