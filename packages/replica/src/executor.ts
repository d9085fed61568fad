/**
 * Runs one entry point of a canister as a message: begins, calls, commits or undoes, and records what it cost.
 * Specification-like: interface specification, "Message execution".
 */
import type { Principal } from '@dfinity/principal';
import type { CallContext, Canister } from './canister.ts';
import { asTrap, isLogged, type Trap, trapReject } from './errors.ts';
import { type Context, type Environment, Execution } from './execution.ts';
import { type Compiled, Instance } from './instance.ts';
import { instructionLimits, limits } from './limits.ts';
import type { MessageKind, MessageRecord } from './messages.ts';
import { Meter } from './meter.ts';
import { systemApiImports } from './system-api.ts';
import type { PageRules } from './wasm/costs.ts';
import type { InstrumentOptions } from './wasm/instrument.ts';

/** A message to execute: which, for whom, and how. */
export interface Run {
  kind: MessageKind;
  context: Context;
  canister: Canister;
  caller: Principal;
  /** Calls into the canister. */
  enter: (instance: Instance) => void;
  limit?: number;
  instance?: Instance;
  callContext?: CallContext;
  method?: string;
  arg?: Uint8Array;
  reject?: { code: number; message: string };
  cyclesRefunded?: bigint;
  /** A query sent from outside: it may read a data certificate. */
  certified?: boolean;
  /** Cycles of the balance that were set aside for the instructions of this message. */
  prepaid?: bigint;
  /**
   * What becomes of the changes to memory if the message does not trap: `commit` keeps them, `discard` undoes them,
   * `hold` leaves that to whoever runs the message.
   */
  changes?: 'commit' | 'discard' | 'hold';
}

export interface Outcome {
  execution: Execution;
  trap?: Trap;
  instructions: number;
}

const stableLimits: Partial<Record<Context, number>> = {
  I: limits.stableTouched.install,
  G: limits.stableTouched.install,
  s: limits.stableTouched.install,
  NRQ: limits.stableTouched.query,
  CQ: limits.stableTouched.query,
  CRy: limits.stableTouched.query,
  CRt: limits.stableTouched.query,
  CC: limits.stableTouched.query,
};

/** Contexts in which memory may not be larger than the canister's `wasm_memory_limit`. */
const memoryLimited: readonly Context[] = ['I', 'U', 's'];

/** Contexts whose changes to the heap nobody looks at: pages written cost nothing by the rules of 2025. */
const changesIgnored: readonly Context[] = ['RQ', 'NRQ', 'TQ', 'F'];

/** Contexts of non-replicated execution: what is printed there is not kept, and nothing is paused. */
const nonReplicated: readonly Context[] = ['NRQ', 'TQ', 'CQ', 'CRy', 'CRt', 'CC', 'F'];

function memoryLimit(context: Context, { settings }: Canister): number {
  const limit = memoryLimited.includes(context) ? Number(settings.wasmMemoryLimit) : 0;
  return limit || Number.POSITIVE_INFINITY;
}

const encoder = new TextEncoder();

export class Executor {
  readonly meter = new Meter();
  readonly #imports = systemApiImports(() => this.#current!);
  #current?: Execution;

  constructor(
    readonly rules: PageRules,
    readonly environment: () => Environment,
    readonly onRecord: (record: MessageRecord) => void,
    /** Told what a canister prints or traps with; `kept`: it goes to the canister's log. */
    readonly onLog: (canister: Canister, content: Uint8Array, kept: boolean) => void,
    readonly instrumentOptions: InstrumentOptions = {},
  ) {}

  /** A fresh instance of a canister's code. */
  instantiate(compiled: Compiled): Instance {
    return new Instance(compiled, this.#imports, this.meter, this.rules);
  }

  /**
   * Executes a message. What it did to memory is settled as `changes` says; the rest of its effects is for the caller
   * to apply.
   */
  run(run: Run): Outcome {
    const { canister, context, kind, changes = 'commit', limit = instructionLimits.update } = run;
    const instance = run.instance ?? canister.instance!;
    const environment = this.environment();
    const execution = new Execution({
      context,
      canister,
      instance,
      meter: this.meter,
      environment,
      caller: run.caller,
      callContext: run.callContext,
      arg: run.arg,
      methodName: run.method,
      reject: run.reject,
      cyclesRefunded: run.cyclesRefunded,
      certified: run.certified,
    });
    execution.balance -= run.prepaid ?? 0n;
    instance.begin();
    instance.memoryLimit = memoryLimit(context, canister);
    canister.stable.begin(stableLimits[context] ?? limits.stableTouched.update);
    this.meter.begin(instance.counter, limit, !nonReplicated.includes(context));
    const outer = this.#current;
    this.#current = execution;
    const started = performance.now();
    let trap: Trap | undefined;
    try {
      instance.checkMemoryLimit(0);
      run.enter(instance);
      execution.dropPendingCall();
    } catch (error) {
      trap = asTrap(error);
    } finally {
      this.#current = outer;
    }
    // what a trap undoes is paid for, too
    if (!changesIgnored.includes(context)) instance.chargeDirtyPages();
    const wallMilliseconds = performance.now() - started;
    const [heap, stable] = [instance.touchedPages, canister.stable.touchedPages];
    if (trap || changes === 'discard') {
      instance.rollback();
      canister.stable.rollback();
    } else if (changes === 'commit') {
      instance.commit();
      canister.stable.commit();
    }
    const { instructions } = this.meter;
    if (run.callContext) run.callContext.instructions += instructions.total;
    if (trap && isLogged(trap)) execution.logs.push(encoder.encode(`[TRAP]: ${trap.message || '(no message)'}`));
    for (const content of execution.logs) this.onLog(canister, content, !nonReplicated.includes(context));
    this.onRecord({
      canisterId: canister.canisterId,
      kind,
      method: run.method ?? run.callContext?.method ?? '',
      caller: run.caller,
      time: environment.time,
      instructions,
      pagesTouched: {
        heap: heap.touched,
        stable: stable.touched,
        heapWritten: heap.written,
        stableWritten: stable.written,
      },
      wallMilliseconds,
      outcome: trap ? { status: 'trapped', ...trapReject(canister.text, trap) } : { status: responseStatus(execution) },
    });
    return { execution, trap, instructions: instructions.total };
  }
}

function responseStatus({ response }: Execution): 'ok' | 'replied' | 'rejected' {
  if (!response) return 'ok';
  return 'reply' in response ? 'replied' : 'rejected';
}
