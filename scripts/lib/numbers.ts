/** Large numbers and money for people. */
import { short, USD_PER_XDR } from '../../src/page/format.ts';

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
