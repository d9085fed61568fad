/**
 * Installing code: install, reinstall, upgrade, uninstall. Either all of it happens or nothing.
 * Specification-like: interface specification, "IC method install_code".
 */
import type { Principal } from '@dfinity/principal';
import type { Canister } from './canister.ts';
import { asTrap, type Trap } from './errors.ts';
import type { Executor, Run } from './executor.ts';
import type { Instance } from './instance.ts';
import { instructionLimits } from './limits.ts';
import { loadCode } from './modules.ts';
import { StableMemory } from './stable-memory.ts';

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

/** Installs code on a canister. */
export function install(
  executor: Executor,
  { canister, mode, wasm, arg, sender, skipPreUpgrade }: Installation,
): InstallResult {
  const [oldInstance, oldStable] = [canister.instance, canister.stable];
  const before = { certifiedData: canister.certifiedData, globalTimer: canister.globalTimer };
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
      limit: instructionLimits.install - instructions,
      changes: 'hold',
    });
    instructions += outcome.instructions;
    if (outcome.trap) throw outcome.trap;
    const { certifiedData, globalTimer, balance } = outcome.execution;
    canister.cycles = balance;
    if (certifiedData) canister.certifiedData = certifiedData;
    if (globalTimer !== undefined) canister.globalTimer = globalTimer;
  };

  try {
    const code = loadCode(wasm, executor.instrumentOptions);
    const upgrade = mode === 'upgrade';
    if (upgrade && oldInstance && !skipPreUpgrade)
      enter(oldInstance, 'canister_pre_upgrade', { kind: 'preUpgrade', context: 'G' });
    canister.globalTimer = 0n;
    if (!upgrade) {
      canister.stable = new StableMemory(executor.meter, executor.rules);
      canister.certifiedData = new Uint8Array(0);
    }
    const instance = executor.instantiate(code.compiled);
    if (code.compiled.hasStart) enter(instance, 'start', { kind: 'start', context: 's' });
    if (upgrade) enter(instance, 'canister_post_upgrade', { kind: 'postUpgrade', context: 'I' });
    else enter(instance, 'canister_init', { kind: 'init', context: 'I' });
    instance.commit();
    canister.stable.commit();
    canister.instance = instance;
    canister.code = code;
    canister.version++;
    canister.lowMemoryHookRan = false;
    return { instructions };
  } catch (error) {
    const trap = asTrap(error);
    oldInstance?.rollback();
    oldStable.rollback();
    canister.stable = oldStable;
    Object.assign(canister, before);
    return { instructions, trap };
  }
}
