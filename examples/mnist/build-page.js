// The page as one HTML file, with what is certified of it, as a module that the canister imports (http.ts). The bundler
// is esbuild.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { certifyPages } from 'stepwise-replica/pages';

const base64 = (data) => Buffer.from(data).toString('base64');
const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

async function bundle(file) {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
  });
  return outputFiles[0].text.trim();
}

/** Writes the module to `target`. */
export async function buildPage(target) {
  const [style, script] = [await bundle('page/style.css'), await bundle('page/page.ts')];
  const html = readFileSync('page/index.html', 'utf8')
    .replace('<link rel="stylesheet" href="style.css" />', () => `<style>${style}</style>`)
    .replace('<script type="module" src="page.ts"></script>', () => `<script type="module">${script}</script>`);
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  const always = [
    ['Cache-Control', 'no-cache'],
    ['X-Content-Type-Options', 'nosniff'],
    ['Referrer-Policy', 'no-referrer'],
  ];
  const root = {
    status: 200,
    headers: [
      ['Content-Type', 'text/html; charset=utf-8'],
      ['Content-Encoding', 'gzip'],
      ['Content-Security-Policy', policy],
      ...always,
    ],
    body: gzipSync(html, { level: 9 }),
  };
  const missing = {
    status: 404,
    headers: [['Content-Type', 'text/plain; charset=utf-8'], ...always],
    body: Buffer.from('expected the path /\n'),
  };
  const { paths, certifiedData, witness } = certifyPages({ '/': [root], '*': [missing] });
  const served = (page, { expression, exprPath }) => ({
    ...page,
    body: base64(page.body),
    expression,
    exprPath: base64(exprPath),
  });
  const data = {
    certifiedData: base64(certifiedData),
    witness: base64(witness),
    pages: { root: served(root, paths['/']), missing: served(missing, paths['*']) },
  };
  const lines = Object.entries(data).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`);
  writeFileSync(target, lines.join(''));
}
