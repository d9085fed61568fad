// What the TypeScript face of the native loop (src/canister/sessions/native-loop.ts) and its AssemblyScript
// (native-loop.ts) agree on: records in the arena, and the bytes of a message. Plain integer constants only, so that
// both compilers read this one file.
//
// A drive is what messages are sent by. A member is a session whose next tokens a drive's messages make; it sends
// nothing.
//
//   drive  0         8                32        40          68        72            112     380    392          ...
//          +---------+----------------+---------+-----------+---------+-------------+-------+------+------------+------------------+
//          | SERIAL, | two programs:  | TABLE,  | registers | STEPS_  | what was    | mem-  | ARGS | callbacks, | of the batch     |
//          | STATE   | pointer, words | MOST_   | of one    | LEFT    | spent, the  | bers  |      | self, name,| that runs        |
//          |         | from, end      | ROWS    | row       |         | last step   |       |      | caller     |                  |
//          +---------+----------------+---------+-----------+---------+-------------+-------+------+------------+------------------+
//
//   member 0       8            48                80                            120
//          +-------+------------+-----------------+-----------------------------+---------------+
//          | GOES, | stop ids   | ROW: as the     | MADE, its share of what was | ids that were |
//          | LEFT  |            | next step has it| spent                       | made          |
//          +-------+------------+-----------------+-----------------------------+---------------+

/**
 * steps(drive, most steps, until low, until high) -> result: instructions of the dearest step. Makes steps of a drive's
 * members in the message in hand, which is TypeScript's: none that would end after `until` but the first. They are on
 * no bill.
 */
export const COMMAND_STEPS = 84;

/** u32: which use of the record this is; a message of an earlier one does nothing. */
export const SERIAL = 0;
/**
 * u32: whether its messages go on to make tokens. Those of one that is ENTERING are TypeScript's, and only the replies
 * to them are native.
 */
export const STATE = 4;
export const HALTED = 0;
export const GOING = 1;
export const ENTERING = 2;
/** u32 each: pointer of the program, its first word, its end. */
export const STEP = 8;
export const CHOICE = 20;
/** u32: pointer of the row table; how many rows a batch may have. */
export const TABLE = 32;
export const MOST_ROWS = 36;
/** u32 [REGISTERS]: of a step of one row. Those of more rows are so many times these. */
export const REGISTERS_AT = 40;
/** u32: so many steps on, TypeScript has a look. */
export const STEPS_LEFT = 64;
export const MOST_TOKENS = 32;

/**
 * What its messages took that is on no member's bill yet: instructions u64; messages executed and calls sent, u32 each.
 */
export const POT_INSTRUCTIONS = 72;
export const POT_EXECUTED = 80;
export const POT_SENT = 84;
/** u64: instructions of the message in hand that are on members' bills, where TypeScript gets to see it. */
export const PREPAID = 88;
export const POT_BYTES = 24;
/** u64: the last step's time in nanoseconds. */
export const BEAT = 96;
/** u32: from which member on the next batch is filled; how many there are, and where. */
export const CURSOR = 104;
export const COUNT = 108;
export const MEMBERS = 112;
export const MOST_MEMBERS = 64;
/** Arguments of its messages. */
export const ARGS = 368;
/** What TypeScript writes ends here. */
export const DRIVE_HEAD_BYTES = 380;

/** u32 each: function and environment, as `call_new` and `call_on_cleanup` were given them. */
export const REPLY = 380;
/** REPLY of a drive that nobody waits for: its calls have no callbacks. */
export const NOBODY = 0xffffffff;
export const REJECT = 388;
export const CLEANUP = 396;
/** The canister's own principal: its length as u32, then at most 29 bytes. */
export const SELF = 404;
/** Room for a caller, for the method's name, and for arguments of any message. */
export const CALLER = 440;
export const NAME = 472;
export const ARRIVED = 480;
/** u32 [REGISTERS], and the members that the batch in hand is for: how many, and where. */
export const BATCH_REGISTERS = 492;
export const ROWS = 516;
export const JOINED = 520;
export const DRIVE_BYTES = 648;

/** u32: whether the member goes on; how many tokens it may have yet. */
export const GOES = 0;
export const LEFT = 4;
/** u32: how many ids end an answer, then these. */
export const STOPS = 8;
export const MAX_STOPS = 8;
/** u32 [ROW_WORDS]: the session's row (tensor/assembly/row-table.ts) of the next step. */
export const ROW = 48;
/** u32: ids made since TypeScript took the last ones. */
export const MADE = 80;
/** u64 each: instructions, and of these the programs'; f64 each: messages executed and calls sent. */
export const SHARE_INSTRUCTIONS = 88;
export const SHARE_UNIT = 96;
export const SHARE_EXECUTED = 104;
export const SHARE_SENT = 112;
/** u32 [MOST_TOKENS] */
export const IDS = 120;
export const MEMBER_BYTES = 248;

/** First byte of a drive's message, [kind u8, serial u32 little-endian, record u32 little-endian]. */
export const NATIVE_LOOP = 3;
export const MESSAGE_BYTES = 9;
/** "generate", behind which a call that is a drive's has "#" and the record's pointer in decimal. */
export const NAME_BYTES = 8;
export const MARK = 35;
