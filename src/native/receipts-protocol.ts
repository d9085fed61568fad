// What the TypeScript face of the tree of receipts (src/canister/certification/receipts.ts) and its AssemblyScript
// (receipts.ts) agree on. Plain integer constants only, so that both compilers read this one file.
//
// The tree is one of forks over LEAVES places, in one of our blocks of stable memory. A place is a labelled leaf, or
// empty. Nodes lie in pages of 64 KiB, so that a change touches two of them: in a page for each 512 places, their
// hashes and those of the forks over them; in one more page, the roots of these 64 pages and the forks over these.
//
//   a page    | 512 leaves | 256 forks | … | 2 |   32,768 | times u32 [512] |   34,816 | receipts [512], 32 bytes each |
//   the top   | 64 roots | 32 forks | … | the root |   32,768 | how many receipts there were, u32 |
//
// Places that were never taken are not written: `next` says how far the block counts.

/** set(arguments in the payload): makes a place's hash the one given, and gives the hash of the whole tree */
export const COMMAND_RECEIPT = 72;
/** path(arguments in the payload): gives the hashes that stand beside the way from a place to the root, from below */
export const COMMAND_RECEIPT_PATH = 73;

export const LEAVES = 32768;
export const LEVELS = 15;
/** Levels of a page's tree. */
export const PAGE_LEVELS = 9;
export const TOP_PAGE = 64;
/** In a page: seconds since 1970 of each place, and the receipts themselves. */
export const TIMES = 32768;
export const RECEIPTS = 34816;
/** In the top page. */
export const COUNT_AT = 32768;

// The payload of both commands:
/** Where the block is among ours, u64. */
export const AT = 0;
/** The place, u32. */
export const PLACE = 8;
/** Places from here on were never taken; the one that is set is among those before. */
export const NEXT = 12;
/** Pointers of SHA-256's room and constants (src/tensor/sha256.ts), u32. */
export const STATE = 16;
export const CONSTANTS = 20;
/** 32 bytes: the new hash of the place, then the hash of the tree. */
export const HASH = 24;
/** Room for a message of two blocks. */
export const MESSAGE = 56;
/** Hashes of trees of 0, 1, … 14 levels of which no place is taken; then room for the hashes beside the way. */
export const EMPTY = 184;
export const BESIDE = 664;
/** The receipt, its time in seconds, and how many there are with it. */
export const RECEIPT = 1144;
export const SECONDS = 1176;
export const COUNT = 1180;
export const PAYLOAD_BYTES = 1184;
