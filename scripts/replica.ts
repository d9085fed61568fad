/**
 * `npm run replica`: a local replica with nothing on it, to deploy to with `icp deploy -e replica`. What is on it is
 * gone when it ends.
 */
import { once } from 'node:events';
import { Command } from 'commander';
import { serve } from '../packages/replica/src/http/serve.ts';
import { Replica } from '../packages/replica/src/index.ts';
import { FIRST_PORT } from '../src/node/network/served.ts';
import { wholeNumber } from '../src/node/terminal/arguments.ts';
import { runCommand } from '../src/node/terminal/command.ts';

const program = new Command('npm run replica --')
  .description('Serves a local replica of the Internet Computer, with no canister on it, until Ctrl-C.')
  .option('--port <n>', 'port on 127.0.0.1; icp.yaml expects the default', wholeNumber(1, 65_535), FIRST_PORT)
  .action(async ({ port }: { port: number }) => {
    const replica = new Replica();
    const server = await serve(replica, { port });
    console.log(`Replica at ${server.url} until Ctrl-C; deploy to it with icp deploy -e replica (docs/deploy.md)`);
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    replica.close();
    await server.close();
  });

await runCommand(program);
