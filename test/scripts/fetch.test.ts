import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder, fetchedModel, fetchModel, modelPath } from '../../scripts/fetch/fetch-model.ts';

const PATIENCE = { stallMs: 150, backoffMs: 5, attempts: 3 };
const ID = 'google/flan-t5-tiny';
const WEIGHTS = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 7);
const text = (value: string) => new TextEncoder().encode(value);

/** What the server does with one request for a file, instead of answering it well. */
type Mischief = (request: IncomingMessage, response: ServerResponse, content: Uint8Array) => void;

let server: Server;
let endpoint: string;
let cache: string;
let files: Record<string, Uint8Array>;
let tree: Record<string, unknown>[];
/** For each file, what befalls the next requests for it, in order. */
let mischief: Record<string, Mischief[]>;
let requests: string[];

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const blobSha1 = (bytes: Uint8Array) => createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

/** As a content network does it: whole, or from a byte on. */
function serveWell(request: IncomingMessage, response: ServerResponse, content: Uint8Array): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from >= content.length && from > 0) return void response.writeHead(416).end();
  if (request.headers.range)
    response.setHeader('content-range', `bytes ${from}-${content.length - 1}/${content.length}`);
  response.writeHead(request.headers.range ? 206 : 200, { 'content-length': content.length - from });
  response.end(content.subarray(from));
}

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'stepwise-fetch-'));
  files = {
    'README.md': text('# read me'),
    'config.json': text('{"model_type":"t5"}'),
    'generation_config.json': text('{}'),
    'spiece.model': Uint8Array.from({ length: 5000 }, (_, i) => i),
    'tokenizer.json': text('{}'),
    'model.safetensors': WEIGHTS,
  };
  tree = [
    { type: 'directory', oid: '0'.repeat(40), size: 0, path: 'onnx' },
    ...Object.entries(files).map(([path, bytes]) => ({
      type: 'file',
      path,
      size: bytes.length,
      oid: blobSha1(bytes),
      ...(bytes.length > 1000 ? { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 134 } } : {}),
    })),
  ];
  mischief = {};
  requests = [];
  server = createServer((request, response) => {
    const path = decodeURIComponent(request.url!);
    requests.push(`${path.split('/').at(-1)}${request.headers.range ? ` ${request.headers.range}` : ''}`);
    const name = path.startsWith(`/${ID}/resolve/main/`) ? path.split('/').at(-1)! : 'tree';
    const trick = mischief[name]?.shift();
    if (path === `/api/models/${ID}/tree/main`) (trick ?? serveWell)(request, response, text(JSON.stringify(tree)));
    else if (files[name]) (trick ?? serveWell)(request, response, files[name]);
    else response.writeHead(404).end('Repository not found');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(cache, { recursive: true });
});

const model = (more: object = {}) => ({ id: ID, revision: 'main', endpoint, cache, patience: PATIENCE, ...more });
const folder = () => modelPath(model());
const weights = async () => new Uint8Array(await readFile(join(folder(), 'model.safetensors')));

/** Sends `bytes` of the content and breaks the connection. */
const breakOff =
  (bytes: number): Mischief =>
  (request, response, content) => {
    const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
    if (from > 0) response.setHeader('content-range', `bytes ${from}-${content.length - 1}/${content.length}`);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': content.length - from });
    response.write(content.subarray(from, from + bytes), () => setTimeout(() => response.destroy(), 30));
  };
const stallAfter =
  (bytes: number): Mischief =>
  (_, response, content) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, bytes));
  };
const status =
  (code: number, headers = {}): Mischief =>
  (_, response) =>
    response.writeHead(code, headers).end();

describe('fetch', () => {
  it('fetches what makes a T5, and nothing else', async () => {
    expect(await fetchModel(model())).toBe(folder());
    expect((await readdir(folder())).sort()).toEqual([
      'config.json',
      'fetched.json',
      'generation_config.json',
      'model.safetensors',
      'spiece.model',
    ]);
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
    expect(await fetchedModel(model())).toBe(folder());
  });

  it('fetches nothing twice, and mends what was changed', async () => {
    await fetchModel(model());
    requests = [];
    await fetchModel(model());
    expect(requests).toEqual(['main']);
    await writeFile(join(folder(), 'spiece.model'), 'x'.repeat(5000));
    await fetchModel(model());
    expect(requests).toEqual(['main', 'main', 'spiece.model']);
  });

  it('takes shards and tokenizer.json where there is nothing better', async () => {
    tree = tree.filter(({ path }) => !['spiece.model', 'model.safetensors'].includes(path as string));
    for (const name of [
      'model.safetensors.index.json',
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
    ]) {
      files[name] = text(name);
      tree.push({ type: 'file', path: name, size: files[name].length, oid: blobSha1(files[name]) });
    }
    await fetchModel(model());
    expect((await readdir(folder())).sort()).toEqual([
      'config.json',
      'fetched.json',
      'generation_config.json',
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      'model.safetensors.index.json',
      'tokenizer.json',
    ]);
  });

  it('goes on where a connection broke, as often as it takes', async () => {
    mischief['model.safetensors'] = [
      breakOff(50_000),
      breakOff(50_000),
      breakOff(50_000),
      breakOff(50_000),
      breakOff(50_000),
    ];
    const seen: number[] = [];
    await fetchModel(
      model({
        onBytes: (file: { name: string }, bytes: number) => file.name === 'model.safetensors' && seen.push(bytes),
      }),
    );
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
    expect(seen.at(-1)).toBe(WEIGHTS.length);
    expect(requests.filter((request) => request.startsWith('model.safetensors'))).toEqual([
      'model.safetensors',
      ...[1, 2, 3, 4, 5].map((i) => `model.safetensors bytes=${i * 50_000}-`),
    ]);
  });

  it('goes on where another run stopped', async () => {
    mischief['model.safetensors'] = [breakOff(120_000), breakOff(0), breakOff(0)];
    await expect(fetchModel(model())).rejects.toThrow(/model\.safetensors|terminated/);
    expect(await fetchedModel(model())).toBeUndefined();
    expect(existsSync(join(folder(), 'model.safetensors'))).toBe(false);
    requests = [];
    await fetchModel(model());
    expect(requests).toEqual(['main', 'model.safetensors bytes=120000-']);
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
  });

  it('gives a silent server up, and goes on from what had come', async () => {
    mischief['model.safetensors'] = [stallAfter(70_000)];
    await fetchModel(model());
    expect(requests.at(-1)).toBe('model.safetensors bytes=70000-');
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
  });

  it('says so when the server stays silent', async () => {
    const silence: Mischief = () => {};
    mischief['tree'] = [silence, silence, silence];
    await expect(fetchModel(model())).rejects.toThrow(/tree\/main: expected an answer within 150 ms, got silence/);
    expect(requests.length).toBe(3);
  });

  it('begins again where the server knows no ranges', async () => {
    mischief['model.safetensors'] = [
      breakOff(90_000),
      (_, response, content) => response.writeHead(200, { 'content-length': content.length }).end(content),
    ];
    await fetchModel(model());
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
  });

  it('does not believe another range than it asked for', async () => {
    mischief['model.safetensors'] = [
      breakOff(90_000),
      (_, response, content) =>
        response.writeHead(206, { 'content-range': `bytes 0-${content.length - 1}/${content.length}` }).end(content),
    ];
    await fetchModel(model());
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
    expect(requests.slice(-2)).toEqual(['model.safetensors bytes=90000-', 'model.safetensors bytes=90000-']);
  });

  it('begins again where there is no such range', async () => {
    mischief['model.safetensors'] = [breakOff(90_000), status(416)];
    await fetchModel(model());
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
    expect(requests.at(-1)).toBe('model.safetensors');
  });

  it('takes no more bytes than were declared', async () => {
    const more: Mischief = (_, response, content) => response.writeHead(200).end(Buffer.concat([content, content]));
    mischief['model.safetensors'] = [more];
    await fetchModel(model());
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
    await rm(folder(), { recursive: true });
    mischief['model.safetensors'] = [more, more, more];
    await expect(fetchModel(model())).rejects.toThrow('model.safetensors: expected 300000 bytes, got more');
    expect((await readdir(folder())).filter((name) => name.startsWith('model'))).toEqual([]);
  });

  it('is not content with a good end that came too early', async () => {
    const short: Mischief = (_, response, content) => response.writeHead(200).end(content.subarray(0, 1000));
    mischief['spiece.model'] = [short];
    await fetchModel(model());
    expect(requests).toContain('spiece.model bytes=1000-');
    expect(new Uint8Array(await readFile(join(folder(), 'spiece.model')))).toEqual(files['spiece.model']);
  });

  it.each([
    [
      'a SHA-256',
      'spiece.model',
      (entry: Record<string, unknown>) => ({ ...entry, lfs: { oid: 'ab'.repeat(32), size: 5000 } }),
    ],
    ['a git hash', 'config.json', (entry: Record<string, unknown>) => ({ ...entry, oid: 'ab'.repeat(20) })],
  ])('keeps nothing that has not %s as declared', async (_, name, lie) => {
    tree = tree.map((entry) => (entry['path'] === name ? lie(entry) : entry));
    await expect(fetchModel(model())).rejects.toThrow(
      /expected (sha256|git-sha1) (ab)+, got [0-9a-f]+, twice; nothing was kept of it/,
    );
    expect(requests.filter((request) => request === name).length).toBe(2);
    expect(existsSync(join(folder(), name))).toBe(false);
    expect(existsSync(join(folder(), `${name}.part`))).toBe(false);
  });

  it('mends a part that was spoilt on the disk', async () => {
    mischief['model.safetensors'] = [breakOff(100_000), breakOff(0), breakOff(0)];
    await expect(fetchModel(model())).rejects.toThrow();
    await writeFile(join(folder(), 'model.safetensors.part'), new Uint8Array(100_000));
    await fetchModel(model());
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
  });

  it.each([
    [429, { 'retry-after': '0' }],
    [500, {}],
    [503, {}],
  ])('comes again after %i', async (code, headers) => {
    mischief['tree'] = [status(code, headers)];
    mischief['config.json'] = [status(code, headers), status(code, headers)];
    await fetchModel(model());
    expect(requests.filter((request) => request === 'config.json').length).toBe(3);
  });

  it.each([
    [404, 'is the name right?'],
    [401, 'it does not exist, or is only for those who sign in'],
  ])('does not come again after %i', async (code, hint) => {
    mischief['tree'] = [status(code)];
    await expect(fetchModel(model())).rejects.toThrow(`expected 200, got ${code}; ${hint}`);
    expect(requests.length).toBe(1);
  });

  it('follows to where the file lies', async () => {
    mischief['model.safetensors'] = [
      (_, response) => response.writeHead(302, { location: `/${ID}/resolve/main/model.safetensors` }).end(),
    ];
    await fetchModel(model());
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
  });

  it.each([
    ['a page', '<html>', 'expected JSON, got "<html>"'],
    ['another JSON', '{"error":"x"}', 'expected a list of files, got something else; is it a hub?'],
    [
      'a bad hash',
      '[{"type":"file","path":"config.json","size":1,"oid":"xyz"}]',
      'expected "oid" to be 40 hexadecimal digits, got "xyz"',
    ],
    [
      'a size below zero',
      `[{"type":"file","path":"config.json","size":-1,"oid":"${'0'.repeat(40)}"}]`,
      'expected "size" to be an integer from 0',
    ],
    [
      'no weights',
      `[{"type":"file","path":"config.json","size":1,"oid":"${'0'.repeat(40)}"},{"type":"file","path":"spiece.model","size":1,"oid":"${'0'.repeat(40)}"},{"type":"file","path":"pytorch_model.bin","size":1,"oid":"${'0'.repeat(40)}"}]`,
      'weights as safetensors, got none; its pytorch_model.bin must be saved as safetensors',
    ],
    ['no model', '[]', 'to have config.json, got none; is it a model?'],
  ])('refuses a tree that is %s', async (_, body, message) => {
    mischief['tree'] = [(_request, response) => response.writeHead(200).end(body)];
    await expect(fetchModel(model())).rejects.toThrow(message);
  });

  it('says what to do where there is no network', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const away = model({ patience: { ...PATIENCE, attempts: 2 } });
    await expect(fetchModel(away)).rejects.toThrow(
      /expected http:\/\/127\.0\.0\.1:\d+ to answer, got fetch failed \(ECONNREFUSED\)\nWhat can be done:\n.*run it again.*\n.*HF_ENDPOINT/s,
    );
  });

  it.each(['flan-t5-small', '../x/y', 'a/b/c', 'google/../x', '/etc/passwd', 'google/.hidden'])(
    'refuses the name %s',
    async (id) => {
      await expect(fetchModel(model({ id }))).rejects.toThrow('expected a model such as google/flan-t5-small');
    },
  );

  it('keeps models in a cache folder by the rules of the machine', () => {
    expect(cacheFolder({ STEPWISE_CACHE: '/a/b' })).toBe('/a/b');
    expect(cacheFolder({ XDG_CACHE_HOME: '/c' })).toBe('/c/stepwise');
    expect(cacheFolder({})).toMatch(/\/\.cache\/stepwise$/);
    expect(modelPath(model({ cache: '/c', revision: 'refs/pr/1' }))).toBe('/c/models/google--flan-t5-tiny/refs--pr--1');
    expect(modelPath(model({ cache: '/c', revision: '..' }))).toBe('/c/models/google--flan-t5-tiny');
  });
});

describe('npm run fetch', () => {
  const script = fileURLToPath(new URL('../../scripts/fetch.ts', import.meta.url));
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', script, ...args], {
      env: { ...process.env, HF_ENDPOINT: `${endpoint}/`, STEPWISE_CACHE: cache },
    });

  it('prints the folder', async () => {
    const { stdout, stderr } = await run(ID);
    expect(stdout).toBe(`${folder()}\n`);
    expect(stderr).toContain('google/flan-t5-tiny: 4 files, 0.3 MB');
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
  });

  it('ends with one clear line and exit 1', async () => {
    await expect(run('google/other')).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: `${endpoint}/api/models/google/other/tree/main: expected 200, got 404; is the name right?\n`,
    });
  });
});
