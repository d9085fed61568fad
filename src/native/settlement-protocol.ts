// What the TypeScript face of a settlement (../settlement.ts) and its AssemblyScript (settlement.ts) agree on. Plain
// integer constants only, so that both compilers read this one file.
//
// The payload of the mailbox stays where it is, in the heap of the interpreter, until the message has ended:
//
//   bytes  0        8          16         24         32         40         44         48         52           64          80
//          +--------+----------+----------+----------+----------+----------+----------+----------+------------+-----------+----------- - -
//          | TOTAL  | ROW      | BILL     | DUE      | PERCENT  | REPLY_   | INSTRUC- | CYCLES_  | REJECTS    | ACCEPTED, | reply
//          | u64    | u64      | f64      | u64      | u64      | BYTES u32| TIONS_AT | AT u32   | u32        | u128      |
//          +--------+----------+----------+----------+----------+----------+----------+----------+------------+-----------+----------- - -

/**
 * settle(-, bytes of payload): the message in hand is settled with this when it has ended; what another command of it
 * said counts no more
 */
export const COMMAND_SETTLE = 80;

/** Instructions of the whole message, as soon as it has ended; 0 before. */
export const TOTAL = 0;
/**
 * Where among our blocks of stable memory the session's instructions stand, and what stands there without this message;
 * NOWHERE for none.
 */
export const ROW = 8;
export const NOWHERE = -1;
export const BILL = 16;
/**
 * Cycles that the caller owes, without this message's instructions, and what each hundred of them is sold for; at 0
 * nothing is accepted.
 */
export const DUE = 24;
export const PERCENT = 32;
/** At 0, TypeScript has replied, or does not in this message. */
export const REPLY_BYTES = 40;
/** Places in the reply of numbers of 64 bits that the total is added to; 0 for none. */
export const INSTRUCTIONS_AT = 44;
export const CYCLES_AT = 48;
/** Whether the reply's bytes are the message of a reject. */
export const REJECTS = 52;
/** Room for what `msg_cycles_accept128` says. */
export const ACCEPTED = 64;
export const REPLY = 80;
