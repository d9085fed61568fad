/**
 * How a command of this project reads its paths and how it ends: well, or with one clear line on stderr and exit
 * code 1.
 */
import { resolve } from 'node:path';
import type { AgentError } from '@dfinity/agent';
import type { Command } from 'commander';

/** Parses the arguments and runs the command's action. */
export async function runCommand(program: Command): Promise<void> {
  // whoever reads may have had enough
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  try {
    refuseNpmsOptions(program);
    await program.parseAsync();
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}

/** Options that npm has too, some of which it always hands on: that they are there says nothing. */
const NPMS_OWN = ['cache', 'json', 'yes', 'version', 'help'];

/**
 * Without `--` before them, npm takes options for its own and hands them on as variables: the command would run as if
 * none had been given.
 */
function refuseNpmsOptions(program: Command): void {
  const taken = program.options
    .map((option) => option.long?.slice(2) ?? '')
    .filter((name) => !NPMS_OWN.includes(name) && process.env[`npm_config_${name.replaceAll('-', '_')}`] !== undefined);
  if (taken.length > 0)
    throw new Error(`--${taken[0]}: expected it after --, as in ${program.name()} --${taken[0]}; npm has kept it`);
}

/** npm runs a script in the project's folder; a path means the one where npm was called. */
export const userPath = (path: string): string => resolve(process.env.INIT_CWD ?? '.', path);

/** What went wrong; of the agent's errors, which come with the whole HTTP exchange, the line that says it. */
export function messageOf(error: unknown): string {
  if (!isAgentError(error)) return (error as Error).message;
  const code: object & {
    rejectMessage?: string;
    rejectErrorCode?: string;
    error?: unknown;
    status?: number;
    bodyText?: string;
  } = error.code as object;
  if (code.rejectMessage !== undefined) {
    // of what a canister refuses before it takes a call (inspect_message), its own words
    const [, trapped] = /with message: '(.*)'/s.exec(code.rejectMessage) ?? [];
    const [said] = (trapped ?? code.rejectMessage).split('\n');
    return `${said} (${code.rejectErrorCode ?? 'rejected'})`;
  }
  if (code.status !== undefined) return `the network answered HTTP ${code.status}: ${code.bodyText?.split('\n')[0]}`;
  if (String(error.kind) === 'Trust')
    return `${error.message.split('\n')[0]} If this is a test network and not the Internet Computer: --fetch-root-key`;
  const reason = code.error instanceof Error ? (code.error.cause as Error | undefined)?.message : undefined;
  const [said] = error.message.split('\n');
  return reason ? `${said}: ${reason}` : said!;
}

/** By what it has, not by its class: a command that talks to no network need not load the agent. */
const isAgentError = (error: unknown): error is AgentError =>
  error instanceof Error && 'kind' in error && 'code' in error && typeof error.code === 'object';
