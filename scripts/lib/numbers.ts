/** Large numbers and money for people. */

const UNITS: readonly [number, string][] = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
];

/** Three digits and a unit: 1.53 B, 24.8 M; below a million all digits. */
export function short(value: number | bigint): string {
  const number = Number(value);
  const [size, unit] = UNITS.find(([size]) => Math.abs(number) >= size) ?? [1, ''];
  if (size === 1) return number.toLocaleString('en-US', { maximumFractionDigits: 1 });
  return `${(number / size).toPrecision(3)} ${unit}`;
}

/** A trillion cycles costs one XDR, by definition; what an XDR costs in dollars changes daily. */
const CYCLES_PER_XDR = 1e12;
export const USD_PER_XDR = 1.35;

export const xdrOf = (cycles: number | bigint): number => Number(cycles) / CYCLES_PER_XDR;

/** Cycles and what they cost. */
export function cyclesText(cycles: bigint): string {
  const xdr = xdrOf(cycles);
  const usd = (xdr * USD_PER_XDR).toPrecision(2);
  return `${short(cycles)} cycles = ${xdr.toPrecision(3)} XDR, about ${usd} USD if an XDR is ${USD_PER_XDR} USD`;
}
