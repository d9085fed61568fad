// Reading JSON files whose every field is checked: what a file lacks or has wrong is said with its name, never guessed.
// Not a schema language: a reader asks for the fields it knows, one by one, and ignores the others.

import { isRecord } from '../../text/nested-json.ts';
import { refuseStandIn } from './stand-in.ts';

/**
 * Parses a JSON file of at most `maxBytes`.
 * @throws Error naming `where` if it is too long, not UTF-8 or not JSON.
 */
export function parseJson(where: string, bytes: Uint8Array, maxBytes = 64 << 20): unknown {
  if (bytes.length > maxBytes) {
    throw new RangeError(`${where}: expected at most ${maxBytes} bytes of JSON, got ${bytes.length}`);
  }
  refuseStandIn(where, bytes);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new Error(`${where}: expected JSON, got ${bytes.length} bytes that are not (${(error as Error).message})`);
  }
}

/** How a value looks in an error message: short, and safe whatever it is. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  // of a text, no more than is shown: a caller may send a long one
  const text = JSON.stringify(typeof value === 'string' ? value.slice(0, 60) : value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** What a function may be applied to. */
const MOST_ARGUMENTS = 8192;

/** Whether all are integers of [min, max], as far as native code can tell at once; not of a list that is very long. */
const areIntegers = (list: unknown[], min: number, max: number): boolean =>
  list.length === 0 ||
  (list.length <= MOST_ARGUMENTS &&
    list.every(Number.isInteger) &&
    Math.min.apply(null, list as number[]) >= min &&
    Math.max.apply(null, list as number[]) <= max);

/** A JSON object's fields, read by name and kind; `null` counts as absent, as in Hugging Face's files. */
export class Fields {
  private readonly object: Record<string, unknown>;

  /** @param where the file (and place in it) that errors name. @throws TypeError if `value` is no object. */
  constructor(
    readonly where: string,
    value: unknown,
  ) {
    if (!isRecord(value)) throw new TypeError(`${where}: expected a JSON object, got ${show(value)}`);
    this.object = value;
  }

  /** The names that are there, `null` ones left out. */
  names(): string[] {
    return Object.keys(this.object).filter((name) => this.object[name] !== null);
  }

  /** The value itself, `undefined` if absent or null. */
  get(name: string): unknown {
    return Object.hasOwn(this.object, name) ? (this.object[name] ?? undefined) : undefined;
  }

  /** Whether the field is there and is `null`, where that says more than its absence. */
  isNull(name: string): boolean {
    return Object.hasOwn(this.object, name) && this.object[name] === null;
  }

  /** An integer of [min, max]; `fallback` if absent. @throws TypeError, RangeError */
  integer(name: string, min: number, max: number, fallback?: number): number {
    return this.checkInteger(name, this.get(name) ?? fallback, min, max);
  }

  /** A list of integers of [min, max]; a single one counts as a list of one, an absent one as `fallback`. */
  integers(name: string, min: number, max: number, fallback: number[]): number[] {
    const value = this.get(name) ?? fallback;
    if (!Array.isArray(value)) return [this.checkInteger(name, value, min, max)];
    // a place has a name only where it is wrong, and a list is looked at without a loop: a caller may send a thousand
    // to an interpreter
    if (!areIntegers(value, min, max))
      for (let i = 0; i < value.length; i++) this.checkInteger(`${name}[${i}]`, value[i], min, max);
    return value.slice();
  }

  /** A finite number of [min, max]; `fallback` if absent. @throws TypeError, RangeError */
  number(name: string, min: number, max: number, fallback?: number): number {
    const value = this.get(name) ?? fallback;
    if (typeof value !== 'number') return this.wrong(TypeError, name, `a number from ${min} to ${max}`, value);
    if (!(value >= min && value <= max)) this.wrong(RangeError, name, `a number from ${min} to ${max}`, value);
    return value;
  }

  /** A boolean; `fallback` if absent. @throws TypeError */
  boolean(name: string, fallback?: boolean): boolean {
    const value = this.get(name) ?? fallback;
    return typeof value === 'boolean' ? value : this.wrong(TypeError, name, 'true or false', value);
  }

  /** A string; `fallback` if absent. @throws TypeError */
  string(name: string, fallback?: string): string {
    const value = this.get(name) ?? fallback;
    return typeof value === 'string' ? value : this.wrong(TypeError, name, 'a string', value);
  }

  /** Throws the one form of error that these readers have. */
  wrong(kind: new (message: string) => Error, name: string, expected: string, got: unknown): never {
    throw new kind(`${this.where}: expected "${name}" to be ${expected}, got ${show(got)}`);
  }

  private checkInteger(name: string, value: unknown, min: number, max: number): number {
    if (!Number.isInteger(value)) return this.wrong(TypeError, name, `an integer from ${min} to ${max}`, value);
    if ((value as number) < min || (value as number) > max) {
      this.wrong(RangeError, name, `an integer from ${min} to ${max}`, value);
    }
    return value as number;
  }
}
