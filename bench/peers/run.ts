/**
 * How fast are the matrices of flan-t5-small beside others' on this machine? `npm ci --prefix bench/peers`, then
 * `npx tsx bench/peers/run.ts [--json] [--only onnxruntime-web]`. Every rival gets a fresh process, in which it and
 * ours run in turn, one thread. All multiply the same numbers, which is checked.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { runCommand } from '../../src/node/terminal/command.ts';
import { median, setting, settingLine, table } from '../report.ts';
import { macsOfChain } from './chains.ts';
import { cases, contenders, type Result } from './contender.ts';
import { measurePlain } from './plain.ts';

const [OURS, ...RIVALS] = contenders as [string, ...string[]];
/** Least cosine of a rival's outputs with ours: int8 activations, quantised anew in 25 matrices, lose so much. */
const LEAST_COSINE = 0.9;

/** By case, what ours and the rival took. */
type Pair = Record<string, [ours: Result, rival: Result]>;

function runBesideOurs(rival: string): Promise<Pair> {
  return new Promise((done, fail) => {
    const args = ['--import', 'tsx', join(import.meta.dirname, 'contender.ts'), OURS, rival];
    const child = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', fail);
    child.on('close', (code) => {
      if (code === 0) done(JSON.parse(output));
      else fail(new Error(`${rival}: expected exit code 0, got ${code}`));
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
  /** Time of ours by this one's in the same process, medians and best runs: above 1, this one is faster. */
  ratio: number;
  leastRatio: number;
  cosine: number;
}

const middle = ({ cpuMilliseconds }: Result): number => median(cpuMilliseconds);
const least = ({ cpuMilliseconds }: Result): number => Math.min(...cpuMilliseconds);

function row(name: string, contender: string, result: Result, ours: Result): Row {
  return {
    case: name,
    contender,
    milliseconds: median(result.milliseconds),
    cpuMilliseconds: middle(result),
    leastMilliseconds: least(result),
    ratio: middle(ours) / middle(result),
    leastRatio: least(ours) / least(result),
    cosine: cosine(ours.sample, result.sample),
  };
}

function rowsOf(pairs: ReadonlyMap<string, Pair>): Row[] {
  return Object.keys(cases).flatMap((name) => {
    const all = [...pairs.values()].map((pair) => pair[name]![0]);
    const ours: Result = {
      milliseconds: all.flatMap(({ milliseconds }) => milliseconds),
      cpuMilliseconds: all.flatMap(({ cpuMilliseconds }) => cpuMilliseconds),
      sample: all[0]!.sample,
    };
    const rivals = [...pairs].map(([rival, pair]) => row(name, rival, pair[name]![1], pair[name]![0]));
    return [row(name, OURS, ours, ours), ...rivals];
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
  const rivals = RIVALS.filter((name) => name.includes(only));
  if (rivals.length === 0) throw new RangeError(`--only: expected a part of ${RIVALS.join('; ')}; got ${only}`);
  const pairs = new Map<string, Pair>();
  for (const rival of rivals) {
    if (!json) console.error(`${rival} …`);
    pairs.set(rival, await runBesideOurs(rival));
  }
  const rows = rowsOf(pairs);
  const plain = only ? undefined : await measurePlain();
  const where = setting();
  const versions = { ...where.versions, ...peerVersions() };
  if (json) {
    console.log(JSON.stringify({ ...where, versions, rows, plain }, null, 2));
  } else {
    console.log(`flan-t5-small's matrices, one thread each; ${settingLine({ ...where, versions })}
Each beside ours in a process, run by run in turn. Medians; "CPU" is the processor's time, which other work on the machine disturbs less, "least" that of the best
run; "times ours" is by either, within the process: above 1 is faster than ours.\n`);
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
    if (plain) {
      console.log(
        `Plain TypeScript in an Azle canister: ${plain.instructions.toFixed(0)} instructions and ${(plain.milliseconds * 1e6).toFixed(0)} ns a multiply-add on the replica.`,
      );
    }
  }
  for (const { case: name, contender, cosine } of rows) {
    if (cosine < LEAST_COSINE)
      throw new Error(`${contender}, ${name}: expected a cosine of ${LEAST_COSINE}, got ${cosine}`);
  }
}

const program = new Command('npx tsx bench/peers/run.ts')
  .description("flan-t5-small's matrices beside onnxruntime's and plain TypeScript.")
  .option('--json', 'print an object in place of tables')
  .option('--only <text>', 'only rivals whose name has this in it, and no plain TypeScript')
  .action(run);

await runCommand(program);
