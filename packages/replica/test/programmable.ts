/**
 * A canister that does what its argument says: a program of steps, one byte each and what they need, with the programs
 * of its calls' callbacks inside. What it has done and not undone it counts in its memory, so that a test can tell what
 * it must have cost.
 */
import type { Principal } from '@dfinity/principal';
import { canister } from './wat.ts';

/** A program: steps as bytes, one after the other. */
export type Program = Uint8Array;

export const program = (...steps: Program[]): Program => new Uint8Array(Buffer.concat(steps));
const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const u64 = (value: bigint) => new Uint8Array(BigUint64Array.of(value).buffer);
const sized = (bytes: Uint8Array) => program(u32(bytes.length), bytes);

export const accept = (cycles: bigint): Program => program(Uint8Array.of(1), u64(cycles));
export const reply: Program = Uint8Array.of(2);
export const reject: Program = Uint8Array.of(3);
export const trap: Program = Uint8Array.of(4);
export const burn = (cycles: bigint): Program => program(Uint8Array.of(5), u64(cycles));
/** Changes the canister's memory: `marks` becomes one more. */
export const mark: Program = Uint8Array.of(6);
/** Appends the cycles still available, in eight bytes, to the reply. */
export const available: Program = Uint8Array.of(7);
/** Sets certified data to three bytes. */
export const certify: Program = Uint8Array.of(9);

/** Calls the method `run` of a canister like this one. */
export function call(options: {
  to: Principal;
  arg?: Program;
  cycles?: bigint;
  /** Seconds of a best-effort call. */
  timeout?: number;
  onReply?: Program;
  onReject?: Program;
  onCleanup?: Program;
}): Program {
  const { to, arg = program(), cycles = 0n, timeout = 0, onReply = program(), onReject = program() } = options;
  const id = to.toUint8Array();
  const cleanup = options.onCleanup ? sized(options.onCleanup) : u32(0xffffffff);
  const head = [Uint8Array.of(8, id.length), id, sized(arg), u64(cycles), u32(timeout)];
  return program(...head, sized(onReply), sized(onReject), cleanup);
}

/** What the canister has done, as far as it was not undone. */
export interface Counts {
  calls: number;
  /** Bytes of the calls' arguments and method names. */
  callBytes: number;
  /** Bytes of the replies and reject messages that came back. */
  responseBytes: number;
  burned: number;
  marks: number;
}

/** Reads what the query `counts` replied. */
export function counts(reply: Uint8Array): Counts {
  const [calls, callBytes, responseBytes, burned, marks] = Array.from(new BigUint64Array(reply.slice().buffer), Number);
  return { calls: calls!, callBytes: callBytes!, responseBytes: responseBytes!, burned: burned!, marks: marks! };
}

const step = (code: number, body: string) =>
  `(if (i32.eq (local.get $step) (i32.const ${code})) (then ${body} (br $next)))`;
const skip = (bytes: string) => `(local.set $p (i32.add (local.get $p) ${bytes}))`;
const at = (pointer: string, offset: number) => `(i32.add (local.get ${pointer}) (i32.const ${offset}))`;
/** The end of the sized bytes at a pointer. */
const after = (pointer: string) => `(i32.add ${at(pointer, 4)} (i32.load (local.get ${pointer})))`;

export const programmable = canister(
  `
  (data (i32.const 512) "no!") (data (i32.const 516) "run")
  (table 3 funcref) (elem (i32.const 0) $onReply $onReject $onCleanup)
  (global $top (mut i32) (i32.const 4096))
  (func $add (param $at i32) (param $n i64) (i64.store (local.get $at) (i64.add (i64.load (local.get $at)) (local.get $n))))
  (func $call (param $p i32) (result i32) (local $arg i32) (local $rest i32) (local $reply i32) (local $reject i32) (local $cleanup i32)
    (local.set $arg (i32.add ${at('$p', 1)} (i32.load8_u (local.get $p))))
    (local.set $rest ${after('$arg')})
    (local.set $reply ${at('$rest', 12)})
    (local.set $reject ${after('$reply')})
    (local.set $cleanup ${after('$reject')})
    (call $call_new ${at('$p', 1)} (i32.load8_u (local.get $p)) (i32.const 516) (i32.const 3)
      (i32.const 0) (local.get $reply) (i32.const 1) (local.get $reject))
    (call $call_data_append ${at('$arg', 4)} (i32.load (local.get $arg)))
    (call $call_cycles_add (i64.load (local.get $rest)))
    (if (i32.load offset=8 (local.get $rest))
      (then (call $call_with_best_effort_response (i32.load offset=8 (local.get $rest)))))
    (if (i32.ne (i32.load (local.get $cleanup)) (i32.const -1))
      (then (call $call_on_cleanup (i32.const 2) (local.get $cleanup))))
    (if (i32.eqz (call $call_perform)) (then
      (call $add (i32.const 1024) (i64.const 1))
      (call $add (i32.const 1032) (i64.extend_i32_u (i32.add (i32.load (local.get $arg)) (i32.const 3))))))
    (if (result i32) (i32.eq (i32.load (local.get $cleanup)) (i32.const -1))
      (then ${at('$cleanup', 4)}) (else ${after('$cleanup')})))
  (func $run (param $p i32) (param $end i32) (local $step i32)
    (loop $next
      (if (i32.ge_u (local.get $p) (local.get $end)) (then (return)))
      (local.set $step (i32.load8_u (local.get $p)))
      ${skip('(i32.const 1)')}
      ${step(1, `(drop (call $msg_cycles_accept (i64.load (local.get $p)))) ${skip('(i32.const 8)')}`)}
      ${step(2, '(call $msg_reply)')}
      ${step(3, '(call $msg_reject (i32.const 512) (i32.const 3))')}
      ${step(4, '(unreachable)')}
      ${step(
        5,
        `(call $cycles_burn128 (i64.const 0) (i64.load (local.get $p)) (i32.const 0))
        (call $add (i32.const 1048) (i64.load (i32.const 0))) ${skip('(i32.const 8)')}`,
      )}
      ${step(6, '(call $add (i32.const 1056) (i64.const 1))')}
      ${step(
        7,
        `(i64.store (i32.const 0) (call $msg_cycles_available))
        (call $msg_reply_data_append (i32.const 0) (i32.const 8))`,
      )}
      ${step(8, '(local.set $p (call $call (local.get $p)))')}
      ${step(9, '(call $certified_data_set (i32.const 512) (i32.const 3))')}
      (unreachable)))
  (func $runSized (param $env i32) (call $run ${at('$env', 4)} ${after('$env')}))
  (func $onReply (param $env i32)
    (call $add (i32.const 1040) (i64.extend_i32_u (call $msg_arg_data_size))) (call $runSized (local.get $env)))
  (func $onReject (param $env i32)
    (call $add (i32.const 1040) (i64.extend_i32_u (call $msg_reject_msg_size))) (call $runSized (local.get $env)))
  (func $onCleanup (param $env i32) (call $runSized (local.get $env)))
  (func $enter (local $at i32)
    (local.set $at (global.get $top))
    (global.set $top (i32.add (local.get $at) (call $msg_arg_data_size)))
    (call $msg_arg_data_copy (local.get $at) (i32.const 0) (call $msg_arg_data_size))
    (call $run (local.get $at) (global.get $top)))
  (func (export "canister_update run") (call $enter))
  (func (export "canister_query ask") (call $enter))
  (func (export "canister_query counts")
    (call $msg_reply_data_append (i32.const 1024) (i32.const 40)) (call $msg_reply))`,
  32,
);
