/**
 * `npm run bench -- --shape NAME`: a random model of a known shape goes into the canister on the replica and answers;
 * where do the instructions go, what does a multiply-add cost in each op, how much memory, how long does it take? Fails
 * if a message takes more than a slice.
 */
import { Command } from 'commander';
import type { T5Config } from '../src/model/checkpoint/config.ts';
import type { WeightsKind } from '../src/model/tensor-table.ts';
import { buildKernels } from '../src/node/build/kernels.ts';
import { type RandomModel, randomModel } from '../src/node/model/random-model.ts';
import { macsOf, t5ShapeNamed, t5ShapeNames } from '../src/node/model/shapes.ts';
import { weightsOption } from '../src/node/terminal/arguments.ts';
import { runCommand } from '../src/node/terminal/command.ts';
import { kernelsInNode, Unit } from '../src/tensor/unit.ts';
import { type CanisterFigures, measureCanister, type Share } from './measure-canister.ts';
import { idsOf, loadT5, measureOps, nextToken, type OpRow, withoutPages } from './measure-unit.ts';
import { MeteredUnit } from './metered-unit.ts';
import { median, megabytes, millions, setting, settingLine, table } from './report.ts';

/** What one message may take, so that it runs in one slice of a round. */
const SLICE = 2_000_000_000;
/** Tokens before the step whose ops are shown: the middle of an answer of 32. */
const POSITION = 16;

interface Ops {
  tokensIn: number;
  encode: OpRow[];
  cross: OpRow[];
  step: OpRow[];
}

/** Milliseconds of the processor that a decode step takes without metering. */
async function unmeteredStep(model: RandomModel<T5Config>, tokensIn: number): Promise<number> {
  const unit = new Unit(kernelsInNode((await buildKernels()) as Uint8Array<ArrayBuffer>));
  const t5 = loadT5(unit, model);
  const session = t5.open(idsOf(tokensIn, model.config.vocabularySize), 64);
  const times = Array.from({ length: 48 }, () => {
    const before = process.cpuUsage();
    nextToken(t5, session);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return median(times.slice(16));
}

const shareRow = (what: string, s: Share): string[] => [
  what,
  ...[s.total, s.kernels, s.pages, s.systemCalls, s.typescript].map(millions),
  s.pagesTouched.toFixed(0),
  s.messages.toFixed(0),
  s.milliseconds.toFixed(1),
];

function messagesTable(f: CanisterFigures): string {
  const head = ['', 'total', 'kernels', 'pages', 'system calls', 'TypeScript', 'pages touched', 'messages', 'ms'];
  return table(head, [
    shareRow('install', f.install),
    shareRow(`upload, ${megabytes(f.packBytes)} MB`, f.upload),
    shareRow('upgrade itself', f.upgrade),
    shareRow('load after it', f.load),
    shareRow(`first token, ${f.tokensIn} in`, f.first),
    shareRow('first token, prompt cached', f.firstCached),
    shareRow('a further token, one a call', f.further),
    shareRow('a further token, auto', f.furtherAuto),
    shareRow(`answer of ${f.answerTokens}, auto`, f.answer),
  ]);
}

function opsTable(ops: readonly OpRow[]): string {
  const rows = ops.map(({ op, count, macs, cost }) => [
    op,
    String(count),
    millions(macs),
    millions(withoutPages(cost)),
    macs ? (withoutPages(cost) / macs).toFixed(3) : '',
  ]);
  const macs = ops.reduce((sum, row) => sum + row.macs, 0);
  const instructions = ops.reduce((sum, row) => sum + withoutPages(row.cost), 0);
  rows.push(['all', '', millions(macs), millions(instructions), (instructions / macs).toFixed(3)]);
  return table(['op', 'times', 'M MAC', 'M instructions', 'a MAC'], rows);
}

async function run({ shape, weights, json }: { shape: string; weights: WeightsKind; json?: boolean }): Promise<void> {
  const found = t5ShapeNamed(shape);
  const progress = (step: string): void => {
    if (!json && process.stderr.isTTY) process.stderr.write(`\r\x1b[K${step} …`);
  };
  progress('making the model');
  const model = await randomModel(found, { weights });
  const figures = await measureCanister(model, { onProgress: progress });
  progress('op by op');
  const unit = await MeteredUnit.create();
  const t5 = loadT5(unit, model);
  const ops: Ops[] = [figures.tokensIn, 128].map((tokensIn) => ({
    tokensIn,
    ...measureOps(unit, t5, tokensIn, POSITION),
  }));
  const stepMilliseconds = await unmeteredStep(model, figures.tokensIn);
  progress('');
  if (process.stderr.isTTY && !json) process.stderr.write('\r\x1b[K');

  const where = setting();
  const macs = macsOf(found);
  if (json) {
    console.log(JSON.stringify({ shape, weights, ...where, macs, canister: figures, ops, stepMilliseconds }, null, 2));
  } else {
    const { largest, heapBytes, arenaBytes } = figures;
    const [short, long] = ops as [Ops, Ops];
    console.log(`${shape}: ${megabytes(figures.packBytes)} MB in ${weights}, random weights; ${settingLine(where)}
Counted by the replica (rules of 2026), in millions of instructions. ${figures.tokensIn} tokens in, ${figures.tokensOut} out. "kernels" were run alone, op by op;
"pages" are first touches and first writes of 64 KiB; "TypeScript" is everything else. A token "one a call" is the self-call and its callback.

${messagesTable(figures)}

Heap ${megabytes(heapBytes)} MB at its peak, of it ${megabytes(arenaBytes)} MB arena. Of a further token one a call, ${millions(figures.furtherInUnit)} M are the unit's, the pages it touches included, and ${millions(
      figures.further.total - figures.furtherInUnit,
    )} M TypeScript's and its messages', with theirs.
A decode step takes ${stepMilliseconds.toFixed(1)} ms of the processor in Node without metering (median).
Largest message: ${largest.kind} ${largest.method}, ${millions(largest.instructions)} M.

A decode step at position ${POSITION}, ${short.tokensIn} tokens in, in the kernels alone, pages apart:
${opsTable(short.step)}

Encoder, ${long.tokensIn} tokens in:
${opsTable(long.encode)}

Cross keys and values, ${long.tokensIn} tokens in:
${opsTable(long.cross)}`);
  }
  const { largest } = figures;
  if (largest.instructions > SLICE) {
    console.error(
      `bench: expected no message above ${millions(SLICE)} M instructions, got ${largest.kind} ${largest.method} with ${millions(largest.instructions)} M`,
    );
    process.exitCode = 1;
  }
}

const program = new Command('npm run bench --')
  .description('What a model of a shape costs in the canister, with random weights from a seed.')
  .option('--shape <name>', t5ShapeNames.slice(0, 3).join(', '), 'flan-t5-small')
  .addOption(weightsOption())
  .option('--json', 'print an object in place of tables')
  .showHelpAfterError()
  .action(run);

await runCommand(program);
