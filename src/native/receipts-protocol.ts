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

/**
 * add(arguments in the payload, then the bytes that the receipt is the hash of, and room for padding): takes a place
 * for a receipt, and gives the receipt and what the canister certifies with it
 */
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
/** The receipt's time in seconds, how many there are with it, and the bytes behind the payload. */
export const SECONDS = 16;
export const COUNT = 20;
export const BYTES = 24;
/** 32 bytes: the receipt. */
export const RECEIPT = 28;
/** 32 bytes: the hash in hand; at the end what is certified. */
export const HASH = 60;
/** 32 bytes: the labelled tree of receipts. */
export const RECEIPTS_HASH = 92;
/** 32 bytes each: what stands beside the receipts in the certified tree, from below. */
export const BESIDE_RECEIPTS = 124;
export const CERTIFIED_LEVELS = 2;

// Messages that nodes' hashes are of: a domain, room for what differs, and SHA-256's padding, in whole blocks.
/** Bytes of the domains that they begin with. */
export const LEAF_DOMAIN = 17;
export const FORK_DOMAIN = 17;
export const LABELED_DOMAIN = 20;
/** A leaf: 32 bytes. */
export const LEAF_MESSAGE = 188;
export const LEAF_MESSAGE_BYTES = 64;
/** A place: its label of 4 bytes, 32 bytes. */
export const PLACE_MESSAGE = 252;
export const PLACE_LABEL = 4;
/** The label "receipts", 32 bytes. */
export const TREE_MESSAGE = 380;
export const TREE_LABEL = 8;
/** A fork: 32 bytes, 32 bytes. */
export const FORK_MESSAGE = 508;
/** Bytes of the latter three. */
export const MESSAGE_BYTES = 128;

/** Hashes of trees of 0, 1, … 14 levels of which no place is taken; then room for the hashes beside the way. */
export const EMPTY = 636;
export const BESIDE = 1116;
/**
 * SHA-256's constants, and room for its state. Not those of the arena: the first touch of a page of the
 * heap is as dear as ten blocks, and this payload lies where the interpreter works.
 */
export const CONSTANTS = 1596;
export const STATE = 1852;
export const PAYLOAD_BYTES = 1884;
/** The most that SHA-256 adds to a message. */
export const PADDING = 72;
