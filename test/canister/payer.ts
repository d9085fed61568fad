/** A canister that hands calls on with cycles, so that a test can pay. */
import { IDL } from '@dfinity/candid';
import type { Principal } from '@dfinity/principal';
import { canister } from '../../packages/replica/test/wat.ts';
import { idlService as service } from '../../src/interface/llm.did.ts';
import { controller, type Installed } from './llm.ts';

/**
 * Its argument is [cycles u64, length of the callee's id u8, id, length of the method's name u8, name, argument], its
 * reply [refunded u64, reply].
 */
const payer = canister(
  `(table 2 funcref) (elem (i32.const 0) $done $failed)
   (func $done (param i32)
     (i64.store (i32.const 0) (call $msg_cycles_refunded))
     (call $msg_reply_data_append (i32.const 0) (i32.const 8))
     (call $msg_arg_data_copy (i32.const 1024) (i32.const 0) (call $msg_arg_data_size))
     (call $msg_reply_data_append (i32.const 1024) (call $msg_arg_data_size))
     (call $msg_reply))
   (func $failed (param i32)
     (call $msg_reject_msg_copy (i32.const 0) (i32.const 0) (call $msg_reject_msg_size))
     (call $msg_reject (i32.const 0) (call $msg_reject_msg_size)))
   (func (export "canister_update pay") (local $id i32) (local $name i32) (local $arg i32)
     (call $msg_arg_data_copy (i32.const 0) (i32.const 0) (call $msg_arg_data_size))
     (local.set $id (i32.load8_u (i32.const 8)))
     (local.set $name (i32.add (i32.const 9) (local.get $id)))
     (local.set $arg (i32.add (i32.add (local.get $name) (i32.const 1)) (i32.load8_u (local.get $name))))
     (call $call_new (i32.const 9) (local.get $id) (i32.add (local.get $name) (i32.const 1)) (i32.load8_u (local.get $name))
       (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
     (call $call_data_append (local.get $arg) (i32.sub (call $msg_arg_data_size) (local.get $arg)))
     (call $call_cycles_add (i64.load (i32.const 0)))
     (drop (call $call_perform)))`,
  4,
);

export interface Paid<T> {
  refunded: bigint;
  result: T;
}

export interface Payer {
  id: Principal;
  /** Calls a method of the canister with so many cycles. @throws Error where the call is rejected */
  pay<T>(method: string, cycles: bigint, ...args: unknown[]): Promise<Paid<T>>;
}

export async function installPayer(llm: Installed): Promise<Payer> {
  const { canisterId } = llm.replica.createCanister({ controllers: [controller], cycles: 10n ** 15n });
  await llm.replica.installCode({ canisterId, wasm: payer, sender: controller });
  async function pay<T>(method: string, cycles: bigint, ...args: unknown[]): Promise<Paid<T>> {
    const [, type] = service._fields.find(([name]) => name === method)!;
    const id = llm.canisterId.toUint8Array();
    const name = new TextEncoder().encode(method);
    const encoded = new Uint8Array(IDL.encode(type.argTypes, args));
    const head = new Uint8Array(new BigUint64Array([cycles]).buffer);
    const arg = Uint8Array.from([...head, id.length, ...id, name.length, ...name, ...encoded]);
    const reply = await llm.replica.updateCall({ canisterId, method: 'pay', arg, sender: controller });
    const [result] = IDL.decode(type.retTypes, reply.slice(8) as Uint8Array<ArrayBuffer>) as unknown as [T];
    return { refunded: new DataView(reply.buffer, reply.byteOffset).getBigUint64(0, true), result };
  }
  return { id: canisterId, pay };
}
