/**
 * What a canister that breaks a system call's contract is told: the first sentence is that of the Internet
 * Computer's own execution environment (dfinity/ic, `rs/embedders/src/wasmtime_embedder/system_api.rs` and
 * `request_in_prep.rs`, `rs/interfaces/src/execution_environment/errors.rs`), so that who looks for a text in a
 * canister's logs, or on the web, finds it. What comes after that sentence is this replica's.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { Replica } from '../src/index.ts';
import { canister } from './wat.ts';

const empty = new Uint8Array(0);
const call = (name: string, ...args: (number | string)[]): string =>
  `(call $${name} ${args.map((arg) => (typeof arg === 'number' ? `(i32.const ${arg})` : arg)).join(' ')})`;
const i64 = (value: number): string => `(i64.const ${value})`;
const newCall = call('call_new', 0, 10, 0, 2, 0, 0, 0, 0);

/**
 * Each in an update method of its own; its memory has a page of 65,536 bytes, which begins with bytes that are no
 * UTF-8.
 */
const cases: [text: string, sentence: string][] = [
  // bytes that the canister hands over or wants, out of its heap
  [
    call('msg_arg_data_copy', 65_530, 0, 9),
    'ic0.msg_arg_data_copy heap: src=65530 + length=9 exceeds the slice size=65536',
  ],
  [
    call('msg_caller_copy', 65_536, 0, 1),
    'ic0.msg_caller_copy heap: src=65536 + length=1 exceeds the slice size=65536',
  ],
  [
    call('canister_self_copy', 65_530, 0, 9),
    'ic0.canister_self_copy heap: src=65530 + length=9 exceeds the slice size=65536',
  ],
  [
    call('subnet_self_copy', 65_530, 0, 9),
    'ic0.subnet_self_copy heap: src=65530 + length=9 exceeds the slice size=65536',
  ],
  [call('root_key_copy', 65_530, 0, 9), 'ic0.root_key_copy heap: src=65530 + length=9 exceeds the slice size=65536'],
  [call('msg_reply_data_append', 65_530, 9), 'msg.reply: src=65530 + length=9 exceeds the slice size=65536'],
  [call('msg_reject', 65_530, 9), 'ic0.msg_reject: src=65530 + length=9 exceeds the slice size=65536'],
  [call('certified_data_set', 65_530, 9), 'ic0_certified_data_set failed because src + size is out of bounds'],
  [
    call('call_new', 65_530, 9, 0, 2, 0, 0, 0, 0),
    'ic0.call_new callee_src: src=65530 + length=9 exceeds the slice size=65536',
  ],
  [
    call('call_new', 0, 10, 65_530, 9, 0, 0, 0, 0),
    'ic0.call_new method_name: src=65530 + length=9 exceeds the slice size=65536',
  ],
  [
    newCall + call('call_data_append', 65_530, 9),
    'ic0.call_data_append: src=65530 + length=9 exceeds the slice size=65536',
  ],
  [
    `(drop ${call('is_controller', 65_530, 9)})`,
    'ic0.is_controller: src=65530 + length=9 exceeds the slice size=65536',
  ],
  [
    `(drop ${call('env_var_name_exists', 65_530, 9)})`,
    'ic0.env_var_name_exists heap: src=65530 + length=9 exceeds the slice size=65536',
  ],
  [
    `(drop ${call('env_var_value_size', 65_530, 9)})`,
    'ic0.env_var_value_size heap: src=65530 + length=9 exceeds the slice size=65536',
  ],
  [
    call('env_var_value_copy', 65_530, 9, 0, 0, 1),
    'ic0.env_var_value_copy name: src=65530 + length=9 exceeds the slice size=65536',
  ],
  [
    `(drop ${call('cost_sign_with_ecdsa', 65_530, 9, 0, 0)})`,
    'ic0.cost_sign_with_ecdsa heap: src=65530 + length=9 exceeds the slice size=65536',
  ],
  ...['canister_cycle_balance128', 'canister_liquid_cycle_balance128', 'msg_cycles_available128'].map(
    (name): [string, string] => [
      call(name, 65_530),
      `ic0_${name} failed because dst + size is out of bounds.Found dst = 65530 and size = 16 while must be <= 65536`,
    ],
  ),
  [
    call('msg_cycles_accept128', i64(0), i64(1), 65_530),
    'ic0_msg_cycles_accept128 failed because dst + size is out of bounds.Found dst = 65530 and size = 16 while must be <= 65536',
  ],
  [
    call('cycles_burn128', i64(0), i64(1), 65_530),
    'ic0_cycles_burn128 failed because dst + size is out of bounds.Found dst = 65530 and size = 16 while must be <= 65536',
  ],
  [
    call('cost_call', i64(1), i64(1), 65_530),
    'ic0_cost_call failed because dst + size is out of bounds.Found dst = 65530 and size = 16 while must be <= 65536',
  ],
  [
    call('cost_create_canister', 65_530),
    'ic0_cost_create_canister failed because dst + size is out of bounds.Found dst = 65530 and size = 16 while must be <= 65536',
  ],
  // beyond what there is
  [call('msg_arg_data_copy', 0, 2, 3), 'ic0.msg_arg_data_copy payload: src=2 + length=3 exceeds the slice size=0'],
  [call('msg_caller_copy', 0, 0, 2), 'ic0.msg_caller_copy id: src=0 + length=2 exceeds the slice size=1'],
  [call('canister_self_copy', 0, 8, 5), 'ic0.canister_self_copy id: src=8 + length=5 exceeds the slice size=10'],
  [call('root_key_copy', 0, 1, 133), 'ic0.root_key_copy bytes: src=1 + length=133 exceeds the slice size=133'],
  [call('env_var_name_copy', 0, 0, 1, 4), 'ic0.env_var_name_copy name: src=1 + length=4 exceeds the slice size=4'],
  [
    call('env_var_value_copy', 16, 4, 0, 3, 3),
    'ic0.env_var_value_copy value: src=3 + length=3 exceeds the slice size=5',
  ],
  // the heap is looked at first
  [
    call('msg_arg_data_copy', 65_536, 9, 9),
    'ic0.msg_arg_data_copy heap: src=65536 + length=9 exceeds the slice size=65536',
  ],
  // too much
  [
    call('msg_reply_data_append', 0, 2_097_153),
    'ic0.msg_reply_data_append: application payload size (2097153) cannot be larger than 2097152',
  ],
  [
    call('msg_reply_data_append', 0, 9) + call('msg_reply_data_append', 0, 2_097_150),
    'ic0.msg_reply_data_append: application payload size (2097159) cannot be larger than 2097152',
  ],
  [
    call('msg_reject', 0, 2_097_153),
    'ic0.msg_reject: application payload size (2097153) cannot be larger than 2097152',
  ],
  [
    call('certified_data_set', 0, 33),
    'ic0_certified_data_set failed because the passed data must be no larger than 32 bytes',
  ],
  [call('call_new', 0, 10, 0, 20_001, 0, 0, 0, 0), 'Size of method_name 20001 exceeds the allowed limit of 20000'],
  [
    call('call_new', 0, 10, 16, 4, 0, 0, 0, 0) + call('call_data_append', 0, 10_485_757),
    'Request to 77777-77777:name has a payload size of 10485761, which exceeds the allowed limit of 10485760',
  ],
  [`(drop ${call('env_var_name_exists', 0, 129)})`, 'ic0.env_var_name_exists: Variable name is too large'],
  [`(drop ${call('env_var_value_size', 0, 129)})`, 'ic0.env_var_value_size: Variable name is too large'],
  // bytes that are none of what is wanted
  [call('msg_reject', 0, 2), 'ic0.msg_reject: invalid UTF-8 string provided'],
  [`(drop ${call('env_var_name_exists', 0, 2)})`, 'ic0.env_var_name_exists: Variable name is not a valid UTF-8 string'],
  [`(drop (call $performance_counter (i32.const 2)))`, 'Error getting performance counter type 2'],
  // at the wrong time
  [call('call_data_append', 0, 1), 'ic0.call_data_append called when no call is under construction'],
  [call('call_on_cleanup', 0, 0), 'ic0.call_on_cleanup called when no call is under construction'],
  [call('call_cycles_add', i64(1)), 'ic0_call_cycles_add called when no call is under construction'],
  [call('call_cycles_add128', i64(0), i64(1)), 'ic0_call_cycles_add128 called when no call is under construction'],
  [`(drop ${call('call_perform')})`, 'ic0.call_perform called when no call is under construction'],
  [
    call('call_with_best_effort_response', 1),
    'ic0.call_with_best_effort_response called when no call is under construction',
  ],
  [
    newCall + call('call_with_best_effort_response', 1).repeat(2),
    'ic0_call_with_best_effort_response failed because a timeout is already set',
  ],
  [
    newCall + call('call_on_cleanup', 0, 0).repeat(2),
    'ic0.call_on_cleanup can be called at most once between `ic0.call_new` and `ic0.call_perform`',
  ],
  [call('msg_reply').repeat(2), 'ic0.msg_reply: the call is already replied'],
  [call('msg_reply') + call('msg_reply_data_append', 0, 1), 'ic0.msg_reply_data_append: the call is already replied'],
  [call('msg_reply') + call('msg_reject', 16, 1), 'ic0.msg_reject: the call is already replied'],
  [call('accept_message'), '"ic0_accept_message" cannot be executed in update mode'],
  [`(drop ${call('data_certificate_size')})`, '"ic0_data_certificate_size" cannot be executed in update mode'],
];
/** These are no violations of the contract there, by their text. */
const plain: [text: string, sentence: string][] = [
  [call('call_new', 0, 30, 0, 2, 0, 0, 0, 0), 'Canister provided invalid principal id'],
  [`(drop ${call('is_controller', 0, 30)})`, 'Canister provided invalid principal id'],
  [`(drop ${call('env_var_name_size', 2)})`, 'Environment variable index 2 is out of bounds'],
  [call('env_var_name_copy', 1, 0, 0, 1), 'Environment variable index 1 is out of bounds'],
  [`(drop ${call('env_var_value_size', 17, 3)})`, 'Environment variable ame not found'],
  [newCall + call('call_cycles_add128', i64(1), i64(1)), 'Canister SELF is out of cycles'],
];

describe('the first sentence of a violated contract is as there', () => {
  let replica: Replica;
  let canisterId: ReturnType<Replica['createCanister']>['canisterId'];
  const all = [...cases.map(([text, sentence]) => [text, `Canister violated contract: ${sentence}`]), ...plain];
  const first = (message: string): string => message.split(/\.(?= |\n|$)/)[0]!;
  beforeAll(async () => {
    replica = new Replica({ autoTick: false });
    ({ canisterId } = replica.createCanister());
    const methods = all.map(([text], i) => `(func (export "canister_update m${i}") ${text})`);
    const inspect = `(func (export "canister_inspect_message") (call $accept_message) (if (i32.eq (i32.const 2) (call $msg_arg_data_size)) (then (call $accept_message))))`;
    const query = `(func (export "canister_query certificate") (call $data_certificate_copy (i32.const 0) (i32.const 9000) (i32.const 9)))`;
    const data = '(data (i32.const 0) "\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff") (data (i32.const 16) "name")';
    await replica.installCode({ canisterId, wasm: canister(`${data} ${methods.join(' ')} ${inspect} ${query}`) });
    replica.canister(canisterId)!.settings.environmentVariables.set('name', 'value');
    replica.rootKey = new Uint8Array(133);
    replica.dataCertificate = () => new Uint8Array(700);
  });

  test.each(all.map(([text, sentence], i) => [text!, sentence!, i] as const))('%s', async (_, sentence, i) => {
    const error = await replica.updateCall({ canisterId, method: `m${i}`, arg: empty }).catch((error) => error);
    const id = canisterId.toText();
    expect(error.errorCode).toBe('IC0504');
    // the callee is ten bytes of 255
    const expected = sentence
      .replace('SELF', id)
      .replace('77777-77777', first(error.rejectMessage).match(/Request to (\S+):/)?.[1] ?? '');
    expect(first(error.rejectMessage)).toBe(`Error from Canister ${id}: ${expected}`);
  });

  test('of a query that asks for more of its certificate than there is', async () => {
    const error = await replica.queryCall({ canisterId, method: 'certificate', arg: empty }).catch((error) => error);
    expect(error.rejectMessage).toMatch(
      /Canister violated contract: ic0_data_certificate_copy failed because offset \+ size is out of bounds\. Found offset = 9000 and size = 9 while offset \+ size must be <= 700/,
    );
  });

  test('of an inspection that accepts twice', async () => {
    const arg = new Uint8Array(2);
    const error = await replica.updateCall({ canisterId, method: 'm0', arg }).catch((error) => error);
    expect(error.rejectMessage).toContain(
      'Canister violated contract: ic0.accept_message: the function was already called',
    );
  });
});
