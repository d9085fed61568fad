/**
 * npm run fetch -- google/flan-t5-small: fetches a model folder from the hub, checks it and prints where it is.
 * A download that broke off goes on where it stopped. Progress goes to standard error, the folder to standard output.
 */
import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { cacheFolder, fetchModel } from './fetch/fetch-model.ts';
import { DEFAULT_ENDPOINT, type RemoteFile } from './fetch/hub.ts';
import { runCommand, userPath } from './lib/command.ts';

const program = new Command('npm run fetch --')
  .description('Fetches a T5 from the Hugging Face hub into the cache folder and prints the folder it is in.')
  .argument('<model>', 'such as google/flan-t5-small')
  .option('--revision <revision>', 'branch, tag or commit', 'main')
  .option('--endpoint <url>', 'the hub or a mirror of it', process.env['HF_ENDPOINT'] || DEFAULT_ENDPOINT)
  .option('--cache <folder>', 'where models are kept (STEPWISE_CACHE)', cacheFolder())
  .showHelpAfterError();

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

program.action(async (id: string, options: { revision: string; endpoint: string; cache: string }) => {
  const bar = new SingleBar({
    format: '{bar} {percentage}% | {megabytes} of {all} MB | {file}',
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  });
  const got = new Map<string, number>();
  try {
    const folder = await fetchModel({
      id,
      ...options,
      cache: userPath(options.cache),
      onFiles(files: RemoteFile[]) {
        const all = files.reduce((sum, { size }) => sum + size, 0);
        console.error(`${id}: ${files.length} files, ${megabytes(all)} MB`);
        bar.start(all, 0, { megabytes: '0.0', all: megabytes(all), file: '' });
      },
      onBytes({ name }: RemoteFile, bytes: number) {
        got.set(name, bytes);
        const done = [...got.values()].reduce((sum, part) => sum + part, 0);
        bar.update(done, { megabytes: megabytes(done), file: name });
      },
    });
    bar.stop();
    console.error('complete: sizes and hashes are those that the hub declares');
    console.log(folder);
  } finally {
    bar.stop();
  }
});

await runCommand(program);
