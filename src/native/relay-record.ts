// What the TypeScript face of a relay (../relay.ts) and its AssemblyScript (relay.ts) agree on: a record in the arena, and the bytes of a message.
// Plain integer constants only, so that both compilers read this one file.
//
//   bytes  0          8                 32                  64          108               136            256        384        392          428
//          +----------+-----------------+-------------------+-----------+-----------------+--------------+----------+-----------+------------+----------+
//          | SERIAL,  | two programs as | ROW: of the row   | MADE,     | callbacks of    | counters,    | ids that | EXECUTED, | TABLE,     | of       |
//          | STATE    | pointer, words  | table, as the     | MOST, stop| the call that   | self, name,  | were     | SENT      | registers  | batches  |
//          |          | from, end       | next step has it  | ids       | waits           | message      | made     |           |            |          |
//          +----------+-----------------+-------------------+-----------+-----------------+--------------+----------+-----------+------------+----------+
//
// Records that go on are a list, so that a message of one can make everyone's next token in one batch.

/** u32: which use of the record this is; a message of an earlier one does nothing. */
export const SERIAL = 0;
/** u32: whether it goes on. */
export const STATE = 4;
export const HALTED = 0;
export const GOING = 1;

/** u32 each: pointer of the program, its first word, its end. */
export const STEP = 8;
export const CHOICE = 20;
/** u32 [ROW_WORDS]: the session's row (tensor/assembly/row-table.ts) of the next step. */
export const ROW = 32;
/** u32: ids made so far, and at how many it halts. */
export const MADE = 64;
export const MOST = 68;
/** u32: how many ids end an answer, then these. */
export const STOPS = 72;
export const MAX_STOPS = 8;

/** u32 each: function and environment, as `call_new` and `call_on_cleanup` were given them. */
export const REPLY = 108;
/** REPLY of a relay that nobody waits for: its call has no callbacks. */
export const NOBODY = 0xffffffff;
export const REJECT = 116;
export const CLEANUP = 124;

/** u64 each: instructions of its messages and its share of batches that others ran, less theirs of its own; of these the programs'; the last step's time in nanoseconds. */
export const INSTRUCTIONS = 136;
export const UNIT_INSTRUCTIONS = 144;
export const BEAT = 152;

/** The canister's own principal: its length as u32, then at most 29 bytes. */
export const SELF = 160;
/** Room for a caller. */
export const CALLER = 196;
/** The method's name. */
export const NAME = 228;
/** Arguments of its messages, and room for those of any message. */
export const ARGS = 236;
export const ARRIVED = 245;
/** u32 [MOST_TOKENS] */
export const IDS = 256;
/** u32 each: messages that were executed outside the interpreter, replies too, and calls that were sent there. */
export const EXECUTED = 384;
export const SENT = 388;
/** After so many tokens TypeScript has a look: at its watchdog, and at what else waits. */
export const MOST_TOKENS = 32;
/** u32: pointer of the row table. */
export const TABLE = 400;
/** u32 [REGISTERS]: of a step of one row. Those of more rows are so many times these. */
export const REGISTERS_AT = 404;
/** u32: rows that a batch in its messages may have. */
export const MOST_ROWS = 428;
/** u32: whether another's batch has made the token that its next message is for. */
export const AHEAD = 432;
/** u32: whether it is in the batch that runs. */
export const JOINED = 436;
export const RECORD_BYTES = 440;

// Behind what TypeScript writes, and kept from one use of the record to the next:
/** u32: whether it is in the list, and the record behind it. */
export const LINKED = 440;
export const NEXT = 444;
/** u32 [REGISTERS]: of a batch. */
export const BATCH_REGISTERS = 448;
export const ROOM_BYTES = 472;

/** First byte of a relay's message, [kind u8, serial u32 little-endian, record u32 little-endian]. */
export const RELAY = 3;
export const MESSAGE_BYTES = 9;
/** "generate", behind which a call that is a relay's has "#" and the record's pointer in decimal. */
export const NAME_BYTES = 8;
export const MARK = 35;
