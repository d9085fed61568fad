/**
 * How fast are the matrices of flan-t5-small beside others' on this machine? `npm ci --prefix bench/peers`, then `npx tsx bench/peers/run.ts [--json] [--only onnxruntime-web]`. Every contender
 * runs in a fresh process, one thread, in turn; a second round goes the other way round. All multiply the same numbers, which is checked.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { median, setting, settingLine, table } from '../report.ts';
import { macsOfChain } from './chains.ts';
import { cases, contenders, type Result } from './contender.ts';
import { measurePlain } from './plain.ts';

/** What all times and what all numbers are compared with. */
const [FIRST, EXACT] = [contenders[0]!, 'Stepwise float32'];
/** Least cosine of a contender's outputs with the float32 ones of ours: int8 activations, quantised anew in 25 matrices, lose so much. */
const LEAST_COSINE = 0.9;

function runContender(name: string): Promise<Record<string, Result>> {
  return new Promise((done, fail) => {
    const args = ['--import', 'tsx', join(import.meta.dirname, 'contender.ts'), name];
    const child = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', fail);
    child.on('close', (code) => {
      if (code === 0) done(JSON.parse(output));
      else fail(new Error(`${name}: expected exit code 0, got ${code}`));
    });
  });
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, v, i) => sum + v * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

interface Row {
  case: string;
  contender: string;
  milliseconds: number;
  cpuMilliseconds: number;
  /** The least processor's time of any run: what it takes when nothing disturbs it. */
  leastMilliseconds: number;
  /** Time of ours by this one's, medians and best runs: above 1, this one is faster. */
  ratio: number;
  leastRatio: number;
  cosine: number;
}

function rowsOf(results: Map<string, Record<string, Result>[]>): Row[] {
  return Object.keys(cases).flatMap((name) => {
    const all = (contender: string, of: 'milliseconds' | 'cpuMilliseconds'): number[] =>
      results.get(contender)!.flatMap((result) => result[name]![of]);
    const exact = results.get(EXACT)![0]![name]!.sample;
    const middle = (contender: string) => median(all(contender, 'cpuMilliseconds'));
    const least = (contender: string) => Math.min(...all(contender, 'cpuMilliseconds'));
    return [...results.keys()].map((contender) => ({
      case: name,
      contender,
      milliseconds: median(all(contender, 'milliseconds')),
      cpuMilliseconds: middle(contender),
      leastMilliseconds: least(contender),
      ratio: middle(FIRST) / middle(contender),
      leastRatio: least(FIRST) / least(contender),
      cosine: cosine(exact, results.get(contender)![0]![name]!.sample),
    }));
  });
}

function peerVersions(): Record<string, string> {
  const version = (name: string): string =>
    JSON.parse(readFileSync(join(import.meta.dirname, 'node_modules', name, 'package.json'), 'utf8')).version;
  return Object.fromEntries(['onnxruntime-web', 'onnxruntime-node'].map((name) => [name, version(name)]));
}

async function run({ json, only = '' }: { json?: boolean; only?: string }): Promise<void> {
  if (!existsSync(join(import.meta.dirname, 'node_modules/onnxruntime-web'))) {
    throw new Error('peers: expected bench/peers/node_modules, got none; run npm ci --prefix bench/peers');
  }
  if (!contenders.some((name) => name.includes(only))) {
    throw new RangeError(`--only: expected a part of ${contenders.join(', ')}; got ${only}`);
  }
  const chosen = contenders.filter((name) => name === FIRST || name === EXACT || name.includes(only));
  const results = new Map<string, Record<string, Result>[]>(chosen.map((name) => [name, []]));
  for (const name of [...chosen, ...chosen.toReversed()]) {
    if (!json) console.error(`${name} …`);
    results.get(name)!.push(await runContender(name));
  }
  const rows = rowsOf(results);
  const plain = await measurePlain();
  const where = setting();
  const versions = { ...where.versions, ...peerVersions() };
  if (json) {
    console.log(JSON.stringify({ ...where, versions, rows, plain }, null, 2));
  } else {
    console.log(`flan-t5-small's matrices, one thread each; ${settingLine({ ...where, versions })}
Medians of two rounds. "CPU" is the processor's time, which other work on the machine disturbs less, "least" that of the best run; "times ours" is
by either: above 1 is faster than ours.\n`);
    const head = ['', 'ms', 'CPU ms', 'G MAC/s', 'times ours', 'least CPU ms', 'times ours', 'cosine'];
    for (const [name, { chain, rows: count }] of Object.entries(cases)) {
      const gigaMacs = (macsOfChain(chain) * count) / 1e9;
      const lines = rows
        .filter((row) => row.case === name)
        .map((row) => [
          row.contender,
          row.milliseconds.toFixed(1),
          row.cpuMilliseconds.toFixed(1),
          ((gigaMacs / row.cpuMilliseconds) * 1000).toFixed(1),
          row.ratio.toFixed(2),
          row.leastMilliseconds.toFixed(1),
          row.leastRatio.toFixed(2),
          row.cosine.toFixed(3),
        ]);
      console.log(`${name}, ${(gigaMacs * 1000).toFixed(1)} M MAC\n${table(head, lines)}\n`);
    }
    console.log(
      `Plain TypeScript in an Azle canister: ${plain.instructions.toFixed(0)} instructions and ${(plain.milliseconds * 1e6).toFixed(0)} ns a multiply-add on the replica.`,
    );
  }
  for (const { case: name, contender, cosine } of rows) {
    if (cosine < LEAST_COSINE)
      throw new Error(`${contender}, ${name}: expected a cosine of ${LEAST_COSINE}, got ${cosine}`);
  }
}

const program = new Command('npx tsx bench/peers/run.ts')
  .description("flan-t5-small's matrices beside onnxruntime's and plain TypeScript.")
  .option('--json', 'print an object in place of tables')
  .option('--only <text>', `contenders whose name has this in it, beside ${FIRST} and ${EXACT}`)
  .action(run);

try {
  await program.parseAsync();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
