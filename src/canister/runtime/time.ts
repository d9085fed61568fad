import { time } from 'azle';

/** Milliseconds since 1970. */
export const now = (): number => Number(time() / 1_000_000n);
