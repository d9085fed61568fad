/** Values of options that commands share, checked as they are read. */
import { InvalidArgumentError } from 'commander';

/** A parser of whole numbers in a range, its ends included. */
export function wholeNumber(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < least || number > most)
      throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
    return number;
  };
}

/** `auto`, or how many tokens a message makes. The canister knows the upper limit. */
export function tokensPerCall(value: string): number | 'auto' {
  return value === 'auto' ? value : wholeNumber(1, 2 ** 32 - 1)(value);
}

/** An object in JSON. */
export function jsonRecord(value: string): object {
  try {
    const record: unknown = JSON.parse(value);
    if (typeof record === 'object' && record !== null && !Array.isArray(record)) return record;
  } catch {}
  throw new InvalidArgumentError('Expected a JSON object.');
}
