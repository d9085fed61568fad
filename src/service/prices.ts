/**
 * What the canister has to know of the Internet Computer's prices, in cycles on a subnet of 13 nodes. The replica has
 * all of them; rooms of src do not know each other, so a test compares the two.
 */

/** Base fee of a message. */
export const MESSAGE_CYCLES = 5_000_000;
/** Base fee of a call to a canister, and of each byte of its method's name, its argument and its reply. */
export const CALL_CYCLES = 260_000;
export const CALL_BYTE_CYCLES = 1_000;
/** Base fee of a message from outside, and of each byte of its envelope. */
export const INGRESS_CYCLES = 1_200_000;
export const INGRESS_BYTE_CYCLES = 2_000;
/** The first touch of a 64 KiB page in a message, in instructions. */
export const PAGE_INSTRUCTIONS = 80_000;
