/**
 * Every system call in every entry point: allowed where the interface specification's table allows it, refused
 * elsewhere. For each pair a canister is made that calls the function there; what the message's record says decides.
 */
import type { Principal } from '@dfinity/principal';
import { afterAll, describe, expect, test } from 'vitest';
import { trapReject } from '../src/errors.ts';
import type { Context } from '../src/execution.ts';
import { type MessageKind, type MessageRecord, Replica } from '../src/index.ts';
import api from '../src/system-api.json' with { type: 'json' };
import { allowedContexts } from '../src/system-api.ts';
import { bareExecutor } from './bare-executor.ts';
import { canister } from './wat.ts';

const empty = new Uint8Array(0);

/** How to get into a context: the canister's fields (they call `$probe`), and what to do with the canister. */
interface Entry {
  name: string;
  context: Context;
  /** The message's; a context without one is entered through an executor alone. */
  kind?: MessageKind;
  fields: string;
  drive?: (replica: Replica, canisterId: Principal, wasm: Uint8Array) => Promise<unknown>;
}

const update = (replica: Replica, canisterId: Principal) =>
  replica.updateCall({ canisterId, method: 'go', arg: empty });
const query = (replica: Replica, canisterId: Principal) => replica.queryCall({ canisterId, method: 'go', arg: empty });

/** A canister that calls a method of its own, with callbacks from the table. */
const caller = (kind: string, method: string, onReply: number, onReject: number, cleanup = '') => `
  (data (i32.const 512) "${method}")
  (table 4 funcref) (elem (i32.const 0) $probeCallback $reply $fail)
  (func $probeCallback (param i32) (call $probe))
  (func $reply (param i32) (call $msg_reply))
  (func $fail (param i32) (unreachable))
  (func (export "${kind} go")
    (call $canister_self_copy (i32.const 0) (i32.const 0) (call $canister_self_size))
    (call $call_new (i32.const 0) (call $canister_self_size) (i32.const 512) (i32.const ${method.length})
      (i32.const ${onReply}) (i32.const 0) (i32.const ${onReject}) (i32.const 0))
    ${cleanup}
    (drop (call $call_perform)))
  (func (export "canister_query ok") (call $msg_reply))`;
const cleanup = '(call $call_on_cleanup (i32.const 0) (i32.const 0))';

const entries: Entry[] = [
  { name: 'start', context: 's', kind: 'start', fields: '(start $probe)' },
  { name: 'init', context: 'I', kind: 'init', fields: '(export "canister_init" (func $probe))' },
  {
    name: 'post_upgrade',
    context: 'I',
    kind: 'postUpgrade',
    fields: '(export "canister_post_upgrade" (func $probe))',
    drive: (replica, canisterId, wasm) => replica.installCode({ canisterId, wasm, mode: 'upgrade' }),
  },
  {
    name: 'pre_upgrade',
    context: 'G',
    kind: 'preUpgrade',
    fields: '(export "canister_pre_upgrade" (func $probe))',
    drive: (replica, canisterId, wasm) => replica.installCode({ canisterId, wasm, mode: 'upgrade' }),
  },
  {
    name: 'update',
    context: 'U',
    kind: 'update',
    fields: '(export "canister_update go" (func $probe))',
    drive: update,
  },
  {
    name: 'query, replicated',
    context: 'RQ',
    kind: 'query',
    fields: '(export "canister_query go" (func $probe))',
    drive: update,
  },
  { name: 'query', context: 'NRQ', kind: 'query', fields: '(export "canister_query go" (func $probe))', drive: query },
  {
    name: 'composite query',
    context: 'CQ',
    kind: 'compositeQuery',
    fields: '(export "canister_composite_query go" (func $probe))',
    drive: query,
  },
  // There are no outcalls here, and no transforms of what they bring; the table is the same for them.
  { name: 'http transform', context: 'TQ', fields: '(export "canister_update run" (func $probe))' },
  {
    name: 'reply callback',
    context: 'Ry',
    kind: 'replyCallback',
    fields: caller('canister_update', 'ok', 0, 1),
    drive: update,
  },
  {
    name: 'reject callback',
    context: 'Rt',
    kind: 'rejectCallback',
    fields: caller('canister_update', 'no', 1, 0),
    drive: update,
  },
  {
    name: 'composite reply callback',
    context: 'CRy',
    kind: 'replyCallback',
    fields: caller('canister_composite_query', 'ok', 0, 1),
    drive: query,
  },
  {
    name: 'composite reject callback',
    context: 'CRt',
    kind: 'rejectCallback',
    fields: caller('canister_composite_query', 'no', 1, 0),
    drive: query,
  },
  {
    name: 'cleanup',
    context: 'C',
    kind: 'cleanup',
    fields: caller('canister_update', 'ok', 2, 2, cleanup),
    drive: update,
  },
  {
    name: 'composite cleanup',
    context: 'CC',
    kind: 'cleanup',
    fields: caller('canister_composite_query', 'ok', 2, 2, cleanup),
    drive: query,
  },
  {
    name: 'inspect_message',
    context: 'F',
    kind: 'inspectMessage',
    fields: '(export "canister_inspect_message" (func $probe)) (func (export "canister_update go"))',
    drive: update,
  },
  {
    name: 'heartbeat',
    context: 'T',
    kind: 'heartbeat',
    fields: '(export "canister_heartbeat" (func $probe))',
    drive: (replica) => replica.tick(),
  },
  {
    name: 'global_timer',
    context: 'T',
    kind: 'timer',
    fields: `(export "canister_global_timer" (func $probe))
      (func (export "canister_init") (drop (call $global_timer_set (i64.const 1))))`,
    drive: (replica) => replica.tick(),
  },
  {
    name: 'on_low_wasm_memory',
    context: 'T',
    kind: 'onLowWasmMemory',
    fields:
      '(export "canister_on_low_wasm_memory" (func $probe)) (func (export "canister_update go") (call $msg_reply))',
    drive: async (replica, canisterId) => {
      replica.canister(canisterId)!.settings.wasmMemoryThreshold =
        replica.canister(canisterId)!.settings.wasmMemoryLimit;
      await update(replica, canisterId);
      await replica.tick();
    },
  },
];

type Name = keyof typeof api.imports;
type Outcome = MessageRecord['outcome'];

/** Calls a function with zeros; where it reads a pointer and a size, these are 0 and 0. */
function probe(name: Name): string {
  const { params, results } = api.imports[name];
  const zeros = params.map((type) => `(${type === 'I' ? 'i32' : type}.const 0)`).join(' ');
  const call = `(call $${name} ${zeros})`;
  return `(func $probe ${results.length > 0 ? `(drop ${call})` : call})`;
}

let checks = 0;
afterAll(() =>
  console.log(`${checks} checks: ${Object.keys(api.imports).length} system calls in ${entries.length} entry points`),
);

/** How calling a function there ended; undefined if it never came to that. */
async function outcome({ kind, context, fields, drive }: Entry, name: Name): Promise<Outcome | undefined> {
  const wasm = canister(`${fields} ${probe(name)}`);
  if (!kind) {
    const { trap } = bareExecutor(wasm).run(undefined, context);
    return trap ? { status: 'trapped', ...trapReject('', trap) } : { status: 'ok' };
  }
  const replica = new Replica({ autoTick: false });
  const { canisterId } = replica.createCanister();
  await replica.installCode({ canisterId, wasm }).catch(() => undefined);
  await drive?.(replica, canisterId, wasm).catch(() => undefined);
  return replica.messages.find((message) => message.kind === kind)?.outcome;
}

describe.each(entries)('$name', (entry) => {
  test('allows what the table allows', async () => {
    const wrong: string[] = [];
    for (const name of Object.keys(api.imports) as Name[]) {
      const ended = await outcome(entry, name);
      const refused =
        ended?.status === 'trapped' &&
        ended.errorCode === 'IC0504' &&
        /cannot be executed in/.test(ended.rejectMessage);
      const expected = allowedContexts.get(name)!.has(entry.context);
      checks++;
      // a query that has no certificate is told the same
      if (name.startsWith('data_certificate_') && expected && refused) continue;
      if (!ended || refused === expected)
        wrong.push(`${name}: expected ${expected ? 'allowed' : 'refused'}, got ${JSON.stringify(ended)}`);
    }
    expect(wrong).toEqual([]);
  });
});

test('every context of the specification is entered', () => {
  const { contexts } = api;
  const letters = Object.keys(contexts).filter((letter) => letter !== '*');
  const covered = new Set(entries.map(({ context }) => context));
  expect(letters.filter((letter) => !covered.has(letter as Context))).toEqual([]);
});
