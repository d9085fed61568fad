/**
 * A model's folder from the hub, kept under a cache folder:
 *   <cache>/models/<owner>--<name>/<revision>/{config.json, …, fetched.json}
 * `fetched.json` is written last: a folder that has it is whole, and is used without asking the network.
 */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { download } from './download.ts';
import {
  checkEndpoint,
  checkModelId,
  chooseFiles,
  fileUrl,
  type Model,
  type RemoteFile,
  readTree,
  treeUrl,
} from './hub.ts';
import { proxyLine } from './proxy.ts';
import { Final, getJson, PATIENCE, type Page, type Patience } from './request.ts';
import { type Credentials, credentials } from './token.ts';

export interface FetchOptions extends Model {
  /** The cache folder; see {@link cacheFolder}. */
  cache: string;
  patience?: Patience;
  /** For models that are not for everyone; `HF_TOKEN` unless given. */
  token?: string;
  /** What will be fetched, before it is. */
  onFiles?: (files: RemoteFile[]) => void;
  /** How much of a file is there. */
  onBytes?: (file: RemoteFile, bytes: number) => void;
}

const MAX_PAGES = 100;
const MARKER = 'fetched.json';

/** `STEPWISE_CACHE`, else the user's cache folder by the XDG rules. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env['STEPWISE_CACHE']) return resolve(env['STEPWISE_CACHE']);
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'stepwise');
}

/** Where a model's folder is, fetched or not. */
export function modelPath({ id, revision, cache }: Pick<FetchOptions, 'id' | 'revision' | 'cache'>): string {
  checkModelId(id);
  return join(cache, 'models', id.replace('/', '--'), revision.replaceAll(/[^\w.-]/g, '--').replace(/^\.+/, ''));
}

/** Fetches what is missing of a model. @returns its folder. @throws Error saying what went wrong and what to do */
export async function fetchModel(options: FetchOptions): Promise<string> {
  const { patience = PATIENCE, onFiles = () => {}, onBytes = () => {} } = options;
  const path = modelPath(options);
  checkEndpoint(options.endpoint);
  const who = credentials(options.endpoint, options.token);
  try {
    const files = chooseFiles(await readListing(options, patience, who), options);
    onFiles(files);
    await mkdir(path, { recursive: true });
    for (const file of files) {
      await download(
        fileUrl(options, file.name),
        file,
        join(path, file.name),
        patience,
        (bytes) => onBytes(file, bytes),
        who,
      );
    }
    const { id, revision, endpoint } = options;
    await writeFile(join(path, MARKER), `${JSON.stringify({ id, revision, endpoint, files }, null, 2)}\n`);
    return path;
  } catch (error) {
    throw error instanceof Final || !isNetworkError(error)
      ? error
      : new Error(withoutNetwork(error as Error, options, path));
  }
}

/** The hub lists a thousand files a page: all of them, up to a bound far above any model's. */
async function readListing(
  options: FetchOptions,
  patience: Patience,
  who: Credentials | undefined,
): Promise<RemoteFile[]> {
  const files: RemoteFile[] = [];
  let url: string | undefined = treeUrl(options);
  for (const seen = new Set<string>(); url !== undefined; ) {
    if (seen.has(url) || seen.size === MAX_PAGES) {
      throw new Final(`${treeUrl(options)}: expected a list of at most ${MAX_PAGES} pages, got one without end`);
    }
    seen.add(url);
    const page: Page = await getJson(url, patience, who);
    files.push(...readTree(page.json, options));
    url = page.next;
  }
  return files;
}

/**
 * The folder of a model that `fetchModel` has finished, if it still has its files with their sizes; asks no network.
 */
export async function fetchedModel(
  options: Pick<FetchOptions, 'id' | 'revision' | 'cache'>,
): Promise<string | undefined> {
  const path = modelPath(options);
  const marker = await readFile(join(path, MARKER), 'utf8').catch(() => undefined);
  if (marker === undefined) return undefined;
  const { files } = JSON.parse(marker) as { files: RemoteFile[] };
  const sizes = await Promise.all(files.map(({ name }) => stat(join(path, name)).catch(() => undefined)));
  return files.every(({ size }, i) => sizes[i]?.size === size) ? path : undefined;
}

/** Which model a folder was fetched for; undefined for a folder from elsewhere. */
export async function fetchedId(folder: string): Promise<string | undefined> {
  const marker = await readFile(join(folder, MARKER), 'utf8').catch(() => undefined);
  return marker === undefined ? undefined : (JSON.parse(marker) as { id: string }).id;
}

function isNetworkError(error: unknown): boolean {
  const code = ((error as Error).cause as { code?: string } | undefined)?.code ?? '';
  return /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|UND_ERR_\w+)$/.test(code);
}

function withoutNetwork(error: Error, { id, endpoint }: Model, path: string): string {
  return [
    `fetch: expected ${endpoint} to answer, got ${error.message}`,
    ...(proxyLine(endpoint) ?? []),
    'What can be done:',
    '  run it again: it goes on where it stopped;',
    '  give a mirror that can be reached, with --endpoint or HF_ENDPOINT;',
    `  copy the files of ${id} from a machine with a network into a folder and give that folder as --model`,
    `    (config.json, generation_config.json, model.safetensors, spiece.model; a cache folder is ${path});`,
    '  use models/little-flan, which comes with the project.',
  ].join('\n');
}
