// Says what to do where `npm ci` has not been run: nothing else could, since all that runs TypeScript comes with it.
import { existsSync } from 'node:fs';

if (!existsSync(new URL('../node_modules/tsx', import.meta.url))) {
  console.error('node_modules: expected the packages of package-lock.json, got none; run npm ci first');
  process.exit(1);
}
