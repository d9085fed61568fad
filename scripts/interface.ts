/** `npm run interface`: writes what is made of src/interface/llm.did. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { projectRoot } from '../src/node/build/project.ts';
import { interfaceFiles } from '../src/node/package/interface-files.ts';
import { runCommand } from '../src/node/terminal/command.ts';

const program = new Command('npm run interface --')
  .description("Writes llm.did.ts, and the examples' copies, from src/interface/llm.did.")
  .action(async () => {
    const did = await readFile(join(projectRoot, 'src/interface/llm.did'), 'utf8');
    for (const [file, text] of Object.entries(await interfaceFiles(did))) {
      await writeFile(join(projectRoot, file), text);
      console.log(`${file} written`);
    }
  });

await runCommand(program);
