/**
 * `npx tsx bench/stages.ts --shape tinyllama-1.1b --stages 4`: a model over several canisters, random weights of a
 * known shape, cut, uploaded and really asked by 1, 4 and 8 callers at once. What does a further token take, all
 * canisters together, and which share of the time does a stage idle? The recorded messages are laid out for that with
 * one thread a canister that executes 2 B instructions a second: each begins when what caused it is through and its
 * canister is free. On the replica itself one message is executed after the other. Takes minutes; nothing of it is in
 * CI.
 */
import { createHash } from 'node:crypto';
import { Command } from 'commander';
import type { MessageRecord } from '../packages/replica/src/index.ts';
import { cutOf, cutStage } from '../src/model/pack/cut.ts';
import { decodePackHead, packHeadBytes } from '../src/model/pack/pack.ts';
import type { WeightsKind } from '../src/model/tensor-table.ts';
import { installBuilt } from '../src/node/cost/built-canister.ts';
import { allUnderWay, type Caused, causesOf, endOf, idleShares, layOut } from '../src/node/cost/layout.ts';
import { type PackSource, randomPack } from '../src/node/model/random-model.ts';
import { shapeNamed, shapeNames } from '../src/node/model/shapes.ts';
import { weightsOption, wholeNumber } from '../src/node/terminal/arguments.ts';
import { runCommand } from '../src/node/terminal/command.ts';
import { callersOf, promptsOf, TO_THE_LENGTH } from './callers.ts';
import { megabytes, millions, setting, settingLine, table } from './report.ts';

interface Options {
  shape: string;
  weights: WeightsKind;
  stages: number;
  promptTokens: number;
  tokens: number;
  callers: number[];
}

/** Instructions of a slice, and of a second. */
const SLICE = 2e9;

/** The pack of one stage, in memory. */
async function stageOf(pack: Awaited<ReturnType<typeof randomPack>>, stages: number, i: number): Promise<PackSource> {
  const bytes = new Uint8Array(pack.bytes);
  let end = 0;
  const write = (at: number, piece: Uint8Array): void => {
    bytes.set(piece, at);
    end = Math.max(end, at + piece.length);
  };
  const head = decodePackHead(pack.read(0, packHeadBytes(pack.read(0, 64))), pack.bytes);
  await cutStage(head, cutOf(head, stages), i, pack.read, { write }, createHash('sha256'));
  return { bytes: end, read: (offset, size) => bytes.subarray(offset, offset + size) };
}

/** Of each canister the share of time that it idles: while all callers' tokens are made, and from beginning to end. */
function idle(one: readonly Caused[], more: readonly Caused[], tokens: number, ids: readonly string[], round: number) {
  const [ofPrompts, all] = [one, more].map((messages) => layOut(messages, { perSecond: SLICE, round }));
  const end = endOf(all!);
  return {
    underWay: idleShares(all!, ids, ...allUnderWay(endOf(ofPrompts!), end, tokens)),
    ofAll: idleShares(all!, ids, 0, end),
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(0)}%`;
const total = (messages: readonly MessageRecord[]): number =>
  messages.reduce((sum, { instructions }) => sum + instructions.total, 0);

async function run({ shape, weights, stages, promptTokens, tokens, callers }: Options): Promise<void> {
  const began = Date.now();
  const say = (what: string): void => console.log(`${((Date.now() - began) / 1000).toFixed(0)} s: ${what}`);
  console.log(`${settingLine(setting())}\n`);
  const pack = await randomPack(shapeNamed(shape), { weights });
  const first = await installBuilt();
  const all = [first];
  while (all.length < stages) all.push(await first.another());
  for (const [i, canister] of all.entries()) {
    const part = await stageOf(pack, stages, i);
    await canister.upload(part);
    say(`stage ${i + 1} of ${stages}: ${megabytes(part.bytes)} of ${megabytes(pack.bytes)} MB`);
  }
  for (const canister of all) await canister.setStages(all);
  await first.load();
  say('loaded');
  const ids = all.map(({ canisterId }) => canisterId.toText());
  const rows: string[][] = [];
  for (const count of callers) {
    const ask = async (variant: number, max_new_tokens: number): Promise<Caused[]> => {
      const prompts = promptsOf(pack, promptTokens, count, variant);
      return await causesOf(() => first.startTogether(prompts, { ...TO_THE_LENGTH, max_new_tokens }));
    };
    const one = await ask(100 * count, 1);
    const more = await ask(100 * count + 50, tokens);
    const further =
      (total(more.map(({ record }) => record)) - total(one.map(({ record }) => record))) / (tokens - 1) / count;
    const [atOnce, hopIsRound] = [0, 1].map((round) => idle(one, more, tokens, ids, round));
    const shares = [atOnce!.underWay, hopIsRound!.underWay, atOnce!.ofAll];
    const largest = Math.max(...more.map(({ record }) => record.instructions.total));
    const ofOthers = (shares: readonly number[]): string =>
      percent(shares.slice(1).reduce((sum, share) => sum + share, 0) / (stages - 1));
    rows.push([
      String(count),
      millions(further),
      millions(largest),
      ...shares.flatMap((of) => [percent(of[0]!), ofOthers(of)]),
    ]);
    say(
      `${count} at once: ${rows.at(-1)!.join(', ')}; each: ${shares.map((of) => of.map(percent).join(' ')).join(' | ')}`,
    );
  }
  const head = [
    'callers',
    'instructions a token (M)',
    'largest message (M)',
    'first idles',
    'others idle',
    'first, a hop takes a round',
    'others, a hop takes a round',
    'first, from beginning to end',
    'others, from beginning to end',
  ];
  console.log(`\n${table(head, rows)}`);
}

await runCommand(
  new Command('npx tsx bench/stages.ts')
    .description('What a token of a model over several canisters costs, and how long stages idle, really run.')
    .option('--shape <name>', shapeNames.join(', '), 'tinyllama-1.1b')
    .addOption(weightsOption('int4'))
    .option('--stages <n>', 'canisters', wholeNumber(2, 32), 4)
    .option('--prompt-tokens <n>', 'tokens of a prompt', wholeNumber(2, 512), 8)
    .option('--tokens <n>', 'tokens of an answer', wholeNumber(2, 512), 9)
    .option('--callers <list>', 'how many at once, with commas', callersOf, [1, 4, 8])
    .action(run),
);
