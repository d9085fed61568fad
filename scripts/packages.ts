/** `npm run packages`: the client, the replica and the tensor unit as packages to install, in `build/`. */
import { packClient } from '../src/node/package/pack-client.ts';
import { packReplica } from '../src/node/package/pack-replica.ts';
import { packTensor } from '../src/node/package/pack-tensor.ts';

const [client, replica, tensor] = await Promise.all([packClient(), packReplica(), packTensor()]);
console.log(`${client}\nin another project: npm install ${client}\n`);
console.log(`${replica}\nin another project: npm install --save-dev ${replica}\n`);
console.log(`${tensor}\nin another project: npm install ${tensor}`);
