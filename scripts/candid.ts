/** `npm run candid`: writes the committed Candid file, and the client's TypeScript made of it, anew from the canister as it is built. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildCanister } from '../src/node/build/canister.ts';
import { projectRoot } from '../src/node/build/project.ts';
import { declarations } from '../src/node/package/declarations.ts';

const { did } = await buildCanister('llm', { onProgress: (step) => console.log(`llm: ${step} …`) });
for (const [file, text] of [
  ['src/canister/llm.did', did],
  ['src/client/llm.did.ts', await declarations(did)],
] as const) {
  await writeFile(join(projectRoot, file), text);
  console.log(`${file} written`);
}
