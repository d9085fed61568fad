// Bytes of stable memory to a place of the arena: weights that are not there all the time.
// In Node and browsers, what stands in for stable memory is whoever instantiates the kernels' to say (unit.ts).

// @ts-ignore: AssemblyScript's decorator
@external('ic0real', 'stable64_read')
export declare function stableRead(to: u64, from: u64, bytes: u64): void;

/** page: of 64 KiB, since a word cannot say the address of a byte; offset: from its beginning on, of any size. */
export function loadStable(out: usize, page: u32, offset: u32, bytes: u32): void {
  stableRead(<u64>out, (<u64>page << 16) + <u64>offset, <u64>bytes);
}
