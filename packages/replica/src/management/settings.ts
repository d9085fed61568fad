/**
 * A canister's settings, from and to Candid, and what they may be.
 * Specification-like: interface specification, "IC method create_canister"; limits of dfinity/ic where it leaves them
 * open.
 */
import type { Principal } from '@dfinity/principal';
import { defaultSettings, type Settings, type Visibility } from '../canister.ts';
import { Trap } from '../errors.ts';
import { limits } from '../limits.ts';

// biome-ignore lint/suspicious/noExplicitAny: Candid values have the types of idl.ts, which TypeScript does not see
type Value = any;

const mostPrincipals = 10;

function expected(name: string, what: string, got: unknown): never {
  throw new Trap('IC0504', `${name}: expected ${what}, got ${got}`);
}

/** A natural number of at most so many. */
function atMost(name: string, most: bigint, given: bigint): bigint {
  return given <= most ? given : expected(name, `at most ${most}`, given);
}

const u64 = 2n ** 64n - 1n;
const u128 = 2n ** 128n - 1n;
const memory = 2n ** 48n;

function principals(name: string, given: Principal[]): Principal[] {
  if (given.length > mostPrincipals) expected(name, `at most ${mostPrincipals}`, given.length);
  return [...new Map(given.map((principal) => [principal.toText(), principal])).values()];
}

function visibility(name: string, given: Value): Visibility {
  if (given.allowed_viewers) return principals(`${name}.allowed_viewers`, given.allowed_viewers);
  return 'public' in given ? 'public' : 'controllers';
}

function logMemory(given: bigint): bigint {
  const { canisterLogBytes: least, canisterLogBytesMost: most } = limits;
  if (given === 0n || (given >= least && given <= most)) return given;
  return expected('log_memory_limit', `0 or ${least} to ${most}`, given);
}

function environment(given: { name: string; value: string }[]): Map<string, string> {
  const { environmentVariables: most, environmentVariableLength: longest } = limits;
  if (given.length > most) expected('environment_variables', `at most ${most}`, given.length);
  for (const text of given.flatMap(({ name, value }) => [name, value]))
    if (text.length > longest) expected('environment_variables', `at most ${longest} characters`, text.length);
  const variables = new Map(given.map(({ name, value }) => [name, value]));
  if (variables.size < given.length) expected('environment_variables', 'each name once', 'one again');
  return variables;
}

/** Each setting by its name in Candid: what it changes. */
const changes: Record<string, (given: Value) => Partial<Settings>> = {
  controllers: (given) => ({ controllers: principals('controllers', given) }),
  compute_allocation: (given) => ({ computeAllocation: Number(atMost('compute_allocation', 100n, given)) }),
  memory_allocation: (given) => ({ memoryAllocation: atMost('memory_allocation', u64, given) }),
  freezing_threshold: (given) => ({ freezingThreshold: atMost('freezing_threshold', u64, given) }),
  reserved_cycles_limit: (given) => ({ reservedCyclesLimit: atMost('reserved_cycles_limit', u128, given) }),
  minimum_incoming_canister_call_cycles: (given) => ({
    minimumIncomingCanisterCallCycles: atMost('minimum_incoming_canister_call_cycles', u128, given),
  }),
  wasm_memory_limit: (given) => ({ wasmMemoryLimit: atMost('wasm_memory_limit', memory, given) }),
  wasm_memory_threshold: (given) => ({ wasmMemoryThreshold: atMost('wasm_memory_threshold', memory, given) }),
  log_visibility: (given) => ({ logVisibility: visibility('log_visibility', given) }),
  log_memory_limit: (given) => ({ logMemoryLimit: logMemory(given) }),
  snapshot_visibility: (given) => ({ snapshotVisibility: visibility('snapshot_visibility', given) }),
  status_visibility: (given) => ({ statusVisibility: visibility('status_visibility', given) }),
  environment_variables: (given) => ({ environmentVariables: environment(given) }),
};

/** Settings with those changed that a record of optional ones gives. @throws Trap for one that may not be */
export function changedSettings(before: Settings, value: Value): Settings {
  const settings = { ...before };
  for (const [name, change] of Object.entries(changes))
    if (value[name]?.length > 0) Object.assign(settings, change(value[name][0]));
  return settings;
}

/** Settings of a canister that is created. */
export function settingsFrom(given: Value | undefined, caller: Principal): Settings {
  const settings = defaultSettings([caller]);
  return given ? changedSettings(settings, given) : settings;
}

const visibilityOf = (of: Visibility): Value => (typeof of === 'string' ? { [of]: null } : { allowed_viewers: of });

/** Settings as `canister_status` shows them. */
export function settingsRecord(settings: Settings): Value {
  return {
    controllers: settings.controllers,
    compute_allocation: BigInt(settings.computeAllocation),
    memory_allocation: settings.memoryAllocation,
    freezing_threshold: settings.freezingThreshold,
    reserved_cycles_limit: settings.reservedCyclesLimit,
    minimum_incoming_canister_call_cycles: settings.minimumIncomingCanisterCallCycles,
    wasm_memory_limit: settings.wasmMemoryLimit,
    wasm_memory_threshold: settings.wasmMemoryThreshold,
    log_visibility: visibilityOf(settings.logVisibility),
    log_memory_limit: settings.logMemoryLimit,
    snapshot_visibility: visibilityOf(settings.snapshotVisibility),
    status_visibility: visibilityOf(settings.statusVisibility),
    environment_variables: [...settings.environmentVariables].map(([name, value]) => ({ name, value })),
  };
}
