/**
 * Installing code: install, reinstall, upgrade, uninstall. Either all of it happens or nothing.
 * Specification-like: interface specification, "IC method install_code".
 */
import type { Principal } from '@dfinity/principal';
import type { Canister, Code } from './canister.ts';
import { executionFee } from './cycles.ts';
import { asTrap, Trap } from './errors.ts';
import type { Executor, Run } from './executor.ts';
import type { Instance } from './instance.ts';
import { instructionLimits } from './limits.ts';
import { loadCode, refusedModuleCost } from './modules.ts';
import { StableMemory } from './stable-memory.ts';
import { compiledBeforeDivisor, newInstanceCost } from './wasm/costs.ts';

export type InstallMode = 'install' | 'reinstall' | 'upgrade';

export interface Installation {
  canister: Canister;
  mode: InstallMode;
  wasm: Uint8Array;
  arg: Uint8Array;
  sender: Principal;
  skipPreUpgrade?: boolean;
}

export interface InstallResult {
  instructions: number;
  trap?: Trap;
}

/**
 * Installs code on a canister.
 * @param compiledBefore modules that the subnet has compiled, by their hashes; this one is among them afterwards, or
 * its refusal
 */
export function install(
  executor: Executor,
  { canister, mode, wasm, arg, sender, skipPreUpgrade }: Installation,
  compiledBefore: Set<string>,
): InstallResult {
  const { instance: oldInstance, code: oldCode, stable: oldStable } = canister;
  const { certifiedData, globalTimer, version, cycles } = canister;
  let instructions = 0;

  /** Runs an entry point if the module has it; a trap ends the installation. */
  const enter = (instance: Instance, entryPoint: string, run: Pick<Run, 'kind' | 'context'>) => {
    if (!instance.has(entryPoint)) return;
    const outcome = executor.run({
      ...run,
      canister,
      instance,
      caller: sender,
      arg,
      enter: () => instance.call(entryPoint),
      limit: Math.max(instructionLimits.install - instructions, 0),
      changes: 'hold',
    });
    instructions += outcome.instructions;
    if (outcome.trap) throw outcome.trap;
    const { execution } = outcome;
    canister.cycles = execution.balance;
    if (execution.certifiedData) canister.certifiedData = execution.certifiedData;
    if (execution.globalTimer !== undefined) canister.globalTimer = execution.globalTimer;
  };

  const load = (): Code => {
    const { code, refused, instructions: more } = compile(executor, wasm, compiledBefore);
    instructions += more;
    if (!code) throw refused;
    return code;
  };

  try {
    const upgrade = mode === 'upgrade';
    if (upgrade && oldInstance && !skipPreUpgrade)
      enter(oldInstance, 'canister_pre_upgrade', { kind: 'preUpgrade', context: 'G' });
    const code = load();
    canister.globalTimer = 0n;
    canister.version++;
    if (!upgrade) {
      canister.stable = new StableMemory(executor.meter, executor.rules);
      canister.certifiedData = new Uint8Array(0);
    }
    const instance = executor.instantiate(code.compiled);
    if (code.compiled.hasStart) enter(instance, 'start', { kind: 'start', context: 's' });
    if (upgrade) enter(instance, 'canister_post_upgrade', { kind: 'postUpgrade', context: 'I' });
    else enter(instance, 'canister_init', { kind: 'init', context: 'I' });
    Object.assign(canister, { instance, code });
    canister.cycles -= executionFee(instructions);
    if (canister.liquidCycles < 0n) throw new Trap('IC0207', tooPoor(canister));
    instance.commit();
    canister.stable.commit();
    if (!upgrade) canister.clearLogs();
    canister.recordChange();
    canister.lowMemoryHook = 'notNeeded';
    return { instructions };
  } catch (error) {
    const trap = asTrap(error);
    oldInstance?.rollback();
    oldStable.rollback();
    const before = {
      instance: oldInstance,
      code: oldCode,
      stable: oldStable,
      certifiedData,
      globalTimer,
      version,
      cycles,
    };
    Object.assign(canister, before);
    canister.charge(executionFee(Math.min(instructions, instructionLimits.install)));
    return { instructions, trap };
  }
}

interface Compilation {
  instructions: number;
  code?: Code;
  /** What was thrown, where there is no code. */
  refused?: unknown;
}

/** Compiles a module, and counts what that costs: of one that is refused, too. */
export function compile(executor: Executor, wasm: Uint8Array, compiledBefore: Set<string>): Compilation {
  const base = newInstanceCost[executor.rules];
  try {
    const code = loadCode(wasm, executor.instrumentOptions);
    const key = Buffer.from(code.hash).toString('hex');
    const divisor = compiledBefore.has(key) ? compiledBeforeDivisor : 1;
    compiledBefore.add(key);
    return { code, instructions: base + Math.floor(code.compileInstructions / divisor) };
  } catch (refused) {
    return { refused, instructions: base + refusedModuleCost(wasm) };
  }
}

function tooPoor({ text, freezingCycles, cycles }: Canister): string {
  return `Canister ${text} is out of cycles: expected at least ${freezingCycles} after install_code, which it must keep, got ${cycles}`;
}
