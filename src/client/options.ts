/**
 * The options of a generation as callers write them, made into the canister's Candid: a field left out instead of `[]`.
 */
import * as Candid from '../interface/llm.did.ts';

/** Of `opt T`, T. Ids need not be in a typed array. */
type Given<O> = O extends [infer T] ? (T extends Uint32Array ? Iterable<number> : T) : never;
type Fields = { [K in keyof Candid.GenerateOptions]?: Given<Candid.GenerateOptions[K]> };

/**
 * The canister's options, by their names there. `tokens_per_call`: a number, or `auto` for as many as a message holds.
 */
export interface GenerateOptions extends Omit<Fields, 'tokens_per_call'> {
  tokens_per_call?: number | 'auto';
}

const optional = <T>(value: T | undefined): [] | [T] => (value === undefined ? [] : [value]);
const fields = Candid.GenerateOptions._fields;

/**
 * @param method names the caller in the error
 * @throws TypeError for an option that the canister does not know, which Candid would drop without a word, and for a
 * value of another type
 */
export function toCandid(method: string, options: GenerateOptions): [Candid.GenerateOptions] {
  const names = fields.map(([name]) => name);
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new TypeError(`${method}: expected options among ${names.join(', ')}, got ${unknown}`);
  const { tokens_per_call: perCall, ...rest } = options;
  const given: Fields = { ...rest };
  if (perCall !== undefined) given.tokens_per_call = perCall === 'auto' ? { auto: null } : { fixed: perCall };
  const record = fields.map(([name, type]) => {
    const value = optional(given[name as keyof Fields]);
    try {
      type.covariant(value);
    } catch {
      throw new TypeError(`${method}: expected ${name} to be ${type.display()}, got ${given[name as keyof Fields]}`);
    }
    return [name, value];
  });
  return [Object.fromEntries(record) as Candid.GenerateOptions];
}
