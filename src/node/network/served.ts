/**
 * Where the `npm start -- --serve` that run can be found: `npm run ask` asks the one that was begun last where nothing
 * else is named. Each has a file, named after its port. One that was killed leaves its file: whether somebody lives at
 * an address is asked there.
 */
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../build/project.ts';
import type { Served } from '../terminal/how-to-call.ts';

/** Where a replica listens unless told otherwise. */
export const FIRST_PORT = 4943;

const folder = join(projectRoot, 'build/start/served');
const fileOf = (url: string): string => join(folder, `${new URL(url).port}.json`);
/** Milliseconds for a replica on this machine to say that it is there. */
const PATIENCE = 2_000;

export async function rememberServed(served: Served): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(fileOf(served.url), JSON.stringify(served));
}

/** Those that live, the one begun last first. The files of others are taken away. */
export async function findServed(): Promise<Served[]> {
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => {
      const file = join(folder, name);
      const served = await readFile(file, 'utf8')
        .then((json) => JSON.parse(json) as Served)
        .catch(() => undefined);
      if (served && (await lives(served))) return { served, begun: (await stat(file)).mtimeMs };
      await rm(file, { force: true });
      return undefined;
    }),
  );
  return found
    .filter((some) => some !== undefined)
    .sort((a, b) => b.begun - a.begun)
    .map(({ served }) => served);
}

/** Whether the canister is there, and not another program at its port. */
async function lives({ url, canisterId }: Served): Promise<boolean> {
  return await fetch(`${url}/?canisterId=${canisterId}`, { method: 'HEAD', signal: AbortSignal.timeout(PATIENCE) })
    .then(({ headers }) => headers.get('x-ic-canister-id') === canisterId)
    .catch(() => false);
}

export async function forgetServed({ url }: Served): Promise<void> {
  await rm(fileOf(url), { force: true });
}
