/** `fetchModel` with a progress bar on standard error, for a person at a terminal. */
import { SingleBar } from 'cli-progress';
import { type FetchOptions, fetchModel } from './fetch-model.ts';
import { checkEndpoint, type RemoteFile } from './hub.ts';
import { proxyLine } from './proxy.ts';

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

/** @returns the model's folder. @throws Error saying what went wrong and what to do */
export async function fetchWithProgress(
  options: Pick<FetchOptions, 'id' | 'revision' | 'endpoint' | 'cache'>,
): Promise<string> {
  const bar = new SingleBar({
    format: '{bar} {percentage}% | {megabytes} of {all} MB | {file}',
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  });
  checkEndpoint(options.endpoint);
  for (const line of proxyLine(options.endpoint) ?? []) console.error(line);
  const got = new Map<string, number>();
  try {
    const folder = await fetchModel({
      ...options,
      onFiles(files: RemoteFile[]) {
        const all = files.reduce((sum, { size }) => sum + size, 0);
        console.error(`${options.id}: ${files.length} files, ${megabytes(all)} MB`);
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
    return folder;
  } finally {
    bar.stop();
  }
}
