// npm test: compiles main.mo with Motoko's own compiler, as npm has it, against the Candid file of the model's
// canister. Warnings count as errors.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const motoko = require('motoko');
/** Any id: what is checked are the types. */
const ID = 'aaaaa-aa';

motoko.loadPackage(require('motoko/packages/latest/core.json'));
motoko.write(`idl/${ID}.did`, readFileSync('llm.did', 'utf8'));
motoko.setAliases('idl', { llm: ID });
motoko.write('main.mo', readFileSync('main.mo', 'utf8'));
const found = motoko.check('main.mo');
for (const { message, range } of found) console.error(`main.mo:${range.start.line + 1}: ${message}`);
if (found.length > 0) process.exit(1);
console.log(`main.mo compiles: ${motoko.wasm('main.mo', 'ic').wasm.length} bytes`);
