/** Candid's `opt`, as @dfinity/candid has it in TypeScript. */
export type Opt<T> = [] | [T];
export const some = <T>(value: T | undefined): Opt<T> => (value === undefined ? [] : [value]);
