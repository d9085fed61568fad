/**
 * Costs of a model that is too large to be run whole: worked out from two models of the same shape that have two and
 * three layers, both run. All layers of a stack cost alike; a byte that is read from stable memory costs the same
 * whichever layer it is of.
 */
import { MAX_ROWS } from '../../model/batch.ts';
import { type ModelConfig, shapeOf } from '../../model/families/registry.ts';
import type { WeightsKind } from '../../model/tensor-table.ts';
import { type RandomPack, randomPack } from '../model/random-model.ts';
import { layersOf, type Shape, withLayers } from '../model/shapes.ts';
import { type AnswerCosts, type Costs, measureAnswers, measured, type Work } from './measure.ts';
import { arenaToStreamAll, type Places, placesOf } from './places.ts';

/** A pack of more bytes is worked out. */
export const LARGEST_RUN = 200_000_000;

/** A message begins no op after so many instructions (src/canister/runtime/unit.ts). */
const MESSAGE_BUDGET = 1_500_000_000;
/** What each message of a token beside the first takes: TypeScript, its pages, the call and its reply. */
const FURTHER_MESSAGE = 35_000_000;
const MESSAGES_OF_A_STEP = 2;

type Asked = Pick<Work, 'promptTokens' | 'tokens' | 'arenaBytes' | 'onProgress'>;

export interface LargeModel {
  shape: Shape;
  weights: WeightsKind;
  packBytes: number;
  tokenizerBytes: number;
}

export const packShapeOf = ({ family, config }: Shape, weights: WeightsKind) =>
  shapeOf({ family, weights, tiedHead: config.tieWordEmbeddings }, config);

/** @throws Error where the arena has no room for the model, or the canister refuses */
export async function workOutCosts(model: LargeModel, asked: Asked): Promise<{ costs: Costs; places: Places }> {
  const { shape, weights, packBytes, tokenizerBytes } = model;
  const places = placesOf(packShapeOf(shape, weights), tokenizerBytes, asked.arenaBytes);
  const isStreamed = places.streamedBytes > 0;
  const small = await runWith(2, model, asked, isStreamed);
  const large = await runWith(3, model, asked, isStreamed);
  const layers = layersOf(shape);
  const byLayers = (of: (run: Run) => number): number => of(small) + (layers - 2) * (of(large) - of(small));
  const byBytes = (bytes: number, x: (run: Run) => number, of: (run: Run) => number): number =>
    of(large) + ((bytes - x(large)) * (of(large) - of(small))) / (x(large) - x(small));
  const answers = answersOf((name) => byLayers(({ costs }) => costs[name]));
  if (isStreamed) addReading(answers, small, large, bytesRead(places, asked));
  addMessages(answers, asked.tokens);
  // the heap is the arena and what is beside it, and stable memory has the pack
  const { costs, packBytes: of, places: at } = large;
  const storageBytes = costs.storageBytes + (packBytes - of) + (places.usedBytes - at.usedBytes);
  return {
    places,
    costs: {
      ...costs,
      ...answers,
      upload: byBytes(
        packBytes,
        (run) => run.packBytes,
        (run) => run.costs.upload,
      ),
      storageBytes,
      storageDay: byBytes(
        storageBytes,
        (run) => run.costs.storageBytes,
        (run) => run.costs.storageDay,
      ),
    },
  };
}

interface Run {
  packBytes: number;
  places: Places;
  costs: Costs;
  /** What answers cost more where all layers are streamed, and the bytes that they read. */
  more?: Record<keyof AnswerCosts, number>;
  read?: Record<keyof AnswerCosts, number>;
}

const ANSWERS = ['generate', 'start', 'auto', 'token', 'tokenMessages', 'tokenInstructions'] as const;
const answersOf = (of: (name: keyof AnswerCosts) => number): Record<keyof AnswerCosts, number> =>
  Object.fromEntries(ANSWERS.map((name) => [name, of(name)])) as Record<keyof AnswerCosts, number>;

async function runWith(
  layers: number,
  { shape, weights }: LargeModel,
  asked: Asked,
  isStreamed: boolean,
): Promise<Run> {
  const cut = withLayers(shape, layers);
  const say = (step: string): void => asked.onProgress?.(`${layers} layers of ${layersOf(shape)}: ${step}`);
  say('making random weights');
  const pack = await randomPack(cut, { weights });
  const work = { ...asked, pack, tokenizer: pack.tokenizer, arenaBytes: undefined, onProgress: say };
  const { canister, costs } = await measured(work);
  const places = placesOf(packShapeOf(cut, weights), pack.head.tokenizerBytes);
  if (!isStreamed) return { packBytes: pack.bytes, places, costs };
  const few = placesOf(packShapeOf(cut, weights), pack.head.tokenizerBytes, arenaFor(cut, weights, pack));
  await canister.set({ arena_bytes: BigInt(few.arenaBytes) });
  await canister.upgrade();
  const slow = await measureAnswers(canister, { ...work, onProgress: (step) => say(`streamed, ${step}`) }, 50);
  const more = answersOf((name) => slow[name] - costs[name]);
  return { packBytes: pack.bytes, places, costs, more, read: bytesRead(few, asked) };
}

/** Room for the answers, too. */
const arenaFor = (shape: Shape, weights: WeightsKind, { head }: RandomPack<ModelConfig>): number =>
  arenaToStreamAll(packShapeOf(shape, weights), head.tokenizerBytes);

/** Bytes that answers read from stable memory. */
function bytesRead({ readByBatch, readByEncoder }: Places, { promptTokens, tokens }: Asked) {
  const answer = readByEncoder + readByBatch * (tokens - 1 + Math.ceil(promptTokens / MAX_ROWS));
  return answersOf((name) => (name.startsWith('token') ? readByBatch : answer));
}

/** What a window costs however much goes through it, and what each byte does. */
function addReading(
  answers: Record<keyof AnswerCosts, number>,
  small: Run,
  large: Run,
  read: Record<keyof AnswerCosts, number>,
): void {
  for (const name of ANSWERS) {
    if (name === 'tokenMessages' || read[name] === 0) continue;
    const [[least, few], [most, many]] = [small, large].map(({ more, read: of }) => [more![name], of![name]]) as [
      [number, number],
      [number, number],
    ];
    answers[name] += least + ((read[name] - few) * (most - least)) / (many - few);
  }
}

/** A token that does not fit a message takes several, and `auto` saves what tokens of one message share. */
function addMessages(answers: Record<keyof AnswerCosts, number>, tokens: number): void {
  const steps = Math.max(1, Math.ceil(answers.tokenInstructions / MESSAGE_BUDGET));
  const more = (steps - 1) * FURTHER_MESSAGE;
  answers.token += more;
  answers.tokenInstructions += more;
  answers.generate += more * tokens;
  answers.start += more * tokens;
  if (steps > 1) {
    answers.tokenMessages = steps * MESSAGES_OF_A_STEP;
    answers.auto = answers.generate;
    return;
  }
  // what one of a message's further tokens saves: of two and three layers, a message held all
  const saved = (answers.generate - answers.auto) / Math.max(1, tokens - 1);
  const inMessage = 1 + Math.max(0, Math.floor((MESSAGE_BUDGET - answers.token) / (answers.token - saved)));
  answers.auto = answers.generate - saved * (tokens - Math.ceil(tokens / inMessage));
}
