/**
 * `npx tsx bench/streamed.ts --shape tinyllama-1.1b --arena-mib 256`: a model larger than the arena, random weights of
 * a known shape, uploaded to the canister on the replica and really asked: what does a further token take, alone and in
 * company, in how many messages, and how large is the heap? `--arena-mib 0` leaves the setting as it is. Takes as much
 * memory as the pack and the heap have, and minutes; nothing of it is in CI.
 */
import { Command } from 'commander';
import type { MessageRecord } from '../packages/replica/src/index.ts';
import type { WeightsKind } from '../src/model/tensor-table.ts';
import { installBuilt } from '../src/node/cost/built-canister.ts';
import { randomPack } from '../src/node/model/random-model.ts';
import { shapeNamed, shapeNames } from '../src/node/model/shapes.ts';
import { weightsOption, wholeNumber } from '../src/node/terminal/arguments.ts';
import { runCommand } from '../src/node/terminal/command.ts';
import { callersOf, promptsOf, TO_THE_LENGTH } from './callers.ts';
import { megabytes, millions, setting, settingLine, table } from './report.ts';

interface Options {
  shape: string;
  weights: WeightsKind;
  arenaMib: number;
  promptTokens: number;
  tokens: number;
  callers: number[];
}

interface Taken {
  instructions: number;
  pages: number;
  messages: number;
  largest: number;
}

function takenBy(messages: readonly MessageRecord[]): Taken {
  // what waits looks on in messages of its own, which make no token
  const sum = (of: (record: MessageRecord) => number): number => messages.reduce((total, m) => total + of(m), 0);
  return {
    instructions: sum(({ instructions }) => instructions.total),
    pages: sum(({ instructions }) => instructions.pages),
    messages: messages.filter(({ instructions }) => instructions.total > 100e6).length,
    largest: Math.max(...messages.map(({ instructions }) => instructions.total)),
  };
}

async function run({ shape, weights, arenaMib, promptTokens, tokens, callers }: Options): Promise<void> {
  const began = Date.now();
  const say = (what: string): void => console.log(`${((Date.now() - began) / 1000).toFixed(0)} s: ${what}`);
  console.log(`${settingLine(setting())}\n`);
  const pack = await randomPack(shapeNamed(shape), { weights });
  say(`${shape}, ${weights}: ${megabytes(pack.bytes)} MB, of them ${megabytes(pack.head.weightsBytes)} MB weights`);
  const canister = await installBuilt();
  if (arenaMib > 0) await canister.set({ arena_bytes: BigInt(arenaMib) << 20n });
  const before = canister.cycles;
  await canister.upload(pack);
  say(`uploaded, for ${(Number(before - canister.cycles) / 1e12).toFixed(3)} T cycles`);
  // the first answer brings the weights that stay
  await canister.load();
  say('loaded');
  const rows: string[][] = [];
  let largest = 0;
  for (const count of callers) {
    const ask = async (variant: number, max_new_tokens: number): Promise<Taken> => {
      const prompts = promptsOf(pack, promptTokens, count, variant);
      return takenBy(await canister.askTogether(prompts, { ...TO_THE_LENGTH, max_new_tokens }));
    };
    // other prompts, of which nothing is kept
    const one = await ask(10 * count, 1);
    const all = await ask(10 * count + 5, tokens);
    largest = Math.max(largest, one.largest, all.largest);
    const further = (what: keyof Taken): number => (all[what] - one[what]) / (tokens - 1) / count;
    rows.push([
      String(count),
      millions(one.instructions / count),
      millions(further('instructions')),
      millions(further('pages')),
      (further('messages') * count).toFixed(1),
    ]);
    say(`${count} at once: ${rows.at(-1)!.join(', ')}`);
  }
  const head = [
    'callers',
    `${promptTokens} in and one token, M`,
    'a further token, M',
    'of it pages',
    'messages of a step',
  ];
  console.log(`
${table(head, rows)}

Streamed ${megabytes(await canister.streamedBytes())} MB of ${megabytes(pack.head.weightsBytes)} MB; heap ${megabytes(canister.heapBytes)} MB, of it \
${megabytes(await canister.arenaBytes())} MB arena. Largest message ${millions(largest)} M.`);
}

await runCommand(
  new Command('npx tsx bench/streamed.ts')
    .description('What a token of a model larger than the arena costs, really run.')
    .option('--shape <name>', shapeNames.join(', '), 'tinyllama-1.1b')
    .addOption(weightsOption('int4'))
    .option('--arena-mib <n>', 'arena_bytes in MiB; 0: as it is', wholeNumber(0, 2816), 256)
    .option('--prompt-tokens <n>', 'tokens of a prompt', wholeNumber(2, 512), 8)
    .option('--tokens <n>', 'tokens of an answer', wholeNumber(2, 512), 4)
    .option('--callers <list>', 'how many at once, with commas', callersOf, [1, 4])
    .action(run),
);
