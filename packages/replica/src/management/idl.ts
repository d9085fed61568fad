/**
 * Candid types of the management canister's methods, as far as this replica has them.
 * Source: interface specification, `ic.did`.
 */
import { IDL } from '@dfinity/candid';

const canisterId = IDL.Record({ canister_id: IDL.Principal });

const visibility = IDL.Variant({
  controllers: IDL.Null,
  public: IDL.Null,
  allowed_viewers: IDL.Vec(IDL.Principal),
});
const environmentVariable = IDL.Record({ name: IDL.Text, value: IDL.Text });

export const settingsType = IDL.Record({
  controllers: IDL.Opt(IDL.Vec(IDL.Principal)),
  compute_allocation: IDL.Opt(IDL.Nat),
  memory_allocation: IDL.Opt(IDL.Nat),
  freezing_threshold: IDL.Opt(IDL.Nat),
  reserved_cycles_limit: IDL.Opt(IDL.Nat),
  log_visibility: IDL.Opt(visibility),
  log_memory_limit: IDL.Opt(IDL.Nat),
  snapshot_visibility: IDL.Opt(visibility),
  status_visibility: IDL.Opt(visibility),
  minimum_incoming_canister_call_cycles: IDL.Opt(IDL.Nat),
  wasm_memory_limit: IDL.Opt(IDL.Nat),
  wasm_memory_threshold: IDL.Opt(IDL.Nat),
  environment_variables: IDL.Opt(IDL.Vec(environmentVariable)),
});

const definiteSettings = IDL.Record({
  controllers: IDL.Vec(IDL.Principal),
  compute_allocation: IDL.Nat,
  memory_allocation: IDL.Nat,
  freezing_threshold: IDL.Nat,
  reserved_cycles_limit: IDL.Nat,
  log_visibility: visibility,
  log_memory_limit: IDL.Nat,
  snapshot_visibility: visibility,
  status_visibility: visibility,
  minimum_incoming_canister_call_cycles: IDL.Nat,
  wasm_memory_limit: IDL.Nat,
  wasm_memory_threshold: IDL.Nat,
  environment_variables: IDL.Vec(environmentVariable),
});

const upgradeOptions = IDL.Record({
  skip_pre_upgrade: IDL.Opt(IDL.Bool),
  wasm_memory_persistence: IDL.Opt(IDL.Variant({ keep: IDL.Null, replace: IDL.Null })),
});
const installMode = IDL.Variant({ install: IDL.Null, reinstall: IDL.Null, upgrade: IDL.Opt(upgradeOptions) });

const status = IDL.Record({
  status: IDL.Variant({ running: IDL.Null, stopping: IDL.Null, stopped: IDL.Null }),
  ready_for_migration: IDL.Bool,
  version: IDL.Nat64,
  settings: definiteSettings,
  module_hash: IDL.Opt(IDL.Vec(IDL.Nat8)),
  memory_size: IDL.Nat,
  memory_metrics: IDL.Record({
    wasm_memory_size: IDL.Nat,
    stable_memory_size: IDL.Nat,
    global_memory_size: IDL.Nat,
    wasm_binary_size: IDL.Nat,
    custom_sections_size: IDL.Nat,
    canister_history_size: IDL.Nat,
    wasm_chunk_store_size: IDL.Nat,
    snapshots_size: IDL.Nat,
    log_memory_store_size: IDL.Nat,
  }),
  cycles: IDL.Nat,
  reserved_cycles: IDL.Nat,
  idle_cycles_burned_per_day: IDL.Nat,
  query_stats: IDL.Record({
    num_calls_total: IDL.Nat,
    num_instructions_total: IDL.Nat,
    request_payload_bytes_total: IDL.Nat,
    response_payload_bytes_total: IDL.Nat,
  }),
});

const range = IDL.Record({ start: IDL.Nat64, end: IDL.Nat64 });
const logFilter = IDL.Variant({ by_idx: range, by_timestamp_nanos: range });

const blob = IDL.Vec(IDL.Nat8);
const chunkHash = IDL.Record({ hash: blob });

const snapshot = IDL.Record({ id: blob, taken_at_timestamp: IDL.Nat64, total_size: IDL.Nat64 });
const ofSnapshot = { canister_id: IDL.Principal, snapshot_id: blob };
/** What is in a snapshot besides its data; `upload_canister_snapshot_metadata` says the same as reading does. */
const snapshotMetadata = {
  wasm_module_size: IDL.Nat64,
  globals: IDL.Vec(IDL.Variant({ i32: IDL.Int32, i64: IDL.Int64, f32: IDL.Float32, f64: IDL.Float64, v128: IDL.Nat })),
  wasm_memory_size: IDL.Nat64,
  stable_memory_size: IDL.Nat64,
  certified_data: blob,
  global_timer: IDL.Opt(IDL.Variant({ inactive: IDL.Null, active: IDL.Nat64 })),
  on_low_wasm_memory_hook_status: IDL.Opt(
    IDL.Variant({ condition_not_satisfied: IDL.Null, ready: IDL.Null, executed: IDL.Null }),
  ),
};
const slice = IDL.Record({ offset: IDL.Nat64, size: IDL.Nat64 });
const place = IDL.Record({ offset: IDL.Nat64 });

/** Argument and result of each method. */
export const managementTypes: Record<string, { arg: IDL.Type[]; result: IDL.Type[] }> = {
  create_canister: {
    arg: [IDL.Record({ settings: IDL.Opt(settingsType), sender_canister_version: IDL.Opt(IDL.Nat64) })],
    result: [canisterId],
  },
  provisional_create_canister_with_cycles: {
    arg: [
      IDL.Record({
        amount: IDL.Opt(IDL.Nat),
        settings: IDL.Opt(settingsType),
        specified_id: IDL.Opt(IDL.Principal),
        sender_canister_version: IDL.Opt(IDL.Nat64),
      }),
    ],
    result: [canisterId],
  },
  provisional_top_up_canister: { arg: [IDL.Record({ canister_id: IDL.Principal, amount: IDL.Nat })], result: [] },
  update_settings: {
    arg: [
      IDL.Record({ canister_id: IDL.Principal, settings: settingsType, sender_canister_version: IDL.Opt(IDL.Nat64) }),
    ],
    result: [],
  },
  install_code: {
    arg: [
      IDL.Record({
        mode: installMode,
        canister_id: IDL.Principal,
        wasm_module: IDL.Vec(IDL.Nat8),
        arg: IDL.Vec(IDL.Nat8),
        sender_canister_version: IDL.Opt(IDL.Nat64),
      }),
    ],
    result: [],
  },
  install_chunked_code: {
    arg: [
      IDL.Record({
        mode: installMode,
        target_canister: IDL.Principal,
        store_canister: IDL.Opt(IDL.Principal),
        chunk_hashes_list: IDL.Vec(chunkHash),
        wasm_module_hash: IDL.Vec(IDL.Nat8),
        arg: IDL.Vec(IDL.Nat8),
        sender_canister_version: IDL.Opt(IDL.Nat64),
      }),
    ],
    result: [],
  },
  upload_chunk: {
    arg: [IDL.Record({ canister_id: IDL.Principal, chunk: IDL.Vec(IDL.Nat8) })],
    result: [chunkHash],
  },
  stored_chunks: { arg: [canisterId], result: [IDL.Vec(chunkHash)] },
  clear_chunk_store: { arg: [canisterId], result: [] },
  uninstall_code: {
    arg: [IDL.Record({ canister_id: IDL.Principal, sender_canister_version: IDL.Opt(IDL.Nat64) })],
    result: [],
  },
  start_canister: { arg: [canisterId], result: [] },
  stop_canister: { arg: [canisterId], result: [] },
  delete_canister: { arg: [canisterId], result: [] },
  canister_status: { arg: [canisterId], result: [status] },
  deposit_cycles: { arg: [canisterId], result: [] },
  raw_rand: { arg: [], result: [IDL.Vec(IDL.Nat8)] },
  canister_metadata: {
    arg: [IDL.Record({ canister_id: IDL.Principal, name: IDL.Text })],
    result: [IDL.Record({ value: IDL.Vec(IDL.Nat8) })],
  },
  fetch_canister_logs: {
    arg: [IDL.Record({ canister_id: IDL.Principal, filter: IDL.Opt(logFilter) })],
    result: [
      IDL.Record({
        canister_log_records: IDL.Vec(
          IDL.Record({ idx: IDL.Nat64, timestamp_nanos: IDL.Nat64, content: IDL.Vec(IDL.Nat8) }),
        ),
      }),
    ],
  },
  take_canister_snapshot: {
    arg: [
      IDL.Record({
        canister_id: IDL.Principal,
        replace_snapshot: IDL.Opt(blob),
        uninstall_code: IDL.Opt(IDL.Bool),
        sender_canister_version: IDL.Opt(IDL.Nat64),
      }),
    ],
    result: [snapshot],
  },
  load_canister_snapshot: {
    arg: [IDL.Record({ ...ofSnapshot, sender_canister_version: IDL.Opt(IDL.Nat64) })],
    result: [],
  },
  list_canister_snapshots: { arg: [canisterId], result: [IDL.Vec(snapshot)] },
  delete_canister_snapshot: { arg: [IDL.Record(ofSnapshot)], result: [] },
  read_canister_snapshot_metadata: {
    arg: [IDL.Record(ofSnapshot)],
    result: [
      IDL.Record({
        ...snapshotMetadata,
        source: IDL.Variant({ taken_from_canister: IDL.Reserved, metadata_upload: IDL.Reserved }),
        taken_at_timestamp: IDL.Nat64,
        wasm_chunk_store: IDL.Vec(chunkHash),
        canister_version: IDL.Nat64,
      }),
    ],
  },
  read_canister_snapshot_data: {
    arg: [
      IDL.Record({
        ...ofSnapshot,
        kind: IDL.Variant({ wasm_module: slice, wasm_memory: slice, stable_memory: slice, wasm_chunk: chunkHash }),
      }),
    ],
    result: [IDL.Record({ chunk: blob })],
  },
  upload_canister_snapshot_metadata: {
    arg: [IDL.Record({ canister_id: IDL.Principal, replace_snapshot: IDL.Opt(blob), ...snapshotMetadata })],
    result: [IDL.Record({ snapshot_id: blob })],
  },
  upload_canister_snapshot_data: {
    arg: [
      IDL.Record({
        ...ofSnapshot,
        kind: IDL.Variant({ wasm_module: place, wasm_memory: place, stable_memory: place, wasm_chunk: IDL.Null }),
        chunk: blob,
      }),
    ],
    result: [],
  },
};
