// What the TypeScript face and the AssemblyScript kernels agree on: mailbox words, commands, sizes. Ops are in ops.ts.
// Plain integer constants only, so that both compilers read this one file.

// --- mailbox: an array of more than 32 bytes handed to `certified_data_set` -------------------------------
//
//   word  0      1        2 … 15                64 bytes in
//        +------+--------+---------------------+----------------- - -
//        | MAGIC| command| arguments, results  | payload (write, read, hash)
//        +------+--------+---------------------+----------------- - -
export const MAGIC = 0x57455453; // "STEW" read as a little-endian word
export const HEADER_BYTES = 64;

/** grow(bytes) -> result: pointer to that many fresh zero bytes, 65,536-aligned; 0 where memory is exhausted */
export const COMMAND_GROW = 1;
/** write(pointer, bytes): payload -> arena */
export const COMMAND_WRITE = 2;
/** read(pointer, bytes): arena -> payload */
export const COMMAND_READ = 3;
/**
 * run(program, from, end, budgetLow, budgetHigh, r0 … r5) -> result: position reached; words 13, 14: instructions it
 * took
 */
export const COMMAND_RUN = 4;
/** hash(state, bytes, constants): SHA-256 of the payload's whole 64-byte blocks goes into the state */
export const COMMAND_HASH = 5;
/**
 * check(kind, bytes): the payload, of one of the kinds below -> result: the number of the first that is wrong, counted
 * from 1, or 0
 */
export const COMMAND_CHECK = 6;
export const CHECK_FINITE = 0;
export const CHECK_MULTIPLIERS = 1;
/** has(code) -> result: 1 if the op of this code is linked in, 0 if not */
export const COMMAND_HAS = 7;
/** Word of the mailbox where a command's result is put, and of the two where `run` puts its instructions. */
export const RESULT = 15;
export const INSTRUCTIONS = 13;

// --- a program in the arena -------------------------------------------------------------------------------
//
//   word  0 … 5        16 … 47          64 …
//        +-----------+-----------------+--------------------------------- - -
//        | registers | frame: the args | op, op, op …
//        |           | of the op that  | op = code | args   << 8 | patches << 16,
//        |           | runs, resolved  |      args …, (arg | register << 8, stride) …
//        +-----------+-----------------+--------------------------------- - -
// A patch adds register * stride to an argument before the op runs.
export const FRAME = 16;
export const OPS = 64;
export const REGISTERS = 6;

export const ACTIVATION_RELU = 0;
export const ACTIVATION_GELU_NEW = 1;
export const ACTIVATION_GELU_EXACT = 2;
export const ACTIVATION_SILU = 3;

// --- numbers ----------------------------------------------------------------------------------------------
/** Integer sums run over at most so many products before they become float32: 512 * 128 * 8,191 < 2^31. */
export const SPAN = 512;
/** Columns of a row of int4 weights that share a multiplier, and the largest of these: 8 * 15 is within int8. */
export const INT4_GROUP = 64;
export const INT4_MULTIPLIER_MAX = 15;
/**
 * From so many rows of activations on, int4 weights are unpacked to int8 first, so many of their own rows at a time.
 */
export const INT4_UNPACK_ROWS = 16;
export const INT4_UNPACK_OUTPUTS = 1024;
/**
 * Largest magnitude of a quantised activation: a sum of four is an int16, which is what Strassen's algorithm takes
 * (kernels/strassen.ts).
 */
export const ACTIVATION_MAX = 8191;
/** What K products of a quantised query and key may come to. */
export const KEY_RANGE = 2147483647;
/** What a query's quantised weights of its values add up to. */
export const WEIGHT_SUM = 32767;
/** Rows of four (groups) of weights that pass under a tile at once. */
export const CHUNK_GROUPS = 256;
/**
 * Bytes from the sums of one row of a tile to the next: CHUNK_GROUPS * 16 and a cache line, as a power of two would
 * bring the sums of all rows to the same few lines of the cache (measured: a third slower).
 */
export const TILE_STRIDE = 4160;
/** Attention sums up so many keys at once; caches with more have chunks that divide it. */
export const KEYS_AT_ONCE = 1024;
/** Most rows of a tile. */
export const TILE_ROWS = 16;
/** Patches of an image that a convolution has in scratch at once: a tile. */
export const CONV_ROWS = TILE_ROWS;
/**
 * Strassen's algorithm twice over (kernels/strassen.ts): both operands in so many blocks each way, and 49 products of
 * blocks in place of 64. A block of x has TILE_ROWS rows; so many times all of them pass while seven operands of w
 * stand.
 */
export const SPLIT_BLOCKS = 4;
export const SPLIT_PASSES = 2;
/** At most so many rows of four (groups) of weights are split at once. */
export const SPLIT_GROUPS = 128;
/** With fewer groups or columns, sums of blocks cost more than the products saved. */
export const SPLIT_LEAST_GROUPS = 64;
export const SPLIT_LEAST_COLUMNS = 256;
/**
 * Bytes from one product's sums i32 [16 rows, 32 groups, 4], operand of x int16 [16, 128 columns] and operand of w
 * int16 [32, 128, 4] to the next's; a cache line more than they have, as for TILE_STRIDE. Sums of seven products lie
 * beside each other in the rows of a tile.
 */
export const SPLIT_SUMS = 576;
export const SPLIT_X = 4160;
export const SPLIT_W = 32832;
/**
 * Bytes of scratch for integer sums: SPLIT_PASSES times seven tiles of sums and 49 operands of x, and seven operands of
 * w. Where nothing is split, the first TILE_ROWS * TILE_STRIDE of them at most are touched.
 */
export const ACCUMULATOR_BYTES = SPLIT_PASSES * (7 * TILE_ROWS * TILE_STRIDE + 49 * SPLIT_X) + 7 * SPLIT_W;
