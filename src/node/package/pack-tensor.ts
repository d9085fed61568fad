/**
 * The tensor unit as a package: packages/tensor with what it takes from src/tensor and src/node/build, and the kernels;
 * packed by npm.
 */
import { cp, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { buildTensorKernels } from '../build/kernels.ts';
import { projectRoot } from '../build/project.ts';
import { runNode } from '../build/run.ts';
import { importCompiled, npmPack } from './npm-pack.ts';

const source = join(projectRoot, 'packages/tensor');

/** @returns the package's file, `build/stepwise-tensor-<version>.tgz` */
export const packTensor = (): Promise<string> => npmPack('tensor', writePackage);

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
