/**
 * The replica: canisters, the queue of messages between them, time, and the verbs to drive it.
 * One message is executed at a time, in the order in which messages were queued. Not a consensus: one node, one subnet.
 * Specification-like where it follows the interface specification's "Abstract behavior"; names of the verbs as in pic-js.
 */
import { createHash, randomBytes } from 'node:crypto';
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import {
  type Callback,
  type CallContext,
  Canister,
  defaultSettings,
  type Origin,
  type Response,
  type Settings,
} from './canister.ts';
import type { PageRules } from './costs.ts';
import { executionFee, fees, idleFee, ingressFee } from './cycles.ts';
import { asTrap, RejectError, reject, Trap, trapReject } from './errors.ts';
import type { Environment, Execution } from './execution.ts';
import { Executor, type Outcome } from './executor.ts';
import { type Installation, type InstallMode, type InstallResult, install } from './install.ts';
import { instructionLimits, limits } from './limits.ts';
import { managementTypes } from './management/idl.ts';
import {
  callManagement,
  checkIngress,
  effectiveCanister,
  type ManagementHost,
  managementCanisterId,
} from './management/methods.ts';
import type { Message, MessageRecord, RequestMessage, ResponseMessage, TaskMessage } from './messages.ts';
import { noMethod, noReply, QueryGraph } from './query-graph.ts';
import type { CanisterInfo, Core, Ingress, QueryResponse, Reject, Request, RequestStatus } from './types.ts';
import type { InstrumentOptions } from './wasm/instrument.ts';

export interface ReplicaOptions {
  /** Executes messages by itself as long as there are any, and follows the clock. Default true; else `tick` does it. */
  autoTick?: boolean;
  /** Which rules pages are charged by. Default `2026`. */
  pageRules?: PageRules;
  /** Makes `raw_rand` repeatable. */
  seed?: number | string;
  /** Called with every executed message. */
  onMessage?: (record: MessageRecord) => void;
  /** How many records `messages` keeps; the oldest go first. Default 100,000. */
  keptMessages?: number;
  /** Called with what canisters print. */
  onLog?: (canisterId: Principal, text: string) => void;
  /** What `ic0.root_key_copy` and `ic0.subnet_self_copy` give. */
  rootKey?: Uint8Array;
  subnetId?: Uint8Array;
  /** Leaves metering or the page map out, to measure what they cost in time. Without the page map nothing is undone. */
  instrument?: InstrumentOptions;
}

/** A canister, and who acts on it: its first controller if nobody is named. */
export interface CanisterCall {
  canisterId: Principal;
  sender?: Principal;
}

interface IngressEntry {
  sender: Principal;
  canisterId: Principal;
  status: RequestStatus;
  expiry: bigint;
  waiters: (() => void)[];
}

/** What a round may execute before `tick` returns. */
const roundInstructions = 7_000_000_000;
const heartbeatMilliseconds = 1_000;
const ingressLifetime = 240_000_000_000n;
const keptAfterExpiry = 300_000_000_000n;
/** setTimeout takes at most 2^31 - 1 milliseconds. */
const longestTimeout = 2 ** 31 - 1;
const anonymous = Principal.anonymous();
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const terminal = ({ status }: RequestStatus): boolean =>
  status === 'replied' || status === 'rejected' || status === 'done';

export class Replica implements Core {
  /** The executed messages, oldest first. */
  readonly messages: MessageRecord[] = [];
  dataCertificate?: (canisterId: Principal) => Uint8Array;

  readonly #options: ReplicaOptions;
  readonly #executor: Executor;
  readonly #canisters = new Map<string, Canister>();
  readonly #ingress = new Map<string, IngressEntry>();
  #queue: Message[] = [];
  #nextId = 1;
  #nextCanister = 0n;
  #randomCalls = 0;
  #requestCount = 0;
  #roundUsed = 0;
  #running = false;
  #stopped = false;
  #timer?: NodeJS.Timeout;
  #lastHeartbeat = 0;
  /** Nanoseconds that the replica's time is ahead of the clock; without `autoTick`, its time. */
  #time: bigint;
  /** What the management canister may do here. */
  readonly #management: ManagementHost = {
    canister: (id) => this.canister(id),
    createCanister: (options) => this.createCanister(options),
    deleteCanister: ({ text }) => this.#canisters.delete(text),
    installCode: (installation) => this.#install(installation),
    uninstallCode: (canister) => this.#uninstall(canister),
    stopCanister: (canister, stopped) => this.#stop(canister, stopped),
    startCanister: (canister) => this.#start(canister),
    randomBytes: () => this.#randomBytes(),
  };
  rootKey: Uint8Array;
  subnetId: Uint8Array;

  constructor(options: ReplicaOptions = {}) {
    this.#options = options;
    this.#time = options.autoTick === false ? BigInt(Date.now()) * 1_000_000n : 0n;
    this.rootKey = options.rootKey ?? new Uint8Array(0);
    this.subnetId = options.subnetId ?? new Uint8Array(29).fill(1);
    this.#executor = new Executor(
      options.pageRules ?? '2026',
      () => this.#environment(),
      (record) => this.#record(record),
      (canister, content) => this.#log(canister, content),
      options.instrument,
    );
  }

  // ---- Time ----

  time(): bigint {
    return this.#options.autoTick === false ? this.#time : BigInt(Date.now()) * 1_000_000n + this.#time;
  }

  /** Moves time on. @param milliseconds how far */
  advanceTime(milliseconds: number): void {
    this.#time += BigInt(Math.round(milliseconds * 1_000_000));
    this.#wake();
  }

  /** Sets time. @param time a date, or milliseconds since 1970 */
  setTime(time: Date | number): void {
    this.#time += BigInt(Math.round(Number(time) * 1_000_000)) - this.time();
    this.#wake();
  }

  // ---- Canisters ----

  canister(canisterId: Principal): Canister | undefined {
    return this.#canisters.get(canisterId.toText());
  }

  canisters(): Iterable<CanisterInfo> {
    return this.#canisters.values();
  }

  /**
   * Makes an empty canister, as `provisional_create_canister_with_cycles` does.
   * @example const canisterId = replica.createCanister({ controllers: [me] }).canisterId
   */
  createCanister(
    options: { controllers?: Principal[]; settings?: Settings; cycles?: bigint; specifiedId?: Principal } = {},
  ): Canister {
    const {
      controllers = [anonymous],
      settings = defaultSettings(controllers),
      cycles = 100_000_000_000_000n,
    } = options;
    const id = options.specifiedId ?? this.#freshCanisterId();
    const { meter, rules } = this.#executor;
    const canister = new Canister(id, settings, cycles, meter, rules, this.time());
    this.#canisters.set(canister.text, canister);
    return canister;
  }

  /** Canister ids count up, like those of the first application subnet: index, 1, 1. */
  #freshCanisterId(): Principal {
    for (;;) {
      const bytes = Buffer.alloc(10, 1);
      bytes.writeBigUInt64BE(this.#nextCanister++);
      const id = Principal.fromUint8Array(new Uint8Array(bytes));
      if (!this.canister(id)) return id;
    }
  }

  #existing(canisterId: Principal): Canister {
    const canister = this.canister(canisterId);
    if (!canister) throw new RejectError(reject('IC0301', `Canister ${canisterId.toText()} not found`));
    return canister;
  }

  addCycles(canisterId: Principal, amount: bigint): void {
    this.#existing(canisterId).cycles += amount;
  }

  #environment(): Environment {
    return {
      time: this.time(),
      subnetId: this.subnetId,
      rootKey: this.rootKey,
      dataCertificate: (canister) => this.dataCertificate?.(canister.canisterId),
      queueHasRoom: (from, to, opened) => (from.openCallsTo.get(to.toText()) ?? 0) + opened < limits.queue,
    };
  }

  #record(record: MessageRecord): void {
    this.#roundUsed += record.instructions.total;
    this.messages.push(record);
    const kept = this.#options.keptMessages ?? 100_000;
    if (this.messages.length > kept * 1.1) this.messages.splice(0, this.messages.length - kept);
    this.#options.onMessage?.(record);
  }

  #log(canister: Canister, content: Uint8Array): void {
    canister.logs.push({ index: canister.nextLogIndex++, timestamp: this.time(), content });
    let bytes = canister.logs.reduce((sum, record) => sum + record.content.length, 0);
    while (bytes > limits.canisterLogBytes) bytes -= canister.logs.shift()!.content.length;
    this.#options.onLog?.(canister.canisterId, new TextDecoder().decode(content));
  }

  #randomBytes(): Uint8Array {
    const { seed } = this.#options;
    if (seed === undefined) return new Uint8Array(randomBytes(32));
    return new Uint8Array(
      createHash('sha256')
        .update(`raw_rand ${seed} ${this.#randomCalls++}`)
        .digest(),
    );
  }

  #install(installation: Installation): InstallResult {
    const result = install(this.#executor, installation);
    this.#wake();
    return result;
  }

  #uninstall(canister: Canister): void {
    this.#dropContexts(canister);
    canister.instance = undefined;
    canister.code = undefined;
    canister.stable.clear();
    canister.certifiedData = new Uint8Array(0);
    canister.globalTimer = 0n;
    canister.version++;
  }

  #dropContexts(canister: Canister): void {
    for (const context of canister.callContexts.values()) {
      if (!context.responded) this.#respond(context, { reject: reject('IC0406', 'Canister has been uninstalled.') });
    }
    canister.callContexts.clear();
    canister.callbacks.clear();
    canister.openCallsTo.clear();
  }

  #start(canister: Canister): void {
    for (const waiter of canister.stopWaiters.splice(0))
      waiter({ reject: reject('IC0509', `Canister ${canister.text} was started again while it was stopping`) });
    canister.status = 'running';
    canister.version++;
  }

  #stop(canister: Canister, stopped: (response: Response) => void): void {
    if (canister.status === 'running') canister.status = 'stopping';
    canister.stopWaiters.push(stopped);
    this.#finishStopping(canister);
  }

  #finishStopping(canister: Canister): void {
    if (canister.status === 'running' || canister.callContexts.size > 0) return;
    canister.status = 'stopped';
    const reply = new Uint8Array(IDL.encode([], []));
    for (const waiter of canister.stopWaiters.splice(0)) waiter({ reply });
  }

  // ---- Ingress ----

  async submit(ingress: Ingress): Promise<Reject | undefined> {
    const id = hex(ingress.requestId);
    this.#forgetOldRequests();
    if (this.#ingress.has(id)) return undefined;
    const refused = this.#refuse(ingress);
    if (!refused) this.#accept(ingress);
    return refused;
  }

  #accept(ingress: Ingress): void {
    const id = hex(ingress.requestId);
    const { sender, canisterId, methodName: method, arg, ingressExpiry: expiry } = ingress;
    this.#ingress.set(id, { sender, canisterId, status: { status: 'received' }, expiry, waiters: [] });
    const origin: Origin = { kind: 'ingress', requestId: id };
    this.#queue.push({
      kind: 'request',
      callee: canisterId,
      method,
      arg,
      caller: sender,
      origin,
      cycles: 0n,
      deadline: 0n,
    });
    this.#wake();
  }

  /** What stands before the queue: the canister exists and pays, and its `inspect_message` accepts. */
  #refuse({ sender, canisterId, methodName, arg }: Request): Reject | undefined {
    try {
      if (arg.length > limits.ingressBytes)
        throw new Trap(
          'IC0516',
          `expected an ingress message of at most ${limits.ingressBytes} bytes, got ${arg.length}`,
        );
      if (canisterId.compareTo(managementCanisterId) === 'eq') {
        checkIngress(this.#management, methodName, arg, sender);
        return undefined;
      }
    } catch (error) {
      const { errorCode, message } = asTrap(error);
      return reject(errorCode, message);
    }
    const canister = this.canister(canisterId);
    const unfit = this.#unfit(canisterId, canister);
    if (unfit) return unfit;
    if (canister!.cycles - canister!.freezingCycles < ingressFee(arg.length + methodName.length))
      return this.#outOfCycles(canister!);
    if (!canister!.instance!.has('canister_inspect_message')) return undefined;
    const { execution, trap } = this.#executor.run({
      kind: 'inspectMessage',
      context: 'F',
      canister: canister!,
      caller: sender,
      method: methodName,
      arg,
      limit: instructionLimits.inspect,
      changes: 'discard',
      enter: (instance) => instance.call('canister_inspect_message'),
    });
    if (trap) return trapReject(canister!.text, trap);
    return execution.accepted ? undefined : reject('IC0406', 'Canister rejected the message');
  }

  #outOfCycles({ text }: Canister): Reject {
    return reject('IC0207', `Canister ${text} is out of cycles: please top up the canister`);
  }

  /** Why a canister takes no call at all. */
  #unfit(canisterId: Principal, canister: Canister | undefined): Reject | undefined {
    if (!canister) return reject('IC0301', `Canister ${canisterId.toText()} not found`);
    if (canister.status === 'stopped') return reject('IC0508', `Canister ${canister.text} is stopped`);
    if (canister.status === 'stopping') return reject('IC0509', `Canister ${canister.text} is stopping`);
    if (!canister.instance)
      return reject(
        'IC0537',
        `Error from Canister ${canister.text}: Attempted to execute a message, but the canister contains no Wasm module.`,
      );
    return undefined;
  }

  requestStatus(requestId: Uint8Array): RequestStatus | undefined {
    return this.#ingress.get(hex(requestId))?.status;
  }

  requestOrigin(requestId: Uint8Array): { sender: Principal; canisterId: Principal } | undefined {
    return this.#ingress.get(hex(requestId));
  }

  *requestStatuses(): Iterable<[requestId: Uint8Array, RequestStatus]> {
    this.#forgetOldRequests();
    for (const [id, { status }] of this.#ingress) yield [new Uint8Array(Buffer.from(id, 'hex')), status];
  }

  async whenEnded(requestId: Uint8Array, milliseconds: number): Promise<void> {
    const entry = this.#ingress.get(hex(requestId));
    if (!entry || terminal(entry.status)) return;
    await new Promise<void>((resolve) => {
      const timeout = setTimeout(resolve, Math.min(milliseconds, longestTimeout));
      entry.waiters.push(() => {
        clearTimeout(timeout);
        resolve();
      });
    });
  }

  #setStatus(id: string, status: RequestStatus): void {
    const entry = this.#ingress.get(id);
    if (!entry) return;
    entry.status = status;
    if (terminal(status)) for (const waiter of entry.waiters.splice(0)) waiter();
  }

  #forgetOldRequests(): void {
    const now = this.time();
    for (const [id, { status, expiry }] of this.#ingress) {
      if (expiry + keptAfterExpiry > now) break;
      if (terminal(status)) this.#ingress.delete(id);
    }
  }

  // ---- Queries ----

  async query(request: Request): Promise<QueryResponse> {
    return this.#query(request);
  }

  #query({ canisterId, methodName, sender, arg }: Request): QueryResponse {
    if (canisterId.compareTo(managementCanisterId) === 'eq') return this.#managementQuery(methodName, arg, sender);
    const graph = new QueryGraph({
      executor: this.#executor,
      canister: (id) => this.canister(id),
      unfit: (id, canister) => this.#unfit(id, canister),
    });
    const response = graph.call({ canisterId, method: methodName, arg, caller: sender });
    return 'reply' in response ? { status: 'replied', ...response } : { status: 'rejected', ...response.reject };
  }

  #managementQuery(method: string, arg: Uint8Array, caller: Principal): QueryResponse {
    let answer: QueryResponse | undefined;
    if (method !== 'fetch_canister_logs' && method !== 'canister_status')
      return { status: 'rejected', ...reject('IC0302', `Management canister has no query method '${method}'`) };
    callManagement(this.#management, {
      method,
      arg,
      caller,
      cycles: 0n,
      respond: (response) => {
        answer = 'reply' in response ? { status: 'replied', ...response } : { status: 'rejected', ...response.reject };
      },
    });
    return answer!;
  }

  // ---- Messages ----

  /** Sends the response of a call context to whoever called. */
  #respond(context: CallContext, response: Response): void {
    context.responded = true;
    const refund = context.cyclesAvailable;
    context.cyclesAvailable = 0n;
    this.#deliver(context.origin, response, refund);
  }

  #deliver(origin: Origin, response: Response, refund: bigint): void {
    if (origin.kind === 'ingress') {
      this.#setStatus(
        origin.requestId,
        'reply' in response ? { status: 'replied', ...response } : { status: 'rejected', ...response.reject },
      );
    } else if (origin.kind === 'canister') {
      this.#queue.push({ kind: 'response', to: origin.canister, callbackId: origin.callbackId, response, refund });
      this.#wake();
    }
  }

  #execute(message: Message): void {
    if (message.kind === 'request') this.#executeRequest(message);
    else if (message.kind === 'response') this.#executeResponse(message);
    else this.#executeTask(message);
  }

  #executeRequest(message: RequestMessage): void {
    const { callee, method, arg, caller, origin, cycles, deadline } = message;
    if (origin.kind === 'ingress') this.#setStatus(origin.requestId, { status: 'processing' });
    if (callee.compareTo(managementCanisterId) === 'eq') {
      if (origin.kind === 'ingress') this.#chargeManagementIngress(method, arg);
      const respond = (response: Response, accepted = 0n) => this.#deliver(origin, response, cycles - accepted);
      callManagement(this.#management, { method, arg, caller, cycles, respond });
      return;
    }
    const canister = this.canister(callee);
    const unfit = this.#unfit(callee, canister);
    if (unfit) {
      this.#deliver(origin, { reject: unfit }, cycles);
      return;
    }
    const update = canister!.instance!.has(`canister_update ${method}`);
    const entryPoint = update ? `canister_update ${method}` : `canister_query ${method}`;
    if (!canister!.instance!.has(entryPoint)) {
      this.#deliver(origin, { reject: noMethod(canister!, 'update', method) }, cycles);
      return;
    }
    if (origin.kind === 'ingress') canister!.cycles -= ingressFee(arg.length + method.length);
    const context = this.#openContext(canister!, { origin, method, caller, deadline, cyclesAvailable: cycles });
    const prepaid = this.#prepay(canister!);
    if (prepaid === undefined) {
      this.#respond(context, { reject: this.#outOfCycles(canister!) });
      this.#closeContext(canister!, context);
      return;
    }
    const outcome = this.#executor.run({
      kind: update ? 'update' : 'query',
      context: update ? 'U' : 'RQ',
      canister: canister!,
      caller,
      callContext: context,
      method,
      arg,
      prepaid,
      changes: update ? 'commit' : 'discard',
      enter: (instance) => instance.call(entryPoint),
    });
    this.#settle(canister!, context, outcome, prepaid);
  }

  /** The canister that a management call from outside is about pays for it. */
  #chargeManagementIngress(method: string, arg: Uint8Array): void {
    const id = effectiveCanister(method, arg);
    const canister = id && this.canister(id);
    if (canister) canister.cycles -= ingressFee(arg.length + method.length);
  }

  #openContext(
    canister: Canister,
    params: Omit<CallContext, 'id' | 'responded' | 'openCalls' | 'instructions'>,
  ): CallContext {
    const context = { ...params, id: this.#nextId++, responded: false, openCalls: 0, instructions: 0 };
    canister.callContexts.set(context.id, context);
    return context;
  }

  #closeContext(canister: Canister, context: CallContext): void {
    canister.callContexts.delete(context.id);
    this.#finishStopping(canister);
  }

  /** Cycles for a message with all its instructions; undefined where the canister has not enough above its freezing threshold. */
  #prepay(canister: Canister): bigint | undefined {
    const prepaid = executionFee(instructionLimits.update);
    return canister.cycles - canister.freezingCycles >= prepaid ? prepaid : undefined;
  }

  /** Applies what a message did, or the lack of it, and closes its context where nothing more can come. */
  #settle(canister: Canister, context: CallContext, outcome: Outcome, prepaid: bigint): void {
    const { execution, trap, instructions } = outcome;
    const unused = prepaid - executionFee(instructions);
    if (trap) canister.cycles += unused - prepaid;
    else this.#apply(canister, context, execution, unused);
    if (context.openCalls > 0) return;
    if (!context.responded && context.origin.kind !== 'system')
      this.#respond(context, { reject: trap ? trapReject(canister.text, trap) : noReply(canister) });
    this.#closeContext(canister, context);
  }

  #apply(canister: Canister, context: CallContext, execution: Execution, unused: bigint): void {
    canister.cycles = execution.balance + unused;
    canister.version++;
    context.cyclesAvailable = execution.cyclesAvailable;
    if (execution.certifiedData) canister.certifiedData = execution.certifiedData;
    if (execution.globalTimer !== undefined) canister.globalTimer = execution.globalTimer;
    for (const call of execution.calls) this.#send(canister, context, call);
    this.#watchMemory(canister);
    if (execution.response) this.#respond(context, execution.response);
  }

  /** Queues on_low_wasm_memory once when less memory than `wasm_memory_threshold` is left to grow. */
  #watchMemory(canister: Canister): void {
    const { wasmMemoryLimit, wasmMemoryThreshold } = canister.settings;
    const low = wasmMemoryLimit - BigInt(canister.instance!.memoryBytes) < wasmMemoryThreshold;
    if (low && !canister.lowMemoryHookRan) this.#queue.push({ kind: 'task', to: canister, task: 'onLowWasmMemory' });
    canister.lowMemoryHookRan = low;
  }

  #send(canister: Canister, context: CallContext, call: Execution['calls'][number]): void {
    const { callee, method, onReply, onReject, onCleanup, payload, cycles, timeoutSeconds, reserved } = call;
    const deadline = timeoutSeconds === undefined ? 0n : this.time() + BigInt(timeoutSeconds) * 1_000_000_000n;
    const callback: Callback = {
      id: this.#nextId++,
      context,
      callee,
      onReply,
      onReject,
      onCleanup,
      cycles,
      reserved,
      deadline,
    };
    canister.callbacks.set(callback.id, callback);
    context.openCalls++;
    const to = callee.toText();
    canister.openCallsTo.set(to, (canister.openCallsTo.get(to) ?? 0) + 1);
    this.#queue.push({
      kind: 'request',
      callee,
      method,
      arg: new Uint8Array(Buffer.concat(payload)),
      caller: canister.canisterId,
      origin: { kind: 'canister', canister, callbackId: callback.id },
      cycles,
      deadline,
    });
  }

  #executeResponse({ to: canister, callbackId, response, refund }: ResponseMessage): void {
    const callback = canister.callbacks.get(callbackId);
    canister.cycles += refund;
    if (!callback || !canister.instance) return;
    const { context, callee, reserved } = callback;
    canister.callbacks.delete(callbackId);
    const to = callee.toText();
    canister.openCallsTo.set(to, canister.openCallsTo.get(to)! - 1);
    context.openCalls--;
    const bytes = 'reply' in response ? response.reply.length : response.reject.rejectMessage.length;
    const prepaid = executionFee(instructionLimits.update);
    canister.cycles += reserved - BigInt(bytes) * fees.callByte;
    const replied = 'reply' in response;
    const closure = replied ? callback.onReply : callback.onReject;
    const outcome = this.#executor.run({
      kind: replied ? 'replyCallback' : 'rejectCallback',
      context: replied ? 'Ry' : 'Rt',
      canister,
      caller: context.caller,
      callContext: context,
      arg: replied ? response.reply : undefined,
      reject: replied ? undefined : { code: response.reject.rejectCode, message: response.reject.rejectMessage },
      cyclesRefunded: refund,
      prepaid,
      enter: (instance) => instance.invoke(closure.fun, closure.env),
    });
    if (outcome.trap && callback.onCleanup) this.#cleanUp(canister, context, callback.onCleanup, outcome);
    this.#settle(canister, context, outcome, prepaid);
  }

  /** The callback trapped: its cleanup runs on what instructions are left. */
  #cleanUp(
    canister: Canister,
    context: CallContext,
    { fun, env }: { fun: number; env: number },
    callback: Outcome,
  ): void {
    const cleanup = this.#executor.run({
      kind: 'cleanup',
      context: 'C',
      canister,
      caller: context.caller,
      callContext: context,
      reject: callback.execution.reject,
      limit: Math.max(instructionLimits.update - callback.instructions, 0),
      enter: (instance) => instance.invoke(fun, env),
    });
    callback.instructions += cleanup.instructions;
    if (cleanup.trap) return;
    canister.cycles = cleanup.execution.balance;
    if (cleanup.execution.globalTimer !== undefined) canister.globalTimer = cleanup.execution.globalTimer;
  }

  #executeTask({ to: canister, task }: TaskMessage): void {
    const entryPoint = { timer: 'global_timer', heartbeat: 'heartbeat', onLowWasmMemory: 'on_low_wasm_memory' }[task];
    if (canister.status !== 'running' || !canister.instance?.has(`canister_${entryPoint}`)) return;
    const prepaid = this.#prepay(canister);
    if (prepaid === undefined) return;
    const origin: Origin = { kind: 'system' };
    const params = { origin, method: '', caller: managementCanisterId, deadline: 0n, cyclesAvailable: 0n };
    const context = this.#openContext(canister, params);
    const outcome = this.#executor.run({
      kind: task,
      context: 'T',
      canister,
      caller: managementCanisterId,
      callContext: context,
      prepaid,
      enter: (instance) => instance.call(`canister_${entryPoint}`),
    });
    this.#settle(canister, context, outcome, prepaid);
  }

  // ---- Rounds ----

  /** Queues the timers and heartbeats that are due. */
  #queueTasks(heartbeats: boolean): void {
    const now = this.time();
    for (const canister of this.#canisters.values()) {
      if (canister.globalTimer > 0n && canister.globalTimer <= now) {
        canister.globalTimer = 0n;
        this.#queue.push({ kind: 'task', to: canister, task: 'timer' });
      }
      if (heartbeats && canister.instance?.has('canister_heartbeat'))
        this.#queue.push({ kind: 'task', to: canister, task: 'heartbeat' });
      this.#giveUpCalls(canister, now);
    }
  }

  /** Best-effort calls whose deadline has passed are answered with a reject; the answer they may still get finds no callback. */
  #giveUpCalls(canister: Canister, now: bigint): void {
    for (const callback of canister.callbacks.values()) {
      if (callback.deadline === 0n || callback.deadline > now) continue;
      callback.deadline = 0n;
      const response = { reject: reject('IC0209', 'Call has timed out.') };
      this.#queue.push({ kind: 'response', to: canister, callbackId: callback.id, response, refund: 0n });
    }
  }

  /** Storage and compute allocation, paid for the time since the last round. */
  #chargeIdle(): void {
    const now = this.time();
    for (const canister of this.#canisters.values()) {
      const elapsed = now - canister.paidUntil;
      if (elapsed < 1_000_000_000n) continue;
      const bytes = Math.max(canister.storageBytes, Number(canister.settings.memoryAllocation));
      canister.cycles -= idleFee(bytes, canister.settings.computeAllocation, elapsed);
      canister.paidUntil = now;
    }
  }

  /**
   * Executes one round: timers and heartbeats that are due, then messages until there are none or the round is full (7 B instructions).
   * @returns how many messages were executed
   */
  async tick(): Promise<number> {
    if (this.#options.autoTick === false) this.#time += 1n;
    this.#chargeIdle();
    this.#queueTasks(true);
    this.#roundUsed = 0;
    let executed = 0;
    while (this.#queue.length > 0 && this.#roundUsed < roundInstructions) {
      this.#execute(this.#queue.shift()!);
      executed++;
      await yieldToEventLoop();
    }
    return executed;
  }

  /** Starts working, if it works by itself. */
  #wake(): void {
    if (this.#options.autoTick === false || this.#running || this.#stopped) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    await yieldToEventLoop();
    for (;;) {
      const now = Date.now();
      const heartbeats = now - this.#lastHeartbeat >= heartbeatMilliseconds;
      if (heartbeats) {
        this.#lastHeartbeat = now;
        this.#chargeIdle();
      }
      this.#queueTasks(heartbeats);
      const message = this.#queue.shift();
      if (!message || this.#stopped) break;
      this.#execute(message);
      await yieldToEventLoop();
    }
    this.#running = false;
    this.#sleep();
  }

  /** Wakes again for the next timer or heartbeat. */
  #sleep(): void {
    let milliseconds = Number.POSITIVE_INFINITY;
    const now = this.time();
    const at = (timestamp: bigint) => {
      if (timestamp > 0n) milliseconds = Math.min(milliseconds, Number((timestamp - now) / 1_000_000n) + 1);
    };
    for (const { globalTimer, instance, callbacks } of this.#canisters.values()) {
      at(globalTimer);
      for (const { deadline } of callbacks.values()) at(deadline);
      if (instance?.has('canister_heartbeat'))
        milliseconds = Math.min(milliseconds, this.#lastHeartbeat + heartbeatMilliseconds - Date.now());
    }
    if (this.#stopped || milliseconds === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#wake(), Math.min(Math.max(milliseconds, 0), longestTimeout));
    this.#timer.unref();
  }

  /** Stops working for good: no timer of this replica wakes again. */
  close(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  // ---- Verbs that wait for their answer ----

  /**
   * Sends an update call and waits for its reply.
   * @throws RejectError where the call is rejected
   * @example await replica.updateCall({ canisterId, method: 'inc', arg: new Uint8Array(IDL.encode([], [])) })
   */
  async updateCall(call: {
    canisterId: Principal;
    method: string;
    arg: Uint8Array;
    sender?: Principal;
  }): Promise<Uint8Array> {
    const ingress = this.#ingressOf(call);
    const refused = await this.submit(ingress);
    if (refused) throw new RejectError(refused);
    return this.#answer(ingress);
  }

  #ingressOf(call: { canisterId: Principal; method: string; arg: Uint8Array; sender?: Principal }): Ingress {
    const { canisterId, method, arg, sender = anonymous } = call;
    const requestId = new Uint8Array(
      createHash('sha256')
        .update(`call ${this.#requestCount++}`)
        .digest(),
    );
    return { sender, canisterId, methodName: method, arg, requestId, ingressExpiry: this.time() + ingressLifetime };
  }

  async #answer({ requestId, methodName }: Ingress): Promise<Uint8Array> {
    const status = await this.#ended(requestId, methodName);
    if (status.status === 'replied') return status.reply;
    if (status.status === 'rejected') throw new RejectError(status);
    throw new Error(`updateCall: expected the answer of ${methodName} to be kept, got status ${status.status}`);
  }

  async #ended(requestId: Uint8Array, method: string): Promise<RequestStatus> {
    for (;;) {
      const status = this.requestStatus(requestId)!;
      if (terminal(status)) return status;
      if (this.#options.autoTick !== false) await this.whenEnded(requestId, longestTimeout);
      else if ((await this.tick()) === 0)
        throw new Error(
          `updateCall: expected ${method} to end, got no message to execute any more; advance the time if it waits for a timer`,
        );
    }
  }

  /**
   * Makes a query call.
   * @throws RejectError where it is rejected
   */
  async queryCall(call: {
    canisterId: Principal;
    method: string;
    arg: Uint8Array;
    sender?: Principal;
  }): Promise<Uint8Array> {
    const { canisterId, method, arg, sender = anonymous } = call;
    const response = this.#query({ canisterId, methodName: method, arg, sender });
    if (response.status === 'rejected') throw new RejectError(response);
    return response.reply;
  }

  /** A call to the management canister that is not bound to the size of an ingress message. */
  // biome-ignore lint/suspicious/noExplicitAny: values of Candid
  async #manage(method: string, sender: Principal, value: any): Promise<any> {
    const { arg, result } = managementTypes[method];
    const bytes = new Uint8Array(IDL.encode(arg, [value]));
    const ingress = this.#ingressOf({ canisterId: managementCanisterId, method, arg: bytes, sender });
    this.#accept(ingress);
    return IDL.decode(result, (await this.#answer(ingress)) as Uint8Array<ArrayBuffer>)[0];
  }

  /**
   * Installs a module on a canister, gzipped or not.
   * @throws RejectError where the module breaks a rule or traps
   */
  async installCode(options: {
    canisterId: Principal;
    wasm: Uint8Array;
    arg?: Uint8Array;
    mode?: InstallMode;
    sender?: Principal;
  }): Promise<void> {
    const { canisterId, wasm, arg = new Uint8Array(IDL.encode([], [])), mode = 'install', sender } = options;
    const value = {
      mode: { [mode]: mode === 'upgrade' ? [] : null },
      canister_id: canisterId,
      wasm_module: wasm,
      arg,
      sender_canister_version: [],
    };
    await this.#manage('install_code', sender ?? this.#controller(canisterId), value);
  }

  /** Starts a canister that was stopped. */
  async startCanister(options: CanisterCall): Promise<void> {
    await this.#manageCanister('start_canister', options);
  }

  /** Stops a canister; resolves when its open calls have ended. */
  async stopCanister(options: CanisterCall): Promise<void> {
    await this.#manageCanister('stop_canister', options);
  }

  /** Takes a canister's code and memory away. */
  async uninstallCode(options: CanisterCall): Promise<void> {
    await this.#manageCanister('uninstall_code', options);
  }

  /** Deletes a canister that was stopped. */
  async deleteCanister(options: CanisterCall): Promise<void> {
    await this.#manageCanister('delete_canister', options);
  }

  /** What the management canister's `canister_status` answers, as Candid gives it. */
  // biome-ignore lint/suspicious/noExplicitAny: values of Candid
  async canisterStatus(options: CanisterCall): Promise<any> {
    return this.#manageCanister('canister_status', options);
  }

  // biome-ignore lint/suspicious/noExplicitAny: values of Candid
  #manageCanister(method: string, { canisterId, sender }: CanisterCall): Promise<any> {
    return this.#manage(method, sender ?? this.#controller(canisterId), { canister_id: canisterId });
  }

  #controller(canisterId: Principal): Principal {
    return this.#existing(canisterId).controllers[0] ?? anonymous;
  }
}
