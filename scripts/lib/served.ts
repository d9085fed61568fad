/** Where a `npm start -- --serve` that is running can be found: `npm run ask` asks it where nothing else is named. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { projectRoot } from '../build/project.ts';
import type { Served } from './how-to-call.ts';

const file = join(projectRoot, 'build/start/served.json');

export async function rememberServed(served: Served): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(served));
}

/** What was served last and not taken back. */
export async function findServed(): Promise<Served | undefined> {
  const json = await readFile(file, 'utf8').catch(() => undefined);
  return json === undefined ? undefined : JSON.parse(json);
}

/** Takes it back, unless another has come in its place. */
export async function forgetServed({ url }: Served): Promise<void> {
  if ((await findServed())?.url === url) await rm(file, { force: true });
}
