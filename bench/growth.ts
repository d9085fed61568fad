/**
 * `npx tsx bench/growth.ts`: how does cost grow with the prompt, the answer and the model? The kernels' part is run
 * (instructions do not depend on the weights' values, so they are all alike, and a stack of many equal layers is worked
 * out from one of one and one of two); the canister's own part is little-flan's, since it does not depend on the model.
 * Prints tables; `--svg FILE` draws them.
 */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { fees } from '../packages/replica/src/cycles.ts';
import { packTensors } from '../src/model/families/registry.ts';
import { T5 } from '../src/model/families/t5/t5.ts';
import { packWeightsBytes } from '../src/model/tensor-table.ts';
import type { Resident } from '../src/model/weight-places.ts';
import { randomModel } from '../src/node/model/random-model.ts';
import { macsOf, type T5Named, t5ShapeNamed } from '../src/node/model/shapes.ts';
import { runCommand } from '../src/node/terminal/command.ts';
import { xdrOf } from '../src/node/terminal/numbers.ts';
import { Arena } from '../src/tensor/arena.ts';
import { growthPlot, type Line } from './growth-plot.ts';
import { measureCanister } from './measure-canister.ts';
import { measureAnswer, withoutPages } from './measure-unit.ts';
import { MeteredUnit } from './metered-unit.ts';
import { megabytes, millions, setting, settingLine, table } from './report.ts';

const TOKENS_IN = [1, 8, 33, 64, 128, 256, 512];
const TOKENS_OUT = [1, 8, 32, 64, 128, 256];
const SHAPES = ['flan-t5-small', 'flan-t5-base', 'flan-t5-large', 'flan-t5-xl'];
const [SLICE, QUERY, UPDATE] = [2e9, 5e9, 40e9];
const PAGE = 65_536;
/** An update costs so many cycles besides its instructions. */
const MESSAGE_CYCLES = Number(fees.execution);

/** A model of this shape with `layers` layers in both stacks, on the metered kernels. */
async function onKernels(shape: T5Named, layers: number): Promise<{ unit: MeteredUnit; t5: T5 }> {
  const unit = await MeteredUnit.create();
  const config = { ...shape.config, numLayers: layers, numDecoderLayers: layers };
  const t5 = new T5(unit, new Arena(unit), { config, weights: 'int8', tiedHead: false });
  // as int8 60, as float32 0.0115
  const piece = new Uint8Array(1 << 20).fill(0x3c);
  const [{ at: weightsAt, bytes }] = t5.weights.resident as [Resident];
  for (let at = 0; at < bytes; at += piece.length) {
    unit.write(weightsAt + at, piece.subarray(0, Math.min(piece.length, bytes - at)));
  }
  return { unit, t5 };
}

interface Costs {
  /** Encoder, cross keys and values; pages apart. */
  prompt: number;
  promptPages: number;
  /** Of each token; pages apart. */
  steps: number[];
  /** What touching a step's pages costs. */
  stepPages: number;
}

async function measureLayers(shape: T5Named, layers: number, tokensIn: number, tokensOut: number): Promise<Costs> {
  const { unit, t5 } = await onKernels(shape, layers);
  return costsOf(unit, t5, tokensIn, tokensOut);
}

function costsOf(unit: MeteredUnit, t5: T5, tokensIn: number, tokensOut: number): Costs {
  const { encode, cross, steps } = measureAnswer(unit, t5, tokensIn, tokensOut);
  return {
    prompt: withoutPages(encode) + withoutPages(cross),
    promptPages: encode.pages + cross.pages,
    steps: steps.map(withoutPages),
    stepPages: steps.at(-1)!.pages,
  };
}

/** Every layer costs the same: cost(L) = cost(1) + (L - 1) (cost(2) - cost(1)). */
async function measureByFormula(shape: T5Named, tokensIn: number, tokensOut: number): Promise<Costs> {
  const [one, two] = [
    await measureLayers(shape, 1, tokensIn, tokensOut),
    await measureLayers(shape, 2, tokensIn, tokensOut),
  ];
  const at = (a: number, b: number): number => a + (shape.config.numLayers - 1) * (b - a);
  return {
    prompt: at(one.prompt, two.prompt),
    promptPages: at(one.promptPages, two.promptPages),
    steps: one.steps.map((step, i) => at(step, two.steps[i]!)),
    stepPages: at(one.stepPages, two.stepPages),
  };
}

/**
 * What the canister adds: to a token one a call, to one of many in a call, and to an answer; and the pages of a call
 * that is all TypeScript.
 */
async function measureOverhead(): Promise<{ oneByOne: number; auto: number; answer: number; call: number }> {
  const { further, furtherAuto, furtherInUnit, firstCached } = await measureCanister(
    await randomModel(t5ShapeNamed('little-flan')),
  );
  return {
    oneByOne: further.total - furtherInUnit,
    auto: furtherAuto.typescript + furtherAuto.systemCalls,
    answer: firstCached.typescript + firstCached.systemCalls,
    call: firstCached.pages,
  };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

type Overhead = Awaited<ReturnType<typeof measureOverhead>>;

/** Instructions of all messages of an answer, prompt of 33. */
function wholeAnswer(answer: Costs, overhead: Overhead, tokens: number, auto: boolean): number {
  const work = answer.prompt + answer.promptPages + overhead.answer + sum(answer.steps.slice(0, tokens));
  if (!auto) return work + overhead.call + tokens * (answer.stepPages + overhead.oneByOne);
  const slices = Math.ceil(work / SLICE);
  return work + tokens * overhead.auto + slices * (answer.stepPages + overhead.call);
}

const promptTable = (byPrompt: readonly Costs[], overhead: Overhead, promptToken: number): string =>
  table(
    ['tokens in', 'encode', 'a MAC', 'a token, auto', 'a token, one a call'],
    byPrompt.map((costs, i) => [
      String(TOKENS_IN[i]),
      millions(costs.prompt + costs.promptPages),
      (costs.prompt / promptToken / TOKENS_IN[i]!).toFixed(3),
      millions(costs.steps[1]! + overhead.auto),
      millions(costs.steps[1]! + costs.stepPages + overhead.oneByOne),
    ]),
  );

const answerTable = (whole: (tokens: number, auto: boolean) => number): string =>
  table(
    ['tokens out', 'auto', 'one a call', 'XDR auto', 'XDR one a call'],
    TOKENS_OUT.map((tokens) => [
      String(tokens),
      millions(whole(tokens, true)),
      millions(whole(tokens, false)),
      xdrOf(whole(tokens, true) + MESSAGE_CYCLES).toFixed(4),
      xdrOf(whole(tokens, false) + tokens * MESSAGE_CYCLES).toFixed(4),
    ]),
  );

async function shapeTable(overhead: Overhead): Promise<string> {
  const head = ['', 'MB', 'M MAC a token', 'encode 33', 'a token, auto', 'a token, one a call', '2 B', '5 B', '40 B'];
  const rows: string[][] = [];
  for (const name of SHAPES) {
    const shape = t5ShapeNamed(name);
    const { prompt, promptPages, steps, stepPages } = await measureByFormula(shape, 33, 17);
    const step = steps[16]!;
    const further = step + overhead.auto;
    const fits = (limit: number): string =>
      String(Math.max(0, Math.floor((limit - stepPages - overhead.call) / further)));
    const tensors = packTensors({ config: shape.config, weights: 'int8', tiedHead: false });
    rows.push([
      name,
      megabytes(packWeightsBytes(tensors)),
      millions(macsOf(shape).step),
      millions(prompt + promptPages),
      millions(further),
      millions(step + stepPages + overhead.oneByOne),
      ...[SLICE, QUERY, UPDATE].map(fits),
    ]);
  }
  return table(head, rows);
}

function plotOf(byPrompt: readonly Costs[], whole: (tokens: number, auto: boolean) => number): string {
  const lines: Line[] = [
    {
      name: 'prompt of n tokens',
      points: TOKENS_IN.map((n, i) => [n, byPrompt[i]!.prompt + byPrompt[i]!.promptPages]),
    },
    { name: 'answer of n tokens, auto', points: TOKENS_OUT.map((n) => [n, whole(n, true)]) },
    { name: 'answer of n tokens, one a call', points: TOKENS_OUT.map((n) => [n, whole(n, false)]) },
  ];
  const limits = [
    { name: 'slice, 2 B', value: SLICE },
    { name: 'query, 5 B', value: QUERY },
    { name: 'update, 40 B', value: UPDATE },
  ];
  return growthPlot('flan-t5-small: instructions by tokens', lines, limits);
}

async function run({ svg }: { svg?: string }): Promise<void> {
  const small = t5ShapeNamed('flan-t5-small');
  const overhead = await measureOverhead();
  const { unit, t5 } = await onKernels(small, small.config.numLayers);
  const byPrompt = TOKENS_IN.map((tokensIn) => costsOf(unit, t5, tokensIn, 2));
  const answer = costsOf(unit, t5, 33, Math.max(...TOKENS_OUT));
  const macs = macsOf(small);
  const whole = (tokens: number, auto: boolean): number => wholeAnswer(answer, overhead, tokens, auto);

  console.log(`How cost grows; ${settingLine(setting())}

flan-t5-small, millions of instructions, pages included:
${promptTable(byPrompt, overhead, macs.promptToken)}

flan-t5-small, 33 in, the whole answer, millions of instructions:
${answerTable(whole)}

By shape, millions of instructions, 33 in, position 16; tokens that fit a slice of 2 B, a query's 5 B, an update's 40 B:
${await shapeTable(overhead)}

A step of flan-t5-small touches ${(answer.stepPages / 80_000).toFixed(0)} pages' worth of charges; its weights alone lie \
in ${Math.ceil(macs.step / PAGE)}.`);
  if (svg) await writeFile(svg, plotOf(byPrompt, whole));
}

const program = new Command('npx tsx bench/growth.ts')
  .description('How cost grows with the prompt, the answer and the model.')
  .option('--svg <file>', 'also draw it')
  .action(run);

await runCommand(program);
