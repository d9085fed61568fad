/** JSON in texts of strangers: a parser calls itself for each level, so levels are bounded before it sees a text. */

/** Whether a value is what JSON calls an object. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const MAX_BRACKETS = 256;
/** Whoever goes through the value calls itself for each level, too. */
const MAX_LEVELS = 32;

/**
 * The value of a JSON text; undefined for another text, and for one with more than 256 lists and objects, or 32 levels
 * of them.
 */
export function parseShallow(text: string): unknown {
  if ((text.match(/[[{]/g)?.length ?? 0) > MAX_BRACKETS) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return levelsOf(value) > MAX_LEVELS ? undefined : value;
  } catch {
    return undefined;
  }
}

/** Levels of lists and objects. */
function levelsOf(value: unknown): number {
  let levels = 0;
  const isMade = (of: unknown): of is object => typeof of === 'object' && of !== null;
  for (let made = [value].filter(isMade); made.length > 0; levels++)
    made = made.flatMap((of) => Object.values(of)).filter(isMade);
  return levels;
}
