/**
 * npm run fetch -- google/flan-t5-small: fetches a model folder from the hub, checks it and prints where it is.
 * A download that broke off goes on where it stopped. Progress goes to standard error, the folder to standard output.
 */
import { Command } from 'commander';
import { cacheFolder } from '../src/node/fetch/fetch-model.ts';
import { fetchWithProgress } from '../src/node/fetch/fetch-with-progress.ts';
import { DEFAULT_ENDPOINT } from '../src/node/fetch/hub.ts';
import { runCommand, userPath } from '../src/node/terminal/command.ts';

const program = new Command('npm run fetch --')
  .description('Fetches a T5 from the Hugging Face hub into the cache folder and prints the folder it is in.')
  .argument('<model>', 'such as google/flan-t5-small')
  .option('--revision <revision>', 'branch, tag or commit', 'main')
  .option('--endpoint <url>', 'the hub or a mirror of it', process.env['HF_ENDPOINT'] || DEFAULT_ENDPOINT)
  .option('--cache <folder>', 'where models are kept (STEPWISE_CACHE)', cacheFolder())
  .showHelpAfterError();

program.action(async (id: string, options: { revision: string; endpoint: string; cache: string }) => {
  console.log(await fetchWithProgress({ id, ...options, cache: userPath(options.cache) }));
});

await runCommand(program);
