/**
 * The caller example on the replica, against a canister that answers `generate_with` with whatever bytes it was given
 * before.
 */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import binaryen from 'binaryen';
import { beforeAll, expect, test } from 'vitest';
import { Replica } from '../../packages/replica/src/index.ts';
import { GenerateError, GenerateResult } from '../../src/interface/llm.did.ts';
import { buildCanister } from '../../src/node/build/canister.ts';

/** `answer`: keeps its argument. `generate_with` and `resume`: reply what was kept; with nothing kept they trap. */
const answering = `(module
  (import "ic0" "msg_arg_data_size" (func $size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $copy (param i32 i32 i32)))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (memory (export "memory") 1)
  (global $kept (mut i32) (i32.const 0))
  (func (export "canister_update answer")
    (global.set $kept (call $size))
    (call $copy (i32.const 0) (i32.const 0) (call $size))
    (call $reply))
  (func (export "canister_update resume") (call $reply_kept))
  (func $reply_kept (export "canister_update generate_with")
    (if (i32.eqz (global.get $kept)) (then (unreachable)))
    (call $append (i32.const 0) (global.get $kept))
    (call $reply)))`;

const Answer = IDL.Variant({ Ok: IDL.Text, Err: IDL.Text });

const whole = {
  ...{
    session: '1',
    token_ids: [],
    finish_reason: { stop: null },
    seed: [],
    prompt_tokens: 4,
    output_tokens: 6,
    calls: 6,
    messages: 12,
  },
  ...{ instructions: 5n, unit_instructions: 4n, cycles: 6n, embedding_cached: false, answer_cached: false },
};
/** What the model canister answers from now on, in its own types. */
const answers = (answer: object) =>
  replica.updateCall({ canisterId: llm, method: 'answer', arg: encode([GenerateResult], [answer]) });

const encode = (types: IDL.Type[], values: unknown[]) => new Uint8Array(IDL.encode(types, values));
const controller = Principal.fromUint8Array(new Uint8Array([1, 2, 3]));
const stranger = Principal.fromUint8Array(new Uint8Array([4, 5, 6]));
const replica = new Replica({ seed: 1 });
let llm: Principal;
let caller: Principal;

beforeAll(async () => {
  const { gz } = await buildCanister('caller');
  const module = binaryen.parseText(answering);
  llm = replica.createCanister({ controllers: [controller] }).canisterId;
  await replica.installCode({ canisterId: llm, wasm: module.emitBinary() });
  caller = replica.createCanister({ controllers: [controller] }).canisterId;
  await replica.installCode({ canisterId: caller, wasm: gz, arg: encode([IDL.Opt(IDL.Principal)], [[]]) });
});

async function update(method: string, types: IDL.Type[], values: unknown[], sender = controller) {
  const reply = await replica.updateCall({ canisterId: caller, method, arg: encode(types, values), sender });
  return IDL.decode([Answer], reply)[0];
}

const ask = () => update('ask', [IDL.Text], ['joe has 22 apples'], stranger);

test('asks the canister that a controller named, and hands on its answer or its error', async () => {
  expect(await ask()).toEqual({ Err: 'ask: no model canister set; call set_llm' });
  expect(await update('set_llm', [IDL.Principal], [llm], stranger)).toEqual({ Err: 'set_llm: expected a controller' });
  expect(await update('set_llm', [IDL.Principal], [llm])).toEqual({ Ok: llm.toText() });
  expect(await ask()).toEqual({ Err: expect.stringContaining('ask: ') });
  await answers({ Ok: { ...whole, text: 'the answer is 16' } });
  expect(await ask()).toEqual({ Ok: 'the answer is 16' });
});

test('has something to say to every error that the model canister knows', async () => {
  const message = 'expected this, got that';
  const detail = { message, session: '1', tokens: 5, limit: 4, instructions: 5n, cycles: 6n };
  for (const [name, type] of GenerateError._fields) {
    await answers({ Err: { [name]: type instanceof IDL.RecordClass ? detail : message } });
    expect(await ask(), name).toEqual({ Err: expect.stringContaining(message) });
  }
  await answers({ Err: { PaymentRequired: { ...detail, cycles: 10n ** 12n } } });
  expect(await ask()).toEqual({ Err: 'ask: expected a price of at most 100000000000 cycles, got 1000000000000' });
});

test('keeps it over an upgrade, and takes it as an argument of the installation', async () => {
  const which = async () => {
    const reply = await replica.queryCall({ canisterId: caller, method: 'llm', arg: encode([], []) });
    const [llm] = IDL.decode([IDL.Opt(IDL.Principal)], reply) as unknown as [[] | [Principal]];
    return llm[0]?.toText();
  };
  const { gz } = await buildCanister('caller');
  const argument = (value: [] | [Principal]) => ({
    canisterId: caller,
    wasm: gz,
    arg: encode([IDL.Opt(IDL.Principal)], [value]),
  });
  await replica.installCode({ ...argument([]), mode: 'upgrade' });
  expect(await which()).toBe(llm.toText());
  await replica.installCode({ ...argument([]), mode: 'reinstall' });
  expect(await which()).toBe(undefined);
  await replica.installCode({ ...argument([llm]), mode: 'upgrade' });
  expect(await which()).toBe(llm.toText());
});
