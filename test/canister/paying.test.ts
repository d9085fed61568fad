/** Canisters that call: cycles attached, what is taken of them and what goes back; methods that inspect_message cannot keep them from. */
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canister } from '../../packages/replica/test/wat.ts';
import { packFolder } from '../../scripts/lib/model-folder.ts';
import { idlService as service } from '../../src/client/llm.did.ts';
import { change, controller, type Installed, install, ok, options, upload } from './llm.ts';

const { prompt, text }: { prompt: string; text: string } = JSON.parse(
  readFileSync('models/little-flan/expected.json', 'utf8'),
).cases[0];

/**
 * A canister that hands calls on with cycles: its argument is [cycles u64, length of the callee's id u8, id, length of the method's name u8, name,
 * argument], its reply [refunded u64, reply].
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

let llm: Installed;
let owner: ReturnType<Installed['as']>;
let payerId: Installed['canisterId'];

beforeAll(async () => {
  llm = await install();
  owner = llm.as();
  await upload(owner, readFileSync((await packFolder('models/little-flan', 'int8')).path));
  payerId = llm.replica.createCanister({ controllers: [controller], cycles: 10n ** 15n }).canisterId;
  await llm.replica.installCode({ canisterId: payerId, wasm: payer, sender: controller });
});

beforeEach(async () => {
  ok(await owner.set_settings(change({ price_percent: 150, max_active: 8, tokens_per_call: 8 })));
});

/** Calls a method by the paying canister. */
async function pay<T>(method: string, cycles: bigint, ...args: unknown[]): Promise<{ refunded: bigint; result: T }> {
  const [, type] = service._fields.find(([name]) => name === method)!;
  const id = llm.canisterId.toUint8Array();
  const name = new TextEncoder().encode(method);
  const encoded = new Uint8Array(IDL.encode(type.argTypes, args));
  const head = new Uint8Array(new BigUint64Array([cycles]).buffer);
  const arg = Uint8Array.from([...head, id.length, ...id, name.length, ...name, ...encoded]);
  const reply = await llm.replica.updateCall({ canisterId: payerId, method: 'pay', arg, sender: controller });
  const [result] = IDL.decode(type.retTypes, reply.slice(8) as Uint8Array<ArrayBuffer>) as unknown as [T];
  return { refunded: new DataView(reply.buffer, reply.byteOffset).getBigUint64(0, true), result };
}

type Answer = { Ok: { text: string; cycles: bigint; session: string } } | { Err: Record<string, unknown> };
const quoted = async (): Promise<bigint> => (await owner.quote(32, 512)).cycles;

describe('a canister', () => {
  it('pays what the answer took, with the percentage, and gets the rest back', async () => {
    const cycles = await quoted();
    const { refunded, result } = await pay<Answer>('generate', cycles, prompt);
    const answer = ok(result);
    expect(answer.text).toBe(text);
    expect(cycles - refunded).toBe((answer.cycles * 150n + 99n) / 100n);
    // the session has the same on record
    expect(ok(await llm.as(payerId).progress(answer.session, 0)).cycles).toBe(answer.cycles);
  });

  it('is told what is missing, and gets that back', async () => {
    const { refunded, result } = await pay<Answer>('generate', 1000n, prompt);
    expect(result).toMatchObject({ Err: { PaymentRequired: { message: expect.stringContaining('got 1000') } } });
    expect(refunded).toBe(1000n);
  });

  it('gets everything back where the generation fails', async () => {
    ok(await owner.set_settings(change({ tokens_per_call: 1 })));
    const [first] = await owner.models();
    const other = readFileSync((await packFolder('models/little-flan', 'int8')).path);
    other[100_000]! ^= 1;
    await upload(owner, other);
    const cycles = await quoted();
    const answer = pay<Answer>('generate', cycles, prompt);
    while ((await owner.status()).generating === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    ok(await owner.model_activate(first!.sha256));
    const { refunded, result } = await answer;
    expect(result).toMatchObject({ Err: { Failed: { message: 'the model was replaced' } } });
    expect(refunded).toBe(cycles);
  });

  it('pays for what was made until it cancels, and for the rest when it resumes: no answer is free', async () => {
    ok(await owner.set_settings(change({ tokens_per_call: 1 })));
    const cycles = await quoted();
    const answer = pay<Answer>('generate', cycles, prompt);
    const list = async () =>
      ok((await llm.as(payerId).list([])) as { Ok: { session: string; output_tokens: number; state: object }[] });
    let session: string | undefined;
    while (session === undefined) {
      session = (await list()).find(({ state, output_tokens }) => 'generating' in state && output_tokens > 1)?.session;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await llm.as(payerId).cancel(session);
    const { refunded, result } = await answer;
    expect(result).toMatchObject({ Err: { Cancelled: { session } } });
    expect(cycles - refunded).toBeGreaterThan(10_000_000n);
    const free = await pay<Answer>('resume', 0n, session);
    expect(free.result).toMatchObject({
      Err: { PaymentRequired: { message: expect.stringContaining('resume: expected') } },
    });
    const resumed = await pay<Answer>('resume', cycles, session);
    const { cycles: whole } = ok(resumed.result);
    const paid = cycles - refunded + (cycles - resumed.refunded);
    expect(Number(paid)).toBeGreaterThan(Number(whole) * 1.49);
    expect(Number(paid)).toBeLessThan(Number(whole) * 1.51);
  });

  it('cannot begin what it would not pay for', async () => {
    const { result } = await pay<Answer>('start', await quoted(), prompt, []);
    expect(result).toMatchObject({
      Err: { PaymentRequired: { message: expect.stringContaining('expected a call of generate') } },
    });
  });
});

describe('generate_query', () => {
  it('is no update: it would cost 5 B cycles, past every limit', async () => {
    const { result } = await pay<Answer>('generate_query', 0n, prompt, []);
    expect(result).toEqual({
      Err: { NotAllowed: 'generate_query: expected a query call, got an update call; use generate' },
    });
    const [, type] = service._fields.find(([name]) => name === 'generate_query')!;
    const arg = new Uint8Array(IDL.encode(type.argTypes, [prompt, options({ max_new_tokens: 1 })]));
    const call = { canisterId: llm.canisterId, method: 'generate_query', arg };
    await expect(llm.replica.updateCall(call)).rejects.toThrow('expected a query call');
  });
});
