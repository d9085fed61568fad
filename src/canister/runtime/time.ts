import { time } from 'azle';

/** Milliseconds since 1970. */
export const now = (): number => Number(time() / 1_000_000n);

/** Nanoseconds since 1970: the same in all messages of a round. */
export const round = (): bigint => time();
