/** JSON in texts of strangers: a parser calls itself for each level, so levels are bounded before it sees a text. */

/** Whether a value is what JSON calls an object. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const MAX_BRACKETS = 256;

/** The value of a JSON text; undefined for another text, and for one with more than 256 lists and objects. */
export function parseShallow(text: string): unknown {
  if ((text.match(/[[{]/g)?.length ?? 0) > MAX_BRACKETS) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
