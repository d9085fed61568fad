/** Values of options that commands share, checked as they are read. */
import { InvalidArgumentError, Option } from 'commander';
import { WEIGHTS_KINDS, type WeightsKind } from '../../model/tensor-table.ts';
import { isRecord } from '../../text/nested-json.ts';

/** A parser of whole numbers in a range, its ends included. */
export function wholeNumber(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < least || number > most)
      throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
    return number;
  };
}

/** `--weights`, a WeightsKind. */
export const weightsOption = (initial: WeightsKind = 'int8'): Option =>
  new Option('--weights <kind>', 'how the weights are stored: fewer bits take less memory')
    .choices(WEIGHTS_KINDS)
    .default(initial);

/** `auto`, or how many tokens a message makes. The canister knows the upper limit. */
export function tokensPerCall(value: string): number | 'auto' {
  return value === 'auto' ? value : wholeNumber(1, 2 ** 32 - 1)(value);
}

/** An object in JSON. */
export function jsonRecord(value: string): object {
  try {
    const record: unknown = JSON.parse(value);
    if (isRecord(record)) return record;
  } catch {}
  throw new InvalidArgumentError('Expected a JSON object.');
}
