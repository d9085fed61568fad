// The row table: what a batch's rows are. A row is one position of one sequence. TypeScript and the native loop write
// the table, kernels read it. Plain integer constants only, so that both compilers read this one file.
//
//   words  0       1          2                5
//          +-------+----------+----------------+----------------+
//          | token | position | cache 0        | cache 1        |      a cache is  | pointer | keys | chunk |
//          +-------+----------+----------------+----------------+
//
// A sequence's keys and values lie at `pointer` (append-kv.ts has the picture), in chunks of `chunk` positions. The row
// sees the first `keys` of them. Its own key and value are written at `position`. What a cache is for is the model's
// business: T5 has one of the sequence's own and one of its prompt.

export const ROW_WORDS = 8;
export const ROW_BYTES = 32;
/** Words of a row. */
export const ROW_TOKEN = 0;
export const ROW_POSITION = 1;
export const ROW_CACHES = 2;
/** Words of a cache in a row. */
export const CACHE_WORDS = 3;
export const CACHE_KEYS = 1;
export const CACHE_CHUNK = 2;
