/** How a command of this project ends: well, or with one clear line on stderr and exit code 1. */
import type { Command } from 'commander';

/** Parses the arguments and runs the command's action. */
export async function runCommand(program: Command): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
