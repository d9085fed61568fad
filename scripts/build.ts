/**
 * `npm run build [canister…]`: builds the canisters of dfx.json (all if none is named) into `build/<name>/`. The work
 * is in `build/`.
 */
import { Command } from 'commander';
import { buildCanister, canisterNames } from '../src/node/build/canister.ts';
import { runCommand } from '../src/node/terminal/command.ts';

const program = new Command('npm run build --')
  .description('Builds canisters to build/<name>/<name>.wasm, .wasm.gz and .did. What is up to date stays as it is.')
  .argument('[canister...]', 'names from dfx.json (default: all of them)')
  .option('-f, --force', 'build even what is up to date')
  .showHelpAfterError();

program.action(async (names: string[], { force }: { force?: boolean }) => {
  for (const name of names.length > 0 ? names : await canisterNames()) {
    const started = performance.now();
    const onProgress = (step: string): void => console.log(`${name}: ${step} …`);
    const { wasm, gz, moduleHash, built } = await buildCanister(name, { force, onProgress });
    const took = built ? `built in ${((performance.now() - started) / 1000).toFixed(1)} s` : 'up to date';
    console.log(`${name}: ${took}, ${megabytes(wasm)} (gzip ${megabytes(gz)}), module hash ${moduleHash}`);
  }
});

const megabytes = (bytes: Uint8Array): string => `${(bytes.length / 1e6).toFixed(2)} MB`;

await runCommand(program);
