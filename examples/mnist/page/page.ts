/** The page: what is drawn goes to the canister as it grows, one query at a time, and ten bars show what comes back. */
import { Bars, likeliest, percent } from './bars.ts';
import { classify } from './canister.ts';
import { imageOf, SIZE } from './digit.ts';
import { Paper } from './paper.ts';
import { samples } from './samples.ts';

const element = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;

const bars = new Bars(element('bars'));
const seen = element<HTMLCanvasElement>('seen');
const certifyButton = element<HTMLButtonElement>('certify');
const paper = new Paper(element('drawing'), changed);

/** Counts drawings: an answer to one that is no more is not shown. */
let drawing = 0;
let isDone = false;
let isAsking = false;
let isStale = false;

function changed(done: boolean): void {
  drawing += 1;
  isDone = done;
  const pixels = imageOf(paper.strokes);
  element('invitation').hidden = pixels !== undefined;
  certifyButton.disabled = pixels === undefined;
  showPixels(pixels);
  if (!pixels) {
    bars.show(undefined);
    say('');
  } else void ask();
}

/** One query at a time: what was drawn meanwhile is asked about when the answer is there. */
async function ask(): Promise<void> {
  if (isAsking) {
    isStale = true;
    return;
  }
  isAsking = true;
  try {
    do {
      isStale = false;
      const [asked, pixels] = [drawing, imageOf(paper.strokes)];
      if (!pixels) break;
      const probabilities = await classify(pixels, 'query');
      // while one draws, older answers are shown too; not those to a drawing that was cleared
      if (paper.strokes.length === 0) break;
      bars.show(probabilities);
      if (asked === drawing && isDone) say(`This is ${sentence(probabilities)}`);
      fail('');
    } while (isStale);
  } catch (error) {
    fail(`The canister does not answer: ${(error as Error).message}`);
  } finally {
    isAsking = false;
  }
}

async function certify(): Promise<void> {
  const [asked, pixels] = [drawing, imageOf(paper.strokes)];
  if (!pixels) return;
  certifyButton.disabled = true;
  say('Asking all nodes…');
  try {
    const probabilities = await classify(pixels, 'update');
    if (asked !== drawing) return;
    bars.show(probabilities);
    say(`All nodes agree: this is ${sentence(probabilities)}`);
    fail('');
  } catch (error) {
    say('');
    fail(`The canister does not answer: ${(error as Error).message}`);
  } finally {
    certifyButton.disabled = paper.strokes.length === 0;
  }
}

function sentence(probabilities: readonly number[]): string {
  const digit = likeliest(probabilities);
  return `${digit}, ${percent(probabilities[digit]!)} sure.`;
}

function say(text: string): void {
  element('said').textContent = text;
}
function fail(text: string): void {
  element('notice').textContent = text;
}

function showPixels(pixels: Uint8Array | undefined): void {
  const context = seen.getContext('2d')!;
  const image = context.createImageData(SIZE, SIZE);
  for (let i = 0; i < SIZE * SIZE; i++)
    image.data.set(
      [0, 0, 0, 255].map((v, c) => (c < 3 ? (pixels?.[i] ?? 0) : v)),
      i * 4,
    );
  context.putImageData(image, 0, 0);
}

samples.forEach((strokes, digit) => {
  const button = document.createElement('button');
  Object.assign(button, { type: 'button', textContent: String(digit) });
  button.addEventListener('click', () => paper.show(strokes));
  element('samples').append(button);
});
element('clear').addEventListener('click', () => paper.show([]));
certifyButton.addEventListener('click', () => void certify());
paper.show([]);
