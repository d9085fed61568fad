// What the TypeScript face of a call that waits (../waiting.ts) and its AssemblyScript (waiting.ts) agree on: a record
// in the arena. Plain integer constants only, so that both compilers read this one file.
//
//   bytes  0      4            8        12       16             24                  40     44     52          76      84
//          +------+------------+--------+--------+--------------+-------------------+------+------+-----------+-------+
//          | OVER | LOOKS_LEFT | ASKED  | PINGED | instructions | what is sent      | SEEN | name | callbacks | UNTIL |
//          +------+------------+--------+--------+--------------+-------------------+------+------+-----------+-------+

/** u32: whether what it waits for is over. */
export const OVER = 0;
/** u32: after so many looks TypeScript has one. */
export const LOOKS_LEFT = 4;
export const MOST_LOOKS = 16;
/** u32 each: calls of `raw_rand` and of the canister itself that were sent without TypeScript. */
export const ASKED = 8;
export const PINGED = 12;
/** u64: instructions of the callbacks that TypeScript did not see. */
export const WAITED_INSTRUCTIONS = 16;
/** What is sent: to the management canister, and to the canister itself. */
export const QUESTION = 24;
export const QUESTION_BYTES = 6;
export const PING_ARGS = 30;
/** u32: how many messages of drives there had been at the last look. */
export const SEEN = 40;
/** "raw_rand" */
export const WAIT_NAME = 44;
/** u32 each: function and environment, as `call_new` and `call_on_cleanup` were given them. */
export const WAIT_REPLY = 52;
export const WAIT_REJECT = 60;
export const WAIT_CLEANUP = 68;
/** u64: nanoseconds since 1970 after which TypeScript has a look, 0 for never. */
export const UNTIL = 76;
export const WAIT_BYTES = 84;

/** First byte of a message of the canister to itself that does nothing; as long as a drive's. */
export const PING = 4;
