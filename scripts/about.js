// The beginning of each command of package.json. Its argument is for people: `npm run` lists the commands as they are
// written there, so what each does stands there too. It says what to do where `npm ci` has not been run: nothing else
// could, since all that runs TypeScript comes with it.
import { existsSync } from 'node:fs';

if (!existsSync(new URL('../node_modules/tsx', import.meta.url))) {
  console.error('node_modules: expected the packages of package-lock.json, got none; run npm ci first');
  process.exit(1);
}
