/**
 * What a model is for, in words for the people who ask it: `about.json` in its folder, and a field of a pack's head.
 */
import { show } from '../json/json.ts';

export interface About {
  /** What the model knows, in a sentence or two. */
  description: string;
  /** Questions that it answers. */
  examples: string[];
}

const MAX_DESCRIPTION = 500;
const MAX_EXAMPLES = 12;
const MAX_EXAMPLE = 300;

/** @param where names the file in an error. @throws TypeError, RangeError saying what was expected */
export function parseAbout(json: unknown, where: string): About {
  const { description, examples = [] } = (json ?? {}) as Partial<About>;
  text(description, MAX_DESCRIPTION, `${where}: expected "description" to be`);
  if (!Array.isArray(examples))
    throw new TypeError(`${where}: expected "examples" to be a list, got ${show(examples)}`);
  if (examples.length > MAX_EXAMPLES) {
    throw new RangeError(`${where}: expected at most ${MAX_EXAMPLES} examples, got ${examples.length}`);
  }
  for (const example of examples) text(example, MAX_EXAMPLE, `${where}: expected an example to be`);
  return { description: description as string, examples };
}

function text(value: unknown, most: number, expected: string): void {
  if (typeof value !== 'string') throw new TypeError(`${expected} a text, got ${show(value)}`);
  if (value.trim() === '' || value.length > most) {
    throw new RangeError(`${expected} a text of 1 to ${most} characters, got ${value.length} characters`);
  }
}
