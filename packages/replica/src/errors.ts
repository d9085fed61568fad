/**
 * How an execution ends that does not end well, and the rejects that come of it. Specification-like: interface
 * specification, "Reject codes", and the error codes of dfinity/ic `rs/types/error_types`.
 */
import type { Reject, RejectCode } from './types.ts';

/** Reject codes by the specification's names. */
export const RejectCodes = {
  SYS_FATAL: 1,
  SYS_TRANSIENT: 2,
  DESTINATION_INVALID: 3,
  CANISTER_REJECT: 4,
  CANISTER_ERROR: 5,
  SYS_UNKNOWN: 6,
} as const satisfies Record<string, RejectCode>;

/** Error codes that the replica gives, and the reject code each goes with. */
const errorCodes = {
  IC0207: RejectCodes.SYS_TRANSIENT, // canister out of cycles
  IC0301: RejectCodes.DESTINATION_INVALID, // canister not found
  IC0305: RejectCodes.DESTINATION_INVALID, // snapshot not found
  IC0403: RejectCodes.CANISTER_REJECT, // too few cycles to create a canister
  IC0406: RejectCodes.CANISTER_REJECT, // rejected by the canister
  IC0408: RejectCodes.CANISTER_REJECT, // an argument of a management method that cannot be
  IC0409: RejectCodes.CANISTER_REJECT, // a snapshot that was not uploaded cannot be changed
  IC0502: RejectCodes.CANISTER_ERROR, // trapped
  IC0503: RejectCodes.CANISTER_ERROR, // called ic0.trap
  IC0504: RejectCodes.CANISTER_ERROR, // violated the contract of a system call
  IC0505: RejectCodes.CANISTER_ERROR, // invalid Wasm
  IC0506: RejectCodes.CANISTER_ERROR, // did not reply
  IC0508: RejectCodes.CANISTER_ERROR, // stopped
  IC0509: RejectCodes.CANISTER_ERROR, // stopping
  IC0510: RejectCodes.CANISTER_ERROR, // not stopped
  IC0511: RejectCodes.CANISTER_ERROR, // started while it was stopping
  IC0512: RejectCodes.CANISTER_ERROR, // sender is not a controller
  IC0513: RejectCodes.CANISTER_ERROR, // callback not found
  IC0514: RejectCodes.CANISTER_ERROR, // install on a canister that is not empty
  IC0520: RejectCodes.CANISTER_ERROR, // fewer cycles with the call than the callee takes
  IC0522: RejectCodes.CANISTER_ERROR, // instruction limit exceeded
  IC0524: RejectCodes.CANISTER_ERROR, // touched too much memory
  IC0525: RejectCodes.CANISTER_ERROR, // composite queries nest too deep
  IC0527: RejectCodes.CANISTER_ERROR, // a composite query made with a call
  IC0532: RejectCodes.CANISTER_ERROR, // too few cycles for more memory
  IC0536: RejectCodes.CANISTER_ERROR, // method not found
  IC0537: RejectCodes.CANISTER_ERROR, // no Wasm module
  IC0539: RejectCodes.CANISTER_ERROR, // Wasm memory limit exceeded
  IC0601: RejectCodes.SYS_UNKNOWN, // deadline expired
} as const satisfies Record<string, RejectCode>;

export type ErrorCode = keyof typeof errorCodes;

export function reject(errorCode: ErrorCode, rejectMessage: string): Reject {
  return { rejectCode: errorCodes[errorCode], rejectMessage, errorCode };
}

/** Ends the message that is being executed and undoes it. */
export class Trap extends Error {
  constructor(
    readonly errorCode: ErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'Trap';
  }
}

/** A call or request that was rejected, as the verbs of `Replica` throw it. */
export class RejectError extends Error implements Reject {
  readonly rejectCode: RejectCode;
  readonly rejectMessage: string;
  readonly errorCode: string;

  constructor({ rejectCode, rejectMessage, errorCode }: Reject) {
    super(`${rejectMessage} (reject code ${rejectCode}, ${errorCode})`);
    this.name = 'RejectError';
    this.rejectCode = rejectCode;
    this.rejectMessage = rejectMessage;
    this.errorCode = errorCode;
  }
}

/** Traps by the first sentence that the Internet Computer has for them. */
const engineTraps: [pattern: RegExp, trap: string][] = [
  [/memory access out of bounds/, 'heap out of bounds'],
  [/data segment.*out of bounds|index out of bounds/, 'heap out of bounds'],
  [/divide by zero|remainder by zero/, 'integer division by 0'],
  [/divide result unrepresentable/, 'unknown. The engine says: integer overflow'],
  [/float unrepresentable/, 'unknown. The engine says: bad conversion to integer'],
  [
    /null function or function signature mismatch|indirect call signature/,
    'unknown. The engine says: indirect call type mismatch',
  ],
  [/table index is out of bounds|table.*out of bounds/, 'table out of bounds'],
  [/unreachable/, 'unreachable'],
  [/call stack/, 'stack overflow'],
];

/** What ended a run of Wasm, as a trap. Rethrows what the engine did not cause: that would be a bug of this replica. */
export function asTrap(error: unknown): Trap {
  if (error instanceof Trap) return error;
  if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
    const known = engineTraps.find(([pattern]) => pattern.test(error.message));
    if (known) return new Trap('IC0502', known[1]);
    if (error instanceof WebAssembly.RuntimeError) return new Trap('IC0502', error.message);
  }
  throw error;
}

/**
 * Whether a canister's log has it: what ended its Wasm by itself, not the limits that the system sets. Source:
 * dfinity/ic, `canister_log_for_trap`.
 */
export const isLogged = ({ errorCode }: Trap): boolean => errorCode === 'IC0502' || errorCode === 'IC0503';

/** The reject that the caller of a method sees when it traps. */
export function trapReject(canisterId: string, trap: Trap): Reject {
  const said: Partial<Record<ErrorCode, string>> = {
    IC0502: `Canister trapped: ${trap.message}`,
    IC0503: `Canister called \`ic0.trap\` with message: '${trap.message}'`,
  };
  return reject(trap.errorCode, `Error from Canister ${canisterId}: ${said[trap.errorCode] ?? trap.message}`);
}
