/**
 * What `canister_status` and `fetch_canister_logs` tell of a canister, as Candid.
 * Specification-like: interface specification, "IC method canister_status", "IC method fetch_canister_logs".
 */
import type { Canister, LogRecord } from '../canister.ts';
import { limits } from '../limits.ts';
import { pageBytes } from '../wasm/costs.ts';
import { settingsRecord } from './settings.ts';

// biome-ignore lint/suspicious/noExplicitAny: Candid values have the types of idl.ts, which TypeScript does not see
type Value = any;

const daySeconds = 86_400n;

export function statusOf(canister: Canister): Value {
  const stableMemory = BigInt(canister.stable.size * pageBytes);
  const wasmMemory = BigInt(canister.instance?.memoryBytes ?? 0);
  const wasmBinary = BigInt(canister.code?.wasmBytes ?? 0);
  const chunks = BigInt(canister.chunks.size * limits.chunkBytes);
  const { queryStats } = canister;
  return {
    status: { [canister.status]: null },
    ready_for_migration: false,
    version: canister.version,
    settings: settingsRecord(canister.settings),
    module_hash: canister.code ? [canister.code.hash] : [],
    memory_size: BigInt(canister.storageBytes),
    memory_metrics: {
      wasm_memory_size: wasmMemory,
      stable_memory_size: stableMemory,
      global_memory_size: BigInt(canister.code?.globalBytes ?? 0),
      wasm_binary_size: wasmBinary,
      custom_sections_size: BigInt(canister.code?.customSectionBytes ?? 0),
      canister_history_size: BigInt(canister.historyBytes),
      wasm_chunk_store_size: chunks,
      snapshots_size: BigInt(canister.snapshotBytes),
      log_memory_store_size: BigInt(canister.logBytes),
    },
    cycles: canister.cycles,
    reserved_cycles: 0n,
    idle_cycles_burned_per_day: canister.idleFee(daySeconds),
    query_stats: {
      num_calls_total: queryStats.calls,
      num_instructions_total: queryStats.instructions,
      request_payload_bytes_total: queryStats.requestBytes,
      response_payload_bytes_total: queryStats.responseBytes,
    },
  };
}

/** The records that an optional filter lets through. */
export function logsOf({ logs }: Canister, [filter]: Value[]): Value {
  const within = (value: bigint, range?: { start: bigint; end: bigint }) =>
    range === undefined || (value >= range.start && value < range.end);
  const chosen = ({ index, timestamp }: LogRecord) =>
    within(index, filter?.by_idx) && within(timestamp, filter?.by_timestamp_nanos);
  return {
    canister_log_records: logs
      .filter(chosen)
      .map(({ index, timestamp, content }) => ({ idx: index, timestamp_nanos: timestamp, content })),
  };
}
