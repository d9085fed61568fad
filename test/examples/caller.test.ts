/** The caller example on the replica, against a canister that answers `generate` with whatever bytes it was given before. */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import binaryen from 'binaryen';
import { beforeAll, expect, test } from 'vitest';
import { buildCanister } from '../../scripts/build/canister.ts';
import { Replica } from '../../src/replica/index.ts';

/** `answer`: keeps its argument. `generate`: replies what was kept; with nothing kept it traps. */
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
  (func (export "canister_update generate")
    (if (i32.eqz (global.get $kept)) (then (unreachable)))
    (call $append (i32.const 0) (global.get $kept))
    (call $reply)))`;

const Answer = IDL.Variant({ Ok: IDL.Text, Err: IDL.Text });
/** A part of what the model's canister answers; the caller leaves out what it does not know. */
const Generated = IDL.Variant({
  Ok: IDL.Record({ text: IDL.Text, output_tokens: IDL.Nat32 }),
  Err: IDL.Variant({ NoModel: IDL.Text, Failed: IDL.Record({ session: IDL.Text, message: IDL.Text }) }),
});

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
  const answers = [
    [{ Ok: { text: 'the answer is 16', output_tokens: 6 } }, { Ok: 'the answer is 16' }],
    [{ Err: { NoModel: 'upload one' } }, { Err: 'NoModel: upload one' }],
    [{ Err: { Failed: { session: '1', message: 'trapped' } } }, { Err: 'Failed: trapped' }],
  ];
  for (const [answer, expected] of answers) {
    await replica.updateCall({ canisterId: llm, method: 'answer', arg: encode([Generated], [answer]) });
    expect(await ask()).toEqual(expected);
  }
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
