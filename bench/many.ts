/**
 * `npx tsx bench/many.ts`: what does a token cost when several answers are made at once? For each number of callers of
 * `generate_with` that come together: instructions, cycles and time of a further token, all messages counted. Prints a
 * table; `--svg FILE` draws it.
 */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { installBuilt } from '../src/node/cost/built-canister.ts';
import { promptOf, randomModel } from '../src/node/model/random-model.ts';
import { shapeNamed } from '../src/node/model/shapes.ts';
import { runCommand } from '../src/node/terminal/command.ts';
import { growthPlot, type Line } from './growth-plot.ts';
import { shareOf } from './measure-canister.ts';
import { millions, setting, settingLine, table } from './report.ts';

const [TOKENS_IN, TOKENS_OUT] = [33, 32];
const CALLERS = [1, 2, 4, 8, 16, 32];

/** Of a further token. */
interface Figures {
  callers: number;
  instructions: number;
  /** All that the canister was charged: instructions, and fees of messages. */
  cycles: number;
  milliseconds: number;
}

async function measure(shape: string, perCall: 'one' | 'auto'): Promise<Figures[]> {
  const model = await randomModel(shapeNamed(shape), { weights: 'int8' });
  const canister = await installBuilt();
  await canister.upload(model.pack);
  const prompt = promptOf(model.tokenizer, TOKENS_IN);
  const tokens_per_call = perCall === 'one' ? { fixed: 1 } : { auto: null };
  await canister.generate(prompt, TOKENS_OUT, tokens_per_call);
  const found: Figures[] = [];
  for (const callers of CALLERS) {
    const prompts = Array<string>(callers).fill(prompt);
    const took = async (max_new_tokens: number): Promise<Omit<Figures, 'callers'>> => {
      const before = canister.cycles;
      const share = shareOf(await canister.askTogether(prompts, { max_new_tokens, tokens_per_call }));
      const { total: instructions, milliseconds } = share;
      return { instructions, cycles: Number(before - canister.cycles), milliseconds };
    };
    const [one, all] = [await took(1), await took(TOKENS_OUT)];
    const further = (what: keyof typeof one): number => (all[what] - one[what]) / (callers * (TOKENS_OUT - 1));
    found.push({
      callers,
      instructions: further('instructions'),
      cycles: further('cycles'),
      milliseconds: further('milliseconds'),
    });
  }
  return found;
}

async function run({ shape, svg }: { shape: string; svg?: string }): Promise<void> {
  console.log(`${settingLine(setting())}\n`);
  const lines: Line[] = [];
  for (const perCall of ['one', 'auto'] as const) {
    const figures = await measure(shape, perCall);
    const name = perCall === 'one' ? 'one token a call' : 'auto';
    lines.push({ name, points: figures.map(({ callers, instructions }) => [callers, instructions]) });
    const rows = figures.map(({ callers, instructions, cycles, milliseconds }) => [
      String(callers),
      millions(instructions),
      millions(cycles),
      milliseconds.toFixed(2),
      (1000 / milliseconds).toFixed(0),
    ]);
    const head = ['callers', 'M instructions a token', 'M cycles', 'ms, V8, metered', 'tokens a second'];
    console.log(`${shape}, int8, ${TOKENS_IN} in, ${TOKENS_OUT} out, ${name}:\n${table(head, rows)}\n`);
  }
  if (svg) await writeFile(svg, growthPlot(`${shape}: instructions of a token by callers`, lines, []));
}

await runCommand(
  new Command('npx tsx bench/many.ts')
    .description('What a token costs when several answers are made at once.')
    .option('--shape <name>', 'of the model', 'flan-t5-small')
    .option('--svg <file>', 'also draw it')
    .action(run),
);
