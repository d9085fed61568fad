/** `npm run packages`: the client, the replica and the tensor unit as packages to install, in `build/`. */
import { Command } from 'commander';
import { packClient } from '../src/node/package/pack-client.ts';
import { packReplica } from '../src/node/package/pack-replica.ts';
import { packTensor } from '../src/node/package/pack-tensor.ts';
import { vendor } from '../src/node/package/vendored.ts';
import { runCommand } from '../src/node/terminal/command.ts';

const program = new Command('npm run packages --')
  .description('Writes the client, the replica and the tensor unit as packages to install, in build/.')
  .option('--vendor', 'renew the copies that lie in examples/*/vendor too')
  .showHelpAfterError()
  .action(async ({ vendor: renew }: { vendor?: boolean }) => {
    const [client, replica, tensor] = await Promise.all([packClient(), packReplica(), packTensor()]);
    console.log(`${client}\nin another project: npm install ${client}\n`);
    console.log(`${replica}\nin another project: npm install --save-dev ${replica}\n`);
    console.log(`${tensor}\nin another project: npm install ${tensor}`);
    if (!renew) return;
    for (const file of [replica, tensor])
      for (const example of await vendor(file)) console.log(`\nrenewed in examples/${example}: ${file}`);
  });

await runCommand(program);
