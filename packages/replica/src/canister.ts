/**
 * What the replica keeps of a canister: settings, cycles, code, memories, open calls. Specification-like: interface
 * specification, "Abstract behavior", the canister state (`S.canisters`, `S.call_contexts`).
 */
import type { Principal } from '@dfinity/principal';
import { idleFee } from './cycles.ts';
import type { Compiled, Instance } from './instance.ts';
import { limits } from './limits.ts';
import type { Meter } from './meter.ts';
import type { LowMemoryHook, Snapshot } from './snapshot.ts';
import { StableMemory } from './stable-memory.ts';
import type { CanisterInfo, Reject } from './types.ts';
import { type PageRules, pageBytes } from './wasm/costs.ts';

export type Response = { reply: Uint8Array } | { reject: Reject };

/** Where a call context's response goes. */
export type Origin =
  | { kind: 'ingress'; requestId: string; envelopeBytes: number }
  | { kind: 'canister'; canister: Canister; callbackId: number }
  /** A query outside replicated execution, or a part of a composite one. */
  | { kind: 'query' }
  /** Timers, heartbeats: no one awaits a response. */
  | { kind: 'system' };

export interface CallContext {
  id: number;
  origin: Origin;
  method: string;
  caller: Principal;
  /** Nanoseconds since 1970; 0 where the caller waits without bound. */
  deadline: bigint;
  responded: boolean;
  /** The code that opened it is gone: its callbacks do not run. */
  deleted: boolean;
  /** Cycles that came with the call and were not accepted yet. */
  cyclesAvailable: bigint;
  /** Calls made whose callbacks have not run. */
  openCalls: number;
  /** Instructions of the messages of this context so far. */
  instructions: number;
}

export interface Closure {
  fun: number;
  env: number;
}

/** What awaits the response of a call. */
export interface Callback {
  id: number;
  context: CallContext;
  callee: Principal;
  onReply: Closure;
  onReject: Closure;
  onCleanup?: Closure;
  /** Cycles set aside for the response. */
  reserved: bigint;
  /** Nanoseconds since 1970 at which a best-effort call is given up; 0 without bound, and once it has been. */
  deadline: bigint;
  bestEffort: boolean;
}

/** Who may look besides the controllers. */
export type Visibility = 'controllers' | 'public' | Principal[];

export interface Settings {
  controllers: Principal[];
  computeAllocation: number;
  memoryAllocation: bigint;
  freezingThreshold: bigint;
  reservedCyclesLimit: bigint;
  /** Bytes; 0: without limit. */
  wasmMemoryLimit: bigint;
  wasmMemoryThreshold: bigint;
  logVisibility: Visibility;
  logMemoryLimit: bigint;
  snapshotVisibility: Visibility;
  statusVisibility: Visibility;
  minimumIncomingCanisterCallCycles: bigint;
  environmentVariables: Map<string, string>;
}

export const defaultSettings = (controllers: Principal[]): Settings => ({
  controllers,
  computeAllocation: 0,
  memoryAllocation: 0n,
  freezingThreshold: 2_592_000n,
  reservedCyclesLimit: 5_000_000_000_000n,
  wasmMemoryLimit: BigInt(limits.wasmMemoryLimit),
  wasmMemoryThreshold: 0n,
  logVisibility: 'controllers',
  logMemoryLimit: BigInt(limits.canisterLogBytes),
  snapshotVisibility: 'controllers',
  statusVisibility: 'controllers',
  minimumIncomingCanisterCallCycles: 0n,
  environmentVariables: new Map(),
});

/** Code that is installed. */
export interface Code {
  compiled: Compiled;
  /** The bytes given to install_code. */
  given: Uint8Array;
  /** SHA-256 of them. */
  hash: Uint8Array;
  metadata: CanisterInfo['metadata'];
  wasmBytes: number;
  /** What it holds besides its memories: mutable globals, and custom sections under their names. */
  globalBytes: number;
  customSectionBytes: number;
  /** Instructions for compiling it. */
  compileInstructions: number;
}

export interface LogRecord {
  index: bigint;
  timestamp: bigint;
  content: Uint8Array;
}

/** A principal as the key of a map: one character a byte. Its text form costs a checksum each time. */
export const principalKey = (principal: Principal): string => String.fromCharCode(...principal.toUint8Array());

/** In seconds. */
const day = 86_400n;
/** What a change takes in the history, and each controller that it names. */
const changeBytes = 160;
const controllerBytes = 30;

export class Canister implements CanisterInfo {
  status: 'running' | 'stopping' | 'stopped' = 'running';
  version = 0n;
  code?: Code;
  instance?: Instance;
  certifiedData: Uint8Array = new Uint8Array(0);
  /** Nanoseconds since 1970; 0: not set. */
  globalTimer = 0n;
  /** The timer's task waits in the queue. */
  timerQueued = false;
  stable: StableMemory;
  callContexts = new Map<number, CallContext>();
  callbacks = new Map<number, Callback>();
  /** Open calls by callee: requests on their way and responses awaited. */
  openCallsTo = new Map<string, number>();
  /** Those who wait for the canister to be stopped. */
  stopWaiters: ((response: Response) => void)[] = [];
  logs: LogRecord[] = [];
  nextLogIndex = 0n;
  /** Bytes of `logs`. */
  logBytes = 0;
  /** The chunk store: by SHA-256 in hexadecimal. */
  chunks = new Map<string, Uint8Array>();
  /** By their ids in hexadecimal, oldest first. */
  readonly snapshots = new Map<string, Snapshot>();
  nextSnapshot = 0n;
  /** Sums over queries outside replicated execution. */
  queryStats = { calls: 0n, instructions: 0n, requestBytes: 0n, responseBytes: 0n };
  /** Bytes that each of the last changes takes in the canister's history. */
  #history: number[] = [];
  /** Time up to which storage was paid. */
  paidUntil: bigint;
  lowMemoryHook: LowMemoryHook = 'notNeeded';
  /** The id as text, and as the key of maps. */
  readonly text: string;
  readonly key: string;

  constructor(
    readonly canisterId: Principal,
    public settings: Settings,
    public cycles: bigint,
    meter: Meter,
    readonly rules: PageRules,
    now: bigint,
  ) {
    this.recordChange(settings.controllers.length);
    this.stable = new StableMemory(meter, rules);
    this.text = canisterId.toText();
    this.key = principalKey(canisterId);
    this.paidUntil = now;
  }

  get controllers(): Principal[] {
    return this.settings.controllers;
  }

  get moduleHash(): Uint8Array | undefined {
    return this.code?.hash;
  }

  get metadata(): CanisterInfo['metadata'] {
    return this.code?.metadata ?? new Map();
  }

  isController(principal: Principal): boolean {
    const key = principalKey(principal);
    return this.settings.controllers.some((controller) => principalKey(controller) === key);
  }

  /** Whether someone may see what a setting of visibility guards. */
  mayView(visibility: Visibility, viewer: Principal): boolean {
    if (visibility === 'public' || this.isController(viewer)) return true;
    return Array.isArray(visibility) && visibility.some((allowed) => principalKey(allowed) === principalKey(viewer));
  }

  /** Appends to the log, of which the last bytes are kept. */
  log(content: Uint8Array, timestamp: bigint): void {
    const kept = content.subarray(0, Number(this.settings.logMemoryLimit));
    this.logs.push({ index: this.nextLogIndex++, timestamp, content: kept });
    this.logBytes += kept.length;
    this.trimLogs();
  }

  /** Drops the oldest records, down to what the settings allow. */
  trimLogs(): void {
    const most = Number(this.settings.logMemoryLimit);
    while (this.logBytes > most) this.logBytes -= this.logs.shift()!.content.length;
    if (most === 0) this.clearLogs();
  }

  clearLogs(): void {
    this.logs = [];
    this.logBytes = 0;
  }

  /** Keeps a change in the history: creation, code, controllers; those of controllers with how many they are then. */
  recordChange(controllers = 0): void {
    this.#history.push(changeBytes + controllers * controllerBytes);
    if (this.#history.length > limits.historyChanges) this.#history.shift();
  }

  get historyBytes(): number {
    return this.#history.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Bytes that storage is charged for. */
  get storageBytes(): number {
    return this.codeBytes + this.historyBytes + this.snapshotBytes;
  }

  /** Bytes of what uninstalling takes away: memories, code, chunk store. */
  get codeBytes(): number {
    const memories = (this.instance?.memoryBytes ?? 0) + this.stable.size * pageBytes;
    const { wasmBytes = 0, globalBytes = 0, customSectionBytes = 0 } = this.code ?? {};
    return memories + wasmBytes + globalBytes + customSectionBytes + this.chunks.size * limits.chunkBytes;
  }

  /** Whether less memory is left to grow than `wasm_memory_threshold`. */
  get lacksWasmMemory(): boolean {
    const { wasmMemoryLimit, wasmMemoryThreshold } = this.settings;
    const limit = wasmMemoryLimit || BigInt(limits.wasmMemory);
    return limit - BigInt(this.instance?.memoryBytes ?? 0) < wasmMemoryThreshold;
  }

  /** Bytes of its snapshots. */
  get snapshotBytes(): number {
    let bytes = 0;
    for (const snapshot of this.snapshots.values()) bytes += snapshot.bytes;
    return bytes;
  }

  /**
   * Bytes kept for responses without a deadline: those that this canister awaits, and those that it owes to canisters.
   */
  get messageBytes(): number {
    let responses = 0;
    for (const { bestEffort } of this.callbacks.values()) if (!bestEffort) responses++;
    for (const { origin, deadline, responded } of this.callContexts.values())
      if (origin.kind === 'canister' && deadline === 0n && !responded) responses++;
    return responses * limits.replyBytes;
  }

  /** Takes a fee, or what there is. */
  charge(fee: bigint): void {
    this.cycles = this.cycles > fee ? this.cycles - fee : 0n;
  }

  /** Cycles that may be spent without freezing the canister; below zero where it is frozen. */
  get liquidCycles(): bigint {
    return this.cycles - this.freezingCycles;
  }

  /** What being there costs over a time, with so many bytes, and responses awaited, more than there are. */
  idleFee(seconds: bigint, moreBytes = 0, moreResponses = 0): bigint {
    const { memoryAllocation, computeAllocation } = this.settings;
    const bytes = Math.max(this.storageBytes + moreBytes, Number(memoryAllocation));
    const messageBytes = this.messageBytes + moreResponses * limits.replyBytes;
    return idleFee(this.rules, { bytes, messageBytes, computeAllocation }, seconds);
  }

  /** Cycles that must stay: what idling costs over the freezing threshold, by what it costs in a day. */
  get freezingCycles(): bigint {
    return this.freezingCyclesWith({});
  }

  freezingCyclesWith({ bytes = 0, responses = 0 }: { bytes?: number; responses?: number }): bigint {
    return (this.idleFee(day, bytes, responses) * this.settings.freezingThreshold) / day;
  }
}
