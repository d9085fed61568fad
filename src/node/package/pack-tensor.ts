/** The tensor unit as a package: packages/tensor with what it takes from src/tensor and src/node/build, and the kernels; packed by npm. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { buildTensorKernels } from '../build/kernels.ts';
import { projectRoot } from '../build/project.ts';
import { runNode } from '../build/run.ts';

const source = join(projectRoot, 'packages/tensor');

/** @returns the package's file, `build/stepwise-tensor-<version>.tgz` */
export async function packTensor(): Promise<string> {
  const target = join(projectRoot, 'build');
  await mkdir(target, { recursive: true });
  // a folder for each run, as two may pack at once
  const folder = await mkdtemp(join(target, 'tensor-'));
  try {
    await writePackage(folder);
    const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', target];
    const { stdout } = await promisify(execFile)('npm', pack, { cwd: folder });
    const [{ filename }] = JSON.parse(stdout);
    return join(target, filename);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The package's files, as they are packed. */
async function writePackage(folder: string): Promise<void> {
  const dist = join(folder, 'dist');
  await build({
    absWorkingDir: source,
    entryPoints: ['src/index.ts', 'src/node.ts', 'src/link.ts'],
    outdir: dist,
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'neutral',
    external: ['node:*'],
    format: 'esm',
    target: 'es2022',
  });
  await writeFile(join(dist, 'kernels.wasm'), await buildTensorKernels());
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  await runNode('tsc', [tsc, '-p', source, '--outDir', join(dist, 'types')], { cwd: projectRoot });
  await importCompiled(join(dist, 'types'));
  for (const file of ['package.json', 'README.md', 'LICENSE']) await cp(join(source, file), join(folder, file));
}

/** TypeScript leaves the sources' names in declarations; not every version of it reads them so. */
async function importCompiled(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.d.ts')) continue;
    const text = await readFile(join(folder, name), 'utf8');
    await writeFile(join(folder, name), text.replace(/(["'])(\.\.?\/[^"'\n]+)\.ts\1/g, '$1$2.js$1'));
  }
}
