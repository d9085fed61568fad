/**
 * An executor and one canister, without a replica around them: to run a method with a limit or in a context of one's
 * own.
 */
import { Principal } from '@dfinity/principal';
import { Canister, defaultSettings } from '../src/canister.ts';
import type { Context } from '../src/execution.ts';
import { Executor, type Outcome } from '../src/executor.ts';
import { loadCode } from '../src/modules.ts';

const empty = new Uint8Array(0);

export interface BareExecutor {
  executor: Executor;
  /** Runs `canister_update run`. */
  run(limit?: number, context?: Context): Outcome;
}

/** An executor for a module that has a method `run`. */
export function bareExecutor(wasm: Uint8Array): BareExecutor {
  const environment = {
    time: 0n,
    subnetId: empty,
    rootKey: empty,
    dataCertificate: () => undefined,
    queueHasRoom: () => true,
  };
  const nothing = () => undefined;
  const executor = new Executor('2026', () => environment, nothing, nothing);
  const anyone = Principal.anonymous();
  const target = new Canister(anyone, defaultSettings([]), 10n ** 15n, executor.meter, '2026', 0n);
  target.instance = executor.instantiate(loadCode(wasm).compiled);
  const run = (limit?: number, context: Context = 'U') =>
    executor.run({
      kind: 'update',
      context,
      canister: target,
      caller: anyone,
      limit,
      enter: (instance) => instance.call('canister_update run'),
    });
  return { executor, run };
}
