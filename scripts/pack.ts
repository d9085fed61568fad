/** `npm run pack`: the client as a package to install, in `build/`. */
import { packClient } from './lib/pack-client.ts';

const file = await packClient();
console.log(`${file}\nin another project: npm install ${file}`);
