/** Numbers for people, on the page and in a terminal. */

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

export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

export const counted = (count: number, one: string): string =>
  `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`;

/** A trillion cycles cost one XDR, by definition; what an XDR costs in dollars changes daily. */
export const USD_PER_XDR = 1.35;

/** What cycles cost, to two digits: $0.0011; a millionth of a dollar is the least that is told apart from nothing. */
export function dollars(cycles: number | bigint): string {
  const usd = (Number(cycles) / 1e12) * USD_PER_XDR;
  if (usd === 0) return '$0';
  if (usd < 1e-6) return '< $0.000001';
  const decimals = Math.max(2, 1 - Math.floor(Math.log10(usd)));
  return `$${usd.toFixed(decimals)}`;
}
