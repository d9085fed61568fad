/**
 * The kernels alone, metered as the replica meters a canister: what a program, or each op of it, costs without Azle
 * around it. The module is linked with a canister of one method, which hands a mailbox to the kernels; everything else
 * is the replica's own.
 */
import binaryen from 'binaryen';
import { Instance } from '../packages/replica/src/instance.ts';
import { type Instructions, Meter } from '../packages/replica/src/meter.ts';
import { loadCode } from '../packages/replica/src/modules.ts';
import { systemCallCost } from '../packages/replica/src/wasm/costs.ts';
import type { InstrumentOptions } from '../packages/replica/src/wasm/instrument.ts';
import { buildKernels } from '../src/node/build/kernels.ts';
import { mergeKernels } from '../src/node/build/link.ts';
import type { Machine, Registers } from '../src/tensor/machine.ts';
import { type Send, Unit } from '../src/tensor/unit.ts';

/** Where mailboxes stand in the instance's memory, and the longest there is room for. */
const WINDOW = { at: 65536, bytes: 2 << 20 };

/** A canister whose `send` hands over the mailbox that words 0 (where) and 1 (how long) of its memory tell of. */
const caller = `(module
  (import "ic0" "certified_data_set" (func $send (param i32 i32)))
  (memory (export "memory") ${(WINDOW.at + WINDOW.bytes) / 65536})
  (func (export "canister_update send") (call $send (i32.load (i32.const 0)) (i32.load (i32.const 4)))))`;

/** What a command cost. */
export interface Cost extends Instructions {
  pagesTouched: number;
}

export const noCost = (): Cost => ({ total: 0, pages: 0, systemCalls: 0, rest: 0, pagesTouched: 0 });

export function addCost(sum: Cost, cost: Cost): Cost {
  for (const key of Object.keys(sum) as (keyof Cost)[]) sum[key] += cost[key];
  return sum;
}

/** A way to the kernels on which every command is a message; `onCost` is told what each took. */
export async function meteredKernels(onCost: (cost: Cost) => void, options: InstrumentOptions = {}): Promise<Send> {
  const module = binaryen.parseText(caller);
  const wasm = await mergeKernels(module.emitBinary(), await buildKernels());
  module.dispose();
  const meter = new Meter();
  const performanceCounter = systemCallCost('performance_counter');
  const systemApi = {
    performance_counter: () => {
      meter.chargeSystemCall(performanceCounter);
      return BigInt(meter.used);
    },
    certified_data_set: () => {
      throw new Error('metered unit: expected a mailbox, got certified data');
    },
    stable64_read: () => {
      throw new Error('metered unit: expected resident weights, got an op that reads stable memory');
    },
  };
  const instance = new Instance(loadCode(wasm, options).compiled, systemApi, meter, '2026');
  return (mailbox) => {
    if (mailbox.length > WINDOW.bytes) {
      throw new RangeError(`metered unit: expected a mailbox of at most ${WINDOW.bytes} bytes, got ${mailbox.length}`);
    }
    instance.begin();
    instance.memoryLimit = Number.POSITIVE_INFINITY;
    meter.begin(instance.counter, Number.MAX_SAFE_INTEGER);
    instance.view(0, 8, true).set(new Uint8Array(Uint32Array.of(WINDOW.at, mailbox.length).buffer));
    instance.view(WINDOW.at, mailbox.length, true).set(mailbox);
    instance.call('canister_update send');
    mailbox.set(instance.view(WINDOW.at, mailbox.length));
    onCost({ ...meter.instructions, pagesTouched: instance.touchedPages.touched });
    instance.commit();
  };
}

/** What running a program, or one op of it, cost. */
export interface RunCost {
  /** Pointer of the program. */
  program: number;
  /** Its first word that was run. */
  from: number;
  cost: Cost;
}

/** The kernels behind the metering as a machine, which remembers what every run cost. */
export class MeteredUnit implements Machine {
  private readonly unit: Unit;
  private readonly lastCost: () => Cost;
  private runs: RunCost[] = [];
  /** Runs every op as a message of its own. */
  opByOp = false;

  private constructor(unit: Unit, lastCost: () => Cost) {
    this.unit = unit;
    this.lastCost = lastCost;
  }

  static async create(options: InstrumentOptions = {}): Promise<MeteredUnit> {
    let last = noCost();
    const send = await meteredKernels((cost) => {
      last = cost;
    }, options);
    return new MeteredUnit(new Unit(send), () => last);
  }

  /** The runs since this was last asked, oldest first. */
  take(): RunCost[] {
    return this.runs.splice(0);
  }

  grow(bytes: number): number {
    return this.unit.grow(bytes);
  }

  write(pointer: number, bytes: Uint8Array): void {
    const most = 1 << 20;
    for (let at = 0; at < bytes.length; at += most) this.unit.write(pointer + at, bytes.subarray(at, at + most));
  }

  read(pointer: number, bytes: number): Uint8Array {
    return this.unit.read(pointer, bytes);
  }

  run(program: number, from: number, end: number, registers: Registers): number {
    // a budget of nothing ends a run after one op
    const budget = this.opByOp ? 0n : undefined;
    let at = from;
    while (at < end) {
      const next = this.unit.run(program, at, end, registers, budget);
      this.runs.push({ program, from: at, cost: this.lastCost() });
      at = next;
    }
    return at;
  }
}
