// What the TypeScript face of the blocks (../blocks.ts) and their AssemblyScript (blocks.ts) agree on: commands in a
// mailbox (src/tensor/assembly/protocol.ts has its frame), and how the table of blocks lies in stable memory. Plain
// integer constants only, so that both compilers read this one file.

/** Commands from here on are these, not the kernels'. */
export const FIRST_COMMAND = 64;
/** owned() -> result: how many blocks are ours */
export const COMMAND_OWNED = 64;
/** take(count) -> result: TAKEN, or why not; the new blocks have the next numbers */
export const COMMAND_TAKE = 65;
/** read(pointer, bytes, addressLow, addressHigh): our blocks -> memory at the pointer; at 0, the payload */
export const COMMAND_READ = 66;
/** write(0, bytes, addressLow, addressHigh): payload -> our blocks */
export const COMMAND_WRITE = 67;
/**
 * reserve(count) -> result: TAKEN where Azle's maps can grow by so many blocks without asking the system, else NO_ROOM
 * or UNKNOWN_MANAGER
 */
export const COMMAND_RESERVE = 68;

/** page(block) -> result: the page of stable memory that one of our blocks begins with; blocks stay where they are */
export const COMMAND_PAGE = 69;

export const TAKEN = 0;
/** Stable memory does not grow so far, or the table is full. */
export const NO_ROOM = 1;
/** Its first page is not the one of a memory manager that we know. */
export const UNKNOWN_MANAGER = 2;

export const PAGE_BYTES = 65536;
/** A block is as large as a bucket of the memory manager: 128 pages. */
export const BLOCK_SHIFT = 23;
export const BLOCK_BYTES = 8388608;
export const BLOCK_PAGES = 128;

// The memory manager of ic-stable-structures uses 34,848 bytes of its page: "MGR", version u8, buckets u16, pages a
// bucket u16, …
export const MANAGER_MAGIC = 0x0152474d;
/** Buckets that its memories have, together. */
export const BUCKETS_AT = 4;
export const BUCKET_PAGES_AT = 6;
/** Behind it: magic, number of extents, then [first block, number of blocks] of each, u32, ascending. */
export const TABLE_AT = 40960;
export const TABLE_MAGIC = 0x4b4c4253; // "SBLK" read as a little-endian word
export const MOST_EXTENTS = 3000;
