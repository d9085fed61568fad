/** Large numbers and money for people. */
import { short, USD_PER_XDR } from '../../page/format.ts';

export { short, USD_PER_XDR };

/** By definition. */
const CYCLES_PER_XDR = 1e12;

export const xdrOf = (cycles: number | bigint): number => Number(cycles) / CYCLES_PER_XDR;

/** Cycles and what they cost. */
export function cyclesText(cycles: bigint): string {
  const xdr = xdrOf(cycles);
  const usd = (xdr * USD_PER_XDR).toPrecision(2);
  return `${short(cycles)} cycles = ${xdr.toPrecision(3)} XDR, about ${usd} USD if an XDR is ${USD_PER_XDR} USD`;
}

/** What of an answer was there before, which is why it costs less. */
export const fromCache = (usage: { answer_cached: boolean; embedding_cached: boolean }): string =>
  usage.answer_cached
    ? 'the whole answer came from the answer cache'
    : usage.embedding_cached
      ? "the prompt's encoding came from the embedding cache"
      : 'nothing came from a cache';

/** What a bill is for. */
export const billedFor = (messages: number): string =>
  messages === 1 ? '1 message, ingress' : `${messages} messages (calls and replies), calls to itself, ingress`;
