/**
 * The prefix cache: of which prompts keys and values are there, and who may have how many of them (docs/security.md). A
 * prompt that begins as an earlier one need not go through the model again as far as they agree. Not the keys and
 * values: they are the value of an entry, which whoever uses the cache closes.
 *
 * A caller has all that agrees of what is its own. What is another's shows in what an answer costs, so of that there is
 * all or nothing: a stranger who does not know the whole of it learns nothing by trying its parts.
 */

/** Two UTF-16 units an id: texts are compared by native code, lists by an interpreter. */
const UNITS = 2;
const CHUNK = 2_048;

/** Ids as a text. */
export function idsText(ids: readonly number[]): string {
  const units = new Uint16Array(Uint32Array.from(ids).buffer);
  let text = '';
  for (let at = 0; at < units.length; at += CHUNK) {
    text += String.fromCharCode.apply(null, units.subarray(at, at + CHUNK) as unknown as number[]);
  }
  return text;
}

const lengthOf = (text: string): number => text.length / UNITS;

/** How many ids two texts have in common from the first on. */
export function agreeing(a: string, b: string): number {
  let [least, most] = [0, Math.min(lengthOf(a), lengthOf(b))];
  while (least < most) {
    const middle = (least + most + 1) >> 1;
    const from = least * UNITS;
    if (a.startsWith(b.slice(from, middle * UNITS), from)) least = middle;
    else most = middle - 1;
  }
  return least;
}

/** A prompt, and what follows it. */
export interface Prompt {
  /** Whose it is. */
  owner: string;
  /** Whether whoever is this owner may be anybody, as the anonymous caller. */
  isAnybodys: boolean;
  /** Ids, as `idsText` has them. */
  text: string;
  /** So many of the first ids are a system prompt, which is shared by all callers. */
  shared: number;
}

export interface Entry<T> extends Prompt {
  value: T;
  /**
   * Lengths at which others who are the same anybody may have it: the prompt, the prompt and its answer, and the same
   * of earlier turns.
   */
  ends: readonly number[];
  /** What it takes while nobody works on it; 0 while somebody does. */
  bytes: number;
}

/** Of so many entries at most something is kept. */
export const MAX_ENTRIES = 256;

export class PrefixCache<T> {
  /** Least recently used first. */
  private readonly entries = new Set<Entry<T>>();
  /** Of all that nobody works on. */
  bytes = 0;
  /** How many of these there are. */
  count = 0;

  /** Adds what is being worked on. */
  add(prompt: Prompt, value: T): Entry<T> {
    const entry = { ...prompt, value, ends: [lengthOf(prompt.text)], bytes: 0 };
    this.entries.add(entry);
    return entry;
  }

  /**
   * Keeps an entry that nobody works on any more, with the ids that it came to.
   * @returns what is the same or a part of it, and is out of the cache now
   */
  keep(entry: Entry<T>, text: string, bytes: number): Entry<T>[] {
    this.entries.delete(entry);
    const parts = [...this.entries].filter(
      (other) => other.bytes > 0 && other.owner === entry.owner && text.startsWith(other.text),
    );
    for (const part of parts) this.remove(part);
    const length = lengthOf(text);
    const ends = [entry, ...parts].flatMap((each) => each.ends).filter((end) => end <= length);
    const shared = Math.min(Math.max(entry.shared, ...parts.map((part) => part.shared)), length);
    Object.assign(entry, { text, bytes, shared, ends: [...new Set([...ends, length])] });
    this.entries.add(entry);
    this.bytes += bytes;
    this.count += 1;
    return parts;
  }

  remove(entry: Entry<T>): void {
    if (!this.entries.delete(entry) || entry.bytes === 0) return;
    this.bytes -= entry.bytes;
    this.count -= 1;
  }

  /**
   * The entry with the longest beginning that this prompt may have, and its length, if that is more than `more`; it is
   * the one that was used last then.
   * @param cached how many ids of an entry have keys and values
   */
  find(prompt: Prompt, cached: (value: T) => number, more = 0): { entry: Entry<T>; length: number } | undefined {
    let best: { entry: Entry<T>; length: number } | undefined;
    for (const entry of this.entries) {
      const length = usable(entry, prompt, cached(entry.value), best?.length ?? more);
      if (length > (best?.length ?? more)) best = { entry, length };
    }
    if (best) {
      this.entries.delete(best.entry);
      this.entries.add(best.entry);
    }
    return best;
  }

  /** Of those that nobody works on. */
  leastRecent(): Entry<T> | undefined {
    for (const entry of this.entries) if (entry.bytes > 0) return entry;
    return undefined;
  }

  /** Those that nobody works on for which something is so. */
  kept(isSo: (value: T) => boolean): Entry<T>[] {
    return [...this.entries].filter(({ bytes, value }) => bytes > 0 && isSo(value));
  }
}

/** How many ids of an entry a prompt may have, where that is more than `more`; else some number that is not. */
function usable<T>(entry: Entry<T>, prompt: Prompt, cached: number, more: number): number {
  const isOwn = entry.owner === prompt.owner;
  const all = Math.min(cached, lengthOf(entry.text), lengthOf(prompt.text));
  const ends = isOwn && !prompt.isAnybodys ? [all] : [entry.shared, ...(isOwn ? entry.ends : [])];
  const most = Math.max(0, ...ends.filter((end) => end <= all));
  // most entries differ where another agrees
  const at = more * UNITS;
  if (most <= more || entry.text.slice(at, at + UNITS) !== prompt.text.slice(at, at + UNITS)) return 0;
  const agreed = agreeing(entry.text, prompt.text);
  if (isOwn && !prompt.isAnybodys) return Math.min(agreed, all);
  return Math.max(0, ...ends.filter((end) => end <= all && end <= agreed));
}
