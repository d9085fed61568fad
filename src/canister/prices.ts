/**
 * What the canister has to know of the Internet Computer's prices, on a subnet of 13 nodes. The replica has all of them (packages/replica/src/cycles.ts, costs.ts); rooms
 * of src do not know each other, so a test compares the two.
 */

/** Base fee of a message, in cycles. */
export const MESSAGE_CYCLES = 5_000_000;
/** The first touch of a 64 KiB page in a message, in instructions. */
export const PAGE_INSTRUCTIONS = 80_000;
