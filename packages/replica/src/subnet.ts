/**
 * The canisters of the replica and their lives: created, installed, stopped, deleted; what they log; what they pay for
 * being there. Messages between them are message-execution.ts.
 * Specification-like: interface specification, "Canister lifecycle".
 */
import { createHash, randomBytes } from 'node:crypto';
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { Canister, defaultSettings, principalKey, type Response, type Settings } from './canister.ts';
import { storageChargeInterval } from './cycles.ts';
import { reject } from './errors.ts';
import type { Environment } from './execution.ts';
import { Executor } from './executor.ts';
import { type Installation, type InstallResult, install } from './install.ts';
import { limits } from './limits.ts';
import type { MessageRecord } from './messages.ts';
import type { Snapshot } from './snapshot.ts';
import { loadSnapshot } from './snapshotting.ts';
import type { Reject } from './types.ts';
import type { PageRules } from './wasm/costs.ts';
import type { InstrumentOptions } from './wasm/instrument.ts';

export interface SubnetOptions {
  /** Which rules pages are charged by. Default `2026`. */
  pageRules?: PageRules;
  /** Makes `raw_rand` repeatable. */
  seed?: number | string;
  /** Called with what canisters print and trap with, in queries too. */
  onLog?: (canisterId: Principal, text: string) => void;
  /** Leaves metering or the page map out, to measure what they cost in time. Without the page map nothing is undone. */
  instrument?: InstrumentOptions;
}

export interface NewCanister {
  controllers?: Principal[];
  settings?: Settings;
  cycles?: bigint;
  specifiedId?: Principal;
}

const anonymous = Principal.anonymous();
const decoder = new TextDecoder();

export class Subnet {
  rootKey: Uint8Array = new Uint8Array(0);
  subnetId: Uint8Array = new Uint8Array(29).fill(1);
  dataCertificate?: (canisterId: Principal) => Uint8Array;
  readonly executor: Executor;
  /** Modules that were installed before, by the SHA-256 of what was given. */
  readonly #compiled = new Set<string>();
  readonly #canisters = new Map<string, Canister>();
  readonly #options: SubnetOptions;
  #nextCanister = 0n;
  #randomCalls = 0;

  constructor(
    options: SubnetOptions,
    readonly time: () => bigint,
    onRecord: (record: MessageRecord) => void,
  ) {
    this.#options = options;
    this.executor = new Executor(
      options.pageRules ?? '2026',
      () => this.#environment(),
      onRecord,
      (canister, content, kept) => this.#log(canister, content, kept),
      options.instrument,
    );
  }

  canister(canisterId: Principal): Canister | undefined {
    return this.#canisters.get(principalKey(canisterId));
  }

  canisters(): Iterable<Canister> {
    return this.#canisters.values();
  }

  createCanister(options: NewCanister): Canister {
    const { controllers = [anonymous], settings = defaultSettings(controllers) } = options;
    const { specifiedId = this.#freshId(), cycles = 100_000_000_000_000n } = options;
    const { meter, rules } = this.executor;
    const canister = new Canister(specifiedId, settings, cycles, meter, rules, this.time());
    this.#canisters.set(canister.key, canister);
    return canister;
  }

  /** Canister ids count up, like those of the first application subnet: index in eight bytes, 1, 1. */
  #freshId(): Principal {
    for (;;) {
      const bytes = Buffer.alloc(10, 1);
      bytes.writeBigUInt64BE(this.#nextCanister++);
      const id = Principal.fromUint8Array(new Uint8Array(bytes));
      if (!this.canister(id)) return id;
    }
  }

  deleteCanister({ key }: Canister): void {
    this.#canisters.delete(key);
  }

  installCode(installation: Installation): InstallResult {
    return install(this.executor, installation, this.#compiled);
  }

  /** @throws Trap */
  loadSnapshot(canister: Canister, snapshot: Snapshot): void {
    loadSnapshot(this.executor, canister, snapshot, this.#compiled);
  }

  /** Takes code and state away. What becomes of open calls is for the caller to say. */
  removeCode(canister: Canister): void {
    canister.instance = undefined;
    canister.code = undefined;
    canister.stable.clear();
    canister.chunks.clear();
    canister.certifiedData = new Uint8Array(0);
    canister.globalTimer = 0n;
    canister.lowMemoryHook = 'notNeeded';
    canister.clearLogs();
    canister.recordChange();
    canister.version++;
  }

  startCanister(canister: Canister): void {
    for (const waiter of canister.stopWaiters.splice(0))
      waiter({ reject: reject('IC0511', `Canister ${canister.text} was started again while it was stopping`) });
    canister.status = 'running';
    canister.version++;
  }

  /** Calls `stopped` when the canister has no open call contexts any more. */
  stopCanister(canister: Canister, stopped: (response: Response) => void): void {
    if (canister.status === 'running') {
      canister.status = 'stopping';
      canister.version++;
    }
    canister.stopWaiters.push(stopped);
    this.finishStopping(canister);
  }

  finishStopping(canister: Canister): void {
    if (canister.status === 'running' || canister.callContexts.size > 0) return;
    if (canister.status === 'stopping') canister.version++;
    canister.status = 'stopped';
    const reply = new Uint8Array(IDL.encode([], []));
    for (const waiter of canister.stopWaiters.splice(0)) waiter({ reply });
  }

  /** Why a canister takes no call at all. */
  unfit(canisterId: Principal, canister: Canister | undefined): Reject | undefined {
    if (!canister) return reject('IC0301', `Canister ${canisterId.toText()} not found`);
    if (canister.status === 'stopped') return reject('IC0508', `Canister ${canister.text} is stopped`);
    if (canister.status === 'stopping') return reject('IC0509', `Canister ${canister.text} is stopping`);
    if (canister.instance) return undefined;
    const empty = 'Attempted to execute a message, but the canister contains no Wasm module.';
    return reject('IC0537', `Error from Canister ${canister.text}: ${empty}`);
  }

  randomBytes(): Uint8Array {
    const { seed } = this.#options;
    if (seed === undefined) return new Uint8Array(randomBytes(32));
    const text = `raw_rand ${seed} ${this.#randomCalls++}`;
    return new Uint8Array(createHash('sha256').update(text).digest());
  }

  /** Storage and compute allocation, paid for the whole seconds since the last charge, every ten seconds. */
  chargeIdle(): void {
    const now = this.time();
    for (const canister of this.#canisters.values()) {
      const elapsed = now - canister.paidUntil;
      if (elapsed < storageChargeInterval) continue;
      canister.charge(canister.idleFee(elapsed / 1_000_000_000n));
      canister.paidUntil = now;
    }
  }

  #environment(): Environment {
    return {
      time: this.time(),
      subnetId: this.subnetId,
      rootKey: this.rootKey,
      dataCertificate: (canister) => this.dataCertificate?.(canister.canisterId),
      queueHasRoom: (from, to, opened) => (from.openCallsTo.get(principalKey(to)) ?? 0) + opened < limits.queue,
    };
  }

  #log(canister: Canister, content: Uint8Array, kept: boolean): void {
    if (kept) canister.log(content, this.time());
    this.#options.onLog?.(canister.canisterId, decoder.decode(content));
  }
}
