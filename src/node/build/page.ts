/**
 * The canister's page: one HTML file with its script and style in it, compressed, and what is needed to certify it, as
 * a module that the canister imports (page-data.d.ts says what is in it). The bundler is esbuild.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BuildOptions as Bundling, build } from 'esbuild';
import { encode } from '../../../packages/replica/src/certification/cbor.ts';
import { bytes, sha256 } from '../../../packages/replica/src/certification/hash-tree.ts';
import {
  certifyPages,
  type Header,
  type Pages,
  type StaticResponse,
} from '../../../packages/replica/src/certification/pages.ts';
import type { Packed } from '../../canister/storage/bytes.ts';
import { API_METHODS, API_ROOT, MAX_BODY_BYTES, MAX_URL_CHARACTERS } from '../../interface/http-api.ts';
import { ApiError, errorBody } from '../../service/openai/errors.ts';
import { incrementally, reachable } from './incremental.ts';
import { type BuildOptions, projectRoot } from './project.ts';

const PAGE_DATA = 'src/canister/certification/page-data.js';

const bundling: Bundling = {
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  target: 'es2022',
  charset: 'utf8',
};

/** For too-old.ts alone. */
const OLDER = 'es2017';

interface Page {
  html: string;
  /** Of the status page, which the canister writes. */
  statusStyle: string;
}

/**
 * Builds the page whose HTML file is `entry`, unless it is up to date: `build/page/index.html` to look at, and the
 * module for the canister.
 * @returns the module's file
 */
export async function buildPage(
  entry: string,
  { root = projectRoot, force = false, onProgress = () => {} }: BuildOptions = {},
): Promise<string> {
  const html = join(root, entry);
  const data = join(root, PAGE_DATA);
  const folder = dirname(html);
  await incrementally(
    {
      root,
      inputs: [
        html,
        ...['style.css', 'status.css', 'theme.css'].map((name) => join(folder, 'styles', name)),
        ...(await reachable(join(folder, 'page.ts'))),
        ...(await reachable(join(folder, 'too-old.ts'))),
        ...(await reachable(import.meta.filename)),
        join(root, 'package-lock.json'),
      ],
      settings: JSON.stringify(bundling),
      outputs: [data],
      stamp: join(root, 'build/page/page.stamp'),
      force,
    },
    async () => {
      onProgress('bundling the page');
      const page = await bundlePage(html);
      await writeFile(join(root, 'build/page/index.html'), page.html);
      await writeFile(data, pageData(page));
    },
  );
  return data;
}

/** The HTML file with the style sheet and the script that it names put into it. */
async function bundlePage(file: string): Promise<Page> {
  const bundle = async (name: string, more: Bundling = {}): Promise<string> => {
    const { outputFiles } = await build({ ...bundling, ...more, entryPoints: [join(dirname(file), name)] });
    return outputFiles![0]!.text.trim();
  };
  const [style, statusStyle] = [await bundle('styles/style.css'), await bundle('styles/status.css')];
  const script = await bundle('page.ts');
  const tooOld = await bundle('too-old.ts', { target: OLDER });
  const html = (await readFile(file, 'utf8'))
    .replaceAll(/^ +/gm, '')
    .replace('<link rel="stylesheet" href="styles/style.css" />', () => `<style>${style}</style>`)
    .replace(
      '<script type="module" src="page.ts"></script>',
      () => `<script type="module">${tooOld}</script><script type="module">${script}</script>`,
    );
  return { html, statusStyle };
}

/** Nothing but what is in the file, and calls to where it came from. */
function contentSecurityPolicy({ html }: Page): string {
  const hash = (inline: string): string => `'sha256-${base64(sha256(bytes(inline)))}'`;
  const hashes = (tag: string): string =>
    Array.from(html.matchAll(new RegExp(`<${tag}[^>]*>(.*?)</${tag}>`, 'gs')), ([, inline]) => hash(inline!)).join(' ');
  return [
    "default-src 'none'",
    `script-src ${hashes('script')}`,
    `style-src ${hashes('style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function pages(page: Page): Pages {
  const text = (status: number, body: string): StaticResponse => ({
    status,
    headers: [['Content-Type', 'text/plain; charset=utf-8'], ...always],
    body: bytes(body),
  });
  const always: Header[] = [
    ['Cache-Control', 'no-cache'],
    ['X-Content-Type-Options', 'nosniff'],
    ['Referrer-Policy', 'no-referrer'],
  ];
  const whole: StaticResponse = {
    status: 200,
    headers: [
      ['Content-Type', 'text/html; charset=utf-8'],
      ['Content-Encoding', 'gzip'],
      ['Content-Security-Policy', contentSecurityPolicy(page)],
      ...always,
    ],
    body: gzip(page.html),
  };
  return {
    '/': [
      whole,
      text(405, 'expected GET or HEAD\n'),
      text(414, `expected a URL of at most ${MAX_URL_CHARACTERS} characters, got a longer one\n`),
    ],
    '/metrics': 'uncertified',
    '/status': 'uncertified',
    ...Object.fromEntries(Object.entries(API_METHODS).map(([path, method]) => [path, apiAnswers(method)])),
    [`${API_ROOT}/*`]: [
      preflight('GET, POST'),
      refused(404, `expected one of ${Object.keys(API_METHODS).join(', ')}, got another path`, 'unknown_url'),
    ],
    '*': [text(404, `expected one of ${['/', '/metrics', '/status', ...Object.keys(API_METHODS)].join(', ')}\n`)],
  };
}

const cors: Header[] = [['Access-Control-Allow-Origin', '*']];

/** An error in OpenAI's form. */
const refused = (status: number, message: string, code: string | null = null): StaticResponse => ({
  status,
  headers: [
    ['Content-Type', 'application/json; charset=utf-8'],
    ['Cache-Control', 'no-store'],
    ['X-Content-Type-Options', 'nosniff'],
    ...cors,
  ],
  body: bytes(errorBody(new ApiError(status, message, code))),
});

/** What a browser asks before it asks. */
const preflight = (methods: string): StaticResponse => ({
  status: 204,
  headers: [
    ...cors,
    ['Access-Control-Allow-Methods', `${methods}, OPTIONS`],
    // a star stands for no Authorization
    ['Access-Control-Allow-Headers', 'Authorization, Content-Type, *'],
    ['Access-Control-Max-Age', '600'],
  ],
  body: new Uint8Array(),
});

/**
 * What needs no look at a request's body is answered by a query, with words that are known when the canister is built.
 */
const apiAnswers = (method: string): StaticResponse[] => [
  preflight(method),
  refused(
    401,
    'expected a key that this canister knows, as "Authorization: Bearer <key>", got none or another',
    'invalid_api_key',
  ),
  refused(404, 'expected a canister whose keeper has set "http_completions", got one where it is off', 'not_found'),
  refused(405, `expected ${method}, got another method`),
  refused(413, `expected a body of at most ${MAX_BODY_BYTES} bytes, got a longer one`),
  refused(431, 'expected fewer headers: those of at most 110,000 bytes, and no more than some 160 of them'),
  refused(503, 'expected cycles in the canister, got too few; its keeper has to top it up'),
];

/** The module's text. */
function pageData(page: Page): string {
  const served = pages(page);
  const { tree, paths, certifiedData } = certifyPages(served);
  // [1, [2, "http_expr", tree], [4, hash]]: all but the hash, which comes last and which the canister knows
  const witness = encode([1, [2, bytes('http_expr'), tree], [4, new Uint8Array(32)]]);
  const data = {
    statusStyle: page.statusStyle,
    httpExpr: { hash: packed(certifiedData), witness: packed(witness.subarray(0, -32)) },
    pages: Object.fromEntries(
      Object.entries(paths).map(([path, { expression, exprPath }]) => {
        const responses = served[path] === 'uncertified' ? [] : (served[path] as StaticResponse[]);
        const encoded = responses.map(({ status, headers, body }) => ({ status, headers, body: packed(body) }));
        return [path, { expression, exprPath: base64(exprPath), responses: encoded }];
      }),
    ),
  };
  return Object.entries(data)
    .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`)
    .join('');
}

/** As `unpack` of bytes.ts reads it. */
function packed(data: Uint8Array): Packed {
  const padded = new Uint8Array(Math.ceil(data.length / 4) * 4);
  padded.set(data);
  const view = new DataView(padded.buffer);
  const words = Array.from({ length: padded.length / 4 }, (_, i) => view.getInt32(i * 4, true));
  return { bytes: data.length, words: JSON.stringify(words) };
}

const base64 = (data: Uint8Array): string => Buffer.from(data).toString('base64');

function gzip(text: string): Uint8Array {
  const out = gzipSync(text, { level: 9 });
  out[9] = 255; // the operating system it was made on: unknown
  return out;
}
