/** `npm run bench:instructions`: the figures of figures.ts for flan-t5-small's shape against their targets; with `--json` the bare object. */
import { Command } from 'commander';
import { type Figures, measureFigures, targets } from './figures.ts';
import { setting, settingLine, table } from './report.ts';
import { shapeNamed, shapeNames } from './shapes.ts';

const show = (value: number): string =>
  Number.isNaN(value) ? '' : value < 100 ? value.toFixed(3) : value.toLocaleString('en');

async function run({ shape, json }: { shape: string; json?: boolean }): Promise<void> {
  const figures = await measureFigures(shapeNamed(shape));
  if (json) {
    console.log(JSON.stringify(figures));
    return;
  }
  const rows = Object.entries(figures).map(([name, value]) => {
    const { target, most, pagesApart } = targets[name as keyof Figures];
    const met = Number.isNaN(target) ? '' : (most ? value <= target : value >= target) ? 'met' : 'missed';
    return [name, show(value), show(target), met, pagesApart ? 'apart' : 'included'];
  });
  console.log(`${shape}, int8, random weights; ${settingLine(setting())}\n`);
  console.log(table(['figure', 'counted', 'target for flan-t5-small', '', 'pages'], rows));
}

const program = new Command('npm run bench:instructions --')
  .description('The figures that decide, counted by the replica, against their targets.')
  .option('--shape <name>', shapeNames.slice(0, 3).join(', '), 'flan-t5-small')
  .option('--json', 'print one object')
  .showHelpAfterError()
  .action(run);

try {
  await program.parseAsync();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
