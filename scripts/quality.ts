/**
 * `npm run quality`: what quantised weights lose against float32. Goes through the float32 model's own greedy answers
 * with each kind of weights, and compares logits and choices position by position; with questions whose answers are
 * known, it also counts right ones. A decoder-only model is taken through a text: how far its probabilities are from
 * float32's, how many of its choices are float32's, and the perplexity.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import type { WeightsKind } from '../src/model/tensor-table.ts';
import { projectRoot } from '../src/node/build/project.ts';
import { findModel } from '../src/node/model/find-model.ts';
import { type LocalModel, openLocalModel } from '../src/node/model/local-model.ts';
import {
  agreement,
  goThrough,
  meanDivergence,
  type Position,
  perplexity,
  SURE_MARGIN,
} from '../src/node/model/text-quality.ts';
import { wholeNumber } from '../src/node/terminal/arguments.ts';
import { runCommand, userPath } from '../src/node/terminal/command.ts';

const QUANTISED: readonly WeightsKind[] = ['int8', 'int4'];
const MAX_NEW_TOKENS = 100;
/** Prompts whose logits are compared; answers are counted over all. */
const COMPARED = 40;

interface Question {
  prompt: string;
  /** Undefined where nobody knows. */
  answer?: string;
}

interface Answer {
  ids: number[];
  text: string;
}

interface Comparison {
  weights: WeightsKind;
  /** Of the logits at a position with float32's, the least and the mean. */
  cosine: { least: number; mean: number };
  largestError: number;
  equalTokens: { same: number; all: number };
  equalAnswers: number;
  right: number;
}

const program = new Command('npm run quality --')
  .description('Compares quantised weights with float32 on a model.')
  .option('--model <path>', 'model folder, GGUF file or hub id (default: models/little-flan)')
  .option(
    '--questions <file>',
    "a prompt a line, then a tab and the right answer, if known (default: the folder's questions.tsv)",
  )
  .option('--text <file>', 'of a decoder-only model: the text that it goes through (default: LICENSE)')
  .option('--tokens <n>', 'of that text, how many tokens', wholeNumber(2, 8192), 700)
  .option('--json', 'print one JSON object')
  .action(quality);

async function readQuestions(file: string): Promise<Question[]> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new Error(`quality: expected questions in ${file}, got ${error.message}; name another with --questions`);
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [prompt, answer] = line.split('\t');
      return { prompt: prompt!, answer };
    });
}

function greedy({ model, config, tokenizer }: LocalModel, promptIds: number[]): Answer {
  const session = model.open(promptIds, MAX_NEW_TOKENS);
  const stops = config.eosTokenIds as number[];
  do {
    model.step([session]);
    session.targetIds.push(model.greedy(0));
  } while (session.targetIds.length <= MAX_NEW_TOKENS && !stops.includes(session.targetIds.at(-1)!));
  model.close(session);
  const ids = session.targetIds.slice(1);
  return { ids, text: tokenizer!.decode(ids) };
}

/** Logits and choices at every position of a given answer. */
function through(
  { model }: LocalModel,
  promptIds: number[],
  ids: number[],
): { logits: Float32Array; choice: number }[] {
  const session = model.open(promptIds, ids.length);
  const rows = ids.map((id) => {
    model.step([session]);
    const row = { logits: model.logits(), choice: model.greedy(0) };
    session.targetIds.push(id);
    return row;
  });
  model.close(session);
  return rows;
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

function compare(
  exact: LocalModel,
  other: LocalModel,
  weights: WeightsKind,
  questions: Question[],
  answers: Answer[],
): Comparison {
  const cosines: number[] = [];
  let largestError = 0;
  const equalTokens = { same: 0, all: 0 };
  for (const [i, { prompt }] of questions.slice(0, COMPARED).entries()) {
    const promptIds = exact.tokenizer!.encode(prompt);
    const { ids } = answers[i]!;
    const theirs = through(other, promptIds, ids);
    for (const [position, ours] of through(exact, promptIds, ids).entries()) {
      const { logits, choice } = theirs[position]!;
      cosines.push(cosine(ours.logits, logits));
      for (let j = 0; j < logits.length; j++)
        largestError = Math.max(largestError, Math.abs(ours.logits[j]! - logits[j]!));
      equalTokens.all += 1;
      if (choice === ours.choice) equalTokens.same += 1;
    }
  }
  const found = questions.map(({ prompt }) => greedy(other, other.tokenizer!.encode(prompt)));
  return {
    weights,
    cosine: { least: Math.min(...cosines), mean: cosines.reduce((sum, c) => sum + c, 0) / cosines.length },
    largestError,
    equalTokens,
    equalAnswers: found.filter(({ text }, i) => text === answers[i]!.text).length,
    right: rightOf(questions, found),
  };
}

const rightOf = (questions: Question[], found: Answer[]): number =>
  questions.filter(({ answer }, i) => answer !== undefined && answer === found[i]!.text).length;

interface Options {
  model?: string;
  questions?: string;
  text?: string;
  tokens: number;
  json?: boolean;
}

/** Of a decoder-only model. */
async function ofText(dir: string, exact: LocalModel, { text, tokens, json }: Options): Promise<void> {
  const file = text === undefined ? join(projectRoot, 'LICENSE') : userPath(text);
  const ids = exact.tokenizer!.encode(await readFile(file, 'utf8')).slice(0, tokens);
  if (ids.length < 2) throw new Error(`quality: expected a text of 2 tokens or more in ${file}, got ${ids.length}`);
  const models = [exact.model];
  for (const weights of QUANTISED) models.push((await openLocalModel(dir, weights)).model);
  const [float32, ...others] = goThrough(models, ids) as [Position[], ...Position[][]];
  const quantised = others.map((positions, i) => ({
    weights: QUANTISED[i]!,
    divergence: meanDivergence(positions),
    perplexity: perplexity(positions),
    ...agreement(float32, positions),
  }));
  if (json) {
    console.log(JSON.stringify({ tokens: ids.length, float32: { perplexity: perplexity(float32) }, quantised }));
    return;
  }
  console.log(`${dir}: ${ids.length} tokens of ${file}`);
  console.log(`float32  perplexity ${perplexity(float32).toFixed(3)}`);
  for (const { weights, divergence, perplexity: found, all, sure } of quantised) {
    const more = (100 * (found / perplexity(float32) - 1)).toFixed(2);
    console.log(`${weights.padEnd(8)} perplexity ${found.toFixed(3)}, ${more}% more than float32's`);
    console.log(`         Kullback-Leibler divergence from float32 ${divergence.toPrecision(3)} nats a token`);
    console.log(`         choices as float32's ${percent(all.same, all.all)}`);
    console.log(`         where float32's margin is ${SURE_MARGIN} or more ${percent(sure.same, sure.all)}`);
  }
}

const percent = (part: number, all: number): string => `${part} of ${all} (${((100 * part) / all).toFixed(1)}%)`;

async function quality(options: Options): Promise<void> {
  const dir = await findModel(options.model);
  const exact = await openLocalModel(dir, 'float32');
  if (!exact.tokenizer) throw new Error(`quality: expected a tokenizer in ${dir}, got none`);
  if (!exact.model.hasEncoder) return await ofText(dir, exact, options);
  const questions = await readQuestions(options.questions ?? join(dir, 'questions.tsv'));
  const answers = questions.map(({ prompt }) => greedy(exact, exact.tokenizer!.encode(prompt)));
  const known = questions.filter(({ answer }) => answer !== undefined).length;
  const float32 = { weights: 'float32', right: rightOf(questions, answers) };
  const rows: Comparison[] = [];
  for (const weights of QUANTISED) {
    rows.push(compare(exact, await openLocalModel(dir, weights), weights, questions, answers));
  }
  if (options.json) {
    console.log(JSON.stringify({ questions: questions.length, known, float32, quantised: rows }));
    return;
  }
  console.log(
    `${dir}: ${questions.length} questions, logits compared on the first ${Math.min(COMPARED, questions.length)}`,
  );
  console.log(`float32  right answers ${percent(float32.right, known)}`);
  for (const r of rows) {
    console.log(
      `${r.weights.padEnd(8)} right answers ${percent(r.right, known)}, answers as float32's ${percent(r.equalAnswers, questions.length)}`,
    );
    console.log(`         greedy tokens as float32's ${percent(r.equalTokens.same, r.equalTokens.all)}`);
    console.log(
      `         logits: cosine at least ${r.cosine.least.toFixed(5)}, mean ${r.cosine.mean.toFixed(6)}; largest error ${r.largestError.toFixed(3)}`,
    );
  }
}

await runCommand(program);
