/**
 * `npm run bench:instructions`: the figures of figures.ts for flan-t5-small's shape against their targets; with
 * `--json` the bare object.
 */
import { Command } from 'commander';
import type { WeightsKind } from '../src/model/tensor-table.ts';
import { t5ShapeNamed, t5ShapeNames } from '../src/node/model/shapes.ts';
import { weightsOption } from '../src/node/terminal/arguments.ts';
import { runCommand } from '../src/node/terminal/command.ts';
import { type Figures, measureFigures, targets } from './figures.ts';
import { setting, settingLine, table } from './report.ts';
import { measureSmolLM2, type SmolLM2Figures, smollm2Targets } from './smollm2.ts';

const show = (value: number): string =>
  Number.isNaN(value) ? '' : value < 100 ? value.toFixed(3) : value.toLocaleString('en');

async function run({ shape, weights, json }: { shape: string; weights: WeightsKind; json?: boolean }): Promise<void> {
  const figures = { ...(await measureFigures(t5ShapeNamed(shape), weights)), ...(await measureSmolLM2()) };
  const all = { ...targets, ...smollm2Targets };
  if (json) {
    console.log(JSON.stringify(figures));
    return;
  }
  const rows = Object.entries(figures).map(([name, value]) => {
    const { target, most, pagesApart } = all[name as keyof (Figures & SmolLM2Figures)];
    const met = Number.isNaN(target) ? '' : (most ? value <= target : value >= target) ? 'met' : 'missed';
    return [name, show(value), show(target), met, pagesApart ? 'apart' : 'included'];
  });
  console.log(`${shape}, ${weights}, random weights; ${settingLine(setting())}\n`);
  console.log(table(['figure', 'counted', 'target for flan-t5-small', '', 'pages'], rows));
}

const program = new Command('npm run bench:instructions --')
  .description('The figures that decide, counted by the replica, against their targets.')
  .option('--shape <name>', t5ShapeNames.slice(0, 3).join(', '), 'flan-t5-small')
  .addOption(weightsOption())
  .option('--json', 'print one object')
  .showHelpAfterError()
  .action(run);

await runCommand(program);
