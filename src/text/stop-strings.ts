/**
 * Texts that end an answer, and are no part of it. They are sought in the text, wherever tokens begin and end in it:
 * that one counts which is whole first, of several that end at the same place the longest. So what is found does not
 * depend on how the text came, token by token or at once.
 */
import type { TextStream } from './tokenizer.ts';

/** How many an answer may have, and how many UTF-16 units each. */
export const MAX_STOP_STRINGS = 16;
export const MAX_STOP_LENGTH = 256;

/** One or a list of them, each once; undefined for what is none. */
export function readStopStrings(value: unknown): string[] | undefined {
  const stops = Array.isArray(value) ? (value as unknown[]) : [value];
  const isStop = (stop: unknown): stop is string =>
    typeof stop === 'string' && stop !== '' && stop.length <= MAX_STOP_LENGTH;
  return stops.length <= MAX_STOP_STRINGS && stops.every(isStop) ? [...new Set(stops)] : undefined;
}

/** Where the stop string begins that a text holds first; -1 for none. */
export function stopIndex(text: string, stops: readonly string[]): number {
  let [begin, end] = [-1, Number.POSITIVE_INFINITY];
  for (const stop of stops) {
    const at = text.indexOf(stop);
    const then = at + stop.length;
    if (at >= 0 && (then < end || (then === end && at < begin))) [begin, end] = [at, then];
  }
  return begin;
}

/** How much at the end of a text may be the beginning of a stop string, in UTF-16 units. */
function possibleBeginning(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--)
      if (text.endsWith(stop.slice(0, length))) longest = length;
  }
  return longest;
}

/**
 * What is shown of the text of an answer: what stands before a stop string, and nothing that may yet become one.
 * @param isOver whether no more is to come
 */
export function shownText(text: string, stops: readonly string[] = [], isOver = true): string {
  if (stops.length === 0) return text;
  const at = stopIndex(text, stops);
  if (at >= 0) return text.slice(0, at);
  return isOver ? text : text.slice(0, text.length - possibleBeginning(text, stops));
}

/** A stream that ends before the first of `stops`, if there are any. */
export const stopStream = (stream: TextStream, stops: readonly string[] = []): TextStream =>
  stops.length === 0 ? stream : new StopStream(stream, stops);

/**
 * A stream of text that ends before the first stop string.
 *
 *   stops ["\n\n"]:  push "a\n" gives "a"; then push "b" gives "\nb", but push "\nb" gives "" and it is over
 */
export class StopStream implements TextStream {
  /** Whether a stop string has come. */
  isStopped = false;
  /** What may be the beginning of one. */
  private rest = '';

  constructor(
    private readonly stream: TextStream,
    private readonly stops: readonly string[],
  ) {}

  push(id: number): string {
    return this.isStopped ? '' : this.take(this.stream.push(id), false);
  }

  end(): string {
    return this.isStopped ? '' : this.take(this.stream.end(), true);
  }

  private take(text: string, isOver: boolean): string {
    const all = this.rest + text;
    this.isStopped = stopIndex(all, this.stops) >= 0;
    const shown = shownText(all, this.stops, isOver);
    this.rest = this.isStopped ? '' : all.slice(shown.length);
    return shown;
  }
}
