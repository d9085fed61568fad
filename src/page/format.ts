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
