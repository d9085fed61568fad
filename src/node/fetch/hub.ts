/**
 * What the Hugging Face hub says of a model's files: their names, sizes and hashes. Reads nothing else of the hub's
 * interface. Source: hub API, `GET /api/models/<id>/tree/<revision>`; `lfs.oid` is a SHA-256, `oid` a git blob's SHA-1.
 */

import { Fields } from '../../model/json/json.ts';
import { TOKENIZER_FILES } from '../../model/tokenizer/files/folder-tokenizer.ts';

export const DEFAULT_ENDPOINT = 'https://huggingface.co';

export interface Model {
  /** Such as `google/flan-t5-small`. */
  id: string;
  /** Branch, tag or commit. */
  revision: string;
  /** Address of the hub or of a mirror. */
  endpoint: string;
}

export interface RemoteFile {
  name: string;
  /** In bytes. */
  size: number;
  hash: { algorithm: 'sha256' | 'git-sha1'; hex: string };
}

/** @throws TypeError, in words, for an endpoint that is no http address */
export function checkEndpoint(endpoint: string): void {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url && /^https?:$/.test(url.protocol) && /^https?:\/\//i.test(endpoint)) return;
  const scheme = /^[\w.-]+(:\d+)?(\/|$)/.test(endpoint) ? `; did you mean https://${endpoint}?` : '';
  throw new TypeError(
    `fetch: expected an endpoint such as ${DEFAULT_ENDPOINT}, with https:// or http://, got ${JSON.stringify(endpoint)}${scheme}`,
  );
}

const segments = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

export const treeUrl = ({ id, revision, endpoint }: Model): string =>
  `${endpoint.replace(/\/+$/, '')}/api/models/${segments(id)}/tree/${encodeURIComponent(revision)}`;

export const fileUrl = ({ id, revision, endpoint }: Model, name: string): string =>
  `${endpoint.replace(/\/+$/, '')}/${segments(id)}/resolve/${encodeURIComponent(revision)}/${encodeURIComponent(name)}`;

/** Whether it has the form owner/name. */
export const isModelId = (id: string): boolean => /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(id);

/** @throws TypeError if `id` is not of the form owner/name */
export function checkModelId(id: string): void {
  if (!isModelId(id)) {
    throw new TypeError(`fetch: expected a model such as google/flan-t5-small, got ${JSON.stringify(id)}`);
  }
}

/** The files at the top of the model's tree. @throws Error, TypeError if the answer is none of the hub's */
export function readTree(json: unknown, model: Model): RemoteFile[] {
  const where = treeUrl(model);
  if (!Array.isArray(json)) throw new TypeError(`${where}: expected a list of files, got something else; is it a hub?`);
  return json.flatMap((entry: unknown, i) => {
    const fields = new Fields(`${where}: [${i}]`, entry);
    if (fields.get('type') !== 'file') return [];
    const lfs = fields.get('lfs') === undefined ? undefined : new Fields(`${where}: [${i}].lfs`, fields.get('lfs'));
    const hex = (lfs ?? fields).string('oid').toLowerCase();
    const algorithm = lfs ? 'sha256' : 'git-sha1';
    const digits = lfs ? 64 : 40;
    if (!/^[0-9a-f]+$/.test(hex) || hex.length !== digits)
      fields.wrong(Error, 'oid', `${digits} hexadecimal digits`, hex);
    const size = (lfs ?? fields).integer('size', 0, Number.MAX_SAFE_INTEGER);
    return [{ name: fields.string('path'), size, hash: { algorithm, hex } as const }];
  });
}

/**
 * The files that make a T5: configuration, tokenizer, weights.
 * @throws Error naming what the model lacks
 */
export function chooseFiles(files: RemoteFile[], model: Model): RemoteFile[] {
  const byName = new Map(files.map((file) => [file.name, file]));
  const has = (name: string) => byName.has(name);
  const lacks = (what: string, hint: string): never => {
    throw new Error(`fetch: expected ${model.id} at ${model.revision} to have ${what}, got none${hint}`);
  };
  if (!has('config.json')) lacks('config.json', '; is it a model?');
  if (!has('spiece.model') && !has('tokenizer.json')) lacks('spiece.model or tokenizer.json', '');
  const shards = files.filter(({ name }) => /^model-\d+-of-\d+\.safetensors$/.test(name)).map(({ name }) => name);
  const weights = has('model.safetensors')
    ? ['model.safetensors']
    : has('model.safetensors.index.json') && shards.length > 0
      ? ['model.safetensors.index.json', ...shards]
      : lacks(
          'weights as safetensors',
          has('pytorch_model.bin') ? '; its pytorch_model.bin must be saved as safetensors' : '',
        );
  const names = ['config.json', 'generation_config.json', ...TOKENIZER_FILES, ...weights];
  return names.filter(has).map((name) => byName.get(name)!);
}
