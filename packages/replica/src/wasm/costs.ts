/**
 * What things cost in instructions, as tables by opcode and by system call. Specification-like: dfinity/ic
 * `rs/embedders` (instrumentation.rs, system_api_complexity.rs); the figures are in instruction-costs.json.
 */
import costs from './instruction-costs.json' with { type: 'json' };
import { opcodes } from './opcodes.ts';

const byName: Record<string, number> = costs.opcodes_wasm32;

/** Static cost of an instruction by its opcode. */
export const opcodeCost = new Uint16Array(0x10000);
for (const { code, name } of opcodes.values())
  opcodeCost[code] = byName[name] ?? costs.default_cost_for_unlisted_opcode;

/** What a function costs on entry, beyond its instructions. */
export const functionEntryCost = costs.static_metering_rules.function_entry_extra;

const { per_byte_read, per_byte_write } = costs.stable_memory_native;
const native: Record<string, number> = {
  stable_grow: costs.stable_memory_native.stable_grow_and_stable64_grow,
  stable64_grow: costs.stable_memory_native.stable_grow_and_stable64_grow,
  stable_size: 0,
  stable64_size: 0,
};
const renamed: Record<string, string> = {
  cost_sign_with_ecdsa: 'cost_ecdsa',
  cost_sign_with_schnorr: 'cost_schnorr',
  cost_vetkd_derive_key: 'cost_vetkd',
};

/** Fixed cost of a system call; those that the table does not list cost what most do. */
export function systemCallCost(name: string): number {
  const fixed: Record<string, number> = costs.system_call_fixed_overhead;
  return native[name] ?? fixed[renamed[name] ?? name] ?? 500;
}

/** Cost of each byte that a system call moves. */
export function systemCallByteCost(name: string): number {
  if (/^stable(64)?_read$/.test(name)) return per_byte_read;
  if (/^stable(64)?_write$/.test(name)) return per_byte_write;
  const listed = (costs.system_call_per_byte as Record<string, number | string>)[name];
  return typeof listed === 'number' ? listed : 1;
}

/**
 * What pages cost. `2026`: each 64 KiB page of heap or stable memory at its first access in a message, and again at its
 * first write. `2025`: each 4 KiB page of the heap that was written, when the message ends; of stable memory when it is
 * written.
 */
export type PageRules = '2026' | '2025';

export const pageBytes = 65_536;
export const osPageBytes = costs.dirty_pages.os_page_bytes;
/** Rules of 2026: a first access, and a first write, of a 64 KiB page. */
export const pageTouchCost =
  costs.deterministic_memory_tracker.instructions_per_4KiB_os_page * (pageBytes / osPageBytes);
/** Rules of 2025: a 4 KiB page written. */
export const dirtyPageCost = costs.dirty_pages.heap_per_dirty_page_wasm32;

/** What bringing a module to life costs, however large: since May of 2026 (dfinity/ic#10065). */
export const newInstanceCost: Record<PageRules, number> = costs.compile_cost.base;
/** A module that the subnet has compiled before costs so many times less to compile. */
export const compiledBeforeDivisor = costs.compile_cost.divisor_if_compiled_before;
