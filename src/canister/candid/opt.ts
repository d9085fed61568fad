/** Values of the interface's types, as @dfinity/candid has them in TypeScript and as the canister holds them. */
import type { Principal } from '@dfinity/principal';

/** Candid's `opt`. */
export type Opt<T> = [] | [T];
export const some = <T>(value: T | undefined): Opt<T> => (value === undefined ? [] : [value]);

/**
 * What argument-reader.ts makes of an argument: `vec nat32` is a plain array, which the interpreter is quicker with.
 */
export type Plain<T> = T extends Uint32Array
  ? number[]
  : T extends Uint8Array | Principal | string | number | bigint | boolean | null
    ? T
    : { [K in keyof T]: Plain<T[K]> };
