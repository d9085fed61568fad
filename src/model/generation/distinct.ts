/**
 * The different ones of `ids`: as they came where no two are equal, else rising. Not by a Set: QuickJS hashes a whole
 * number by the bits of the float that it is, which are mostly zero for small ones, so that all ids land in a few
 * buckets and a set of n takes n * n steps.
 */
export function distinct(ids: readonly number[]): readonly number[] {
  const rising = new Uint32Array(ids).sort();
  const { length } = rising;
  let last = -1;
  let i = 0;
  // nearly always there is nothing to leave out
  while (i < length && rising[i] !== last) last = rising[i++]!;
  return i === length ? ids : Array.from(rising.filter((id, at) => at === 0 || id !== rising[at - 1]));
}
