/** `npm run check`: style and types. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Command } from 'commander';
import { projectRoot } from '../src/node/build/project.ts';
import { runCommand } from '../src/node/terminal/command.ts';

const program = new Command('npm run check --')
  .description('Checks style (biome) and types (tsc). npm run format mends what can be mended.')
  .action(() => {
    for (const [tool, ...args] of [['@biomejs/biome/bin/biome', 'check', '.'], ['typescript/bin/tsc']] as const) {
      const command = [join(projectRoot, 'node_modules', tool), ...args];
      const { status } = spawnSync(process.execPath, command, { cwd: projectRoot, stdio: 'inherit' });
      process.exitCode = status ?? 1;
      if (status !== 0) return;
    }
  });

await runCommand(program);
