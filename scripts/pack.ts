/** `npm run pack`: the client and the replica as packages to install, in `build/`. */
import { packClient } from '../src/node/package/pack-client.ts';
import { packReplica } from '../src/node/package/pack-replica.ts';

const [client, replica] = await Promise.all([packClient(), packReplica()]);
console.log(`${client}\nin another project: npm install ${client}\n`);
console.log(`${replica}\nin another project: npm install --save-dev ${replica}`);
