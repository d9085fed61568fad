/**
 * The queue of messages and what executing each does: requests, responses, system tasks; their cycles, call contexts
 * and callbacks. When messages are executed is for rounds.ts to say; one is executed at a time, in the order in which
 * they were queued. Specification-like: interface specification, "Call context", "Message execution", "Response".
 */
import {
  type Callback,
  type CallContext,
  type Canister,
  type Closure,
  type Origin,
  principalKey,
  type Response,
} from './canister.ts';
import { executionFee, fees } from './cycles.ts';
import { reject, trapReject } from './errors.ts';
import type { Execution, OutgoingCall } from './execution.ts';
import type { Outcome } from './executor.ts';
import { chargeIngress, outOfCycles, refuse } from './induction.ts';
import type { IngressHistory } from './ingress-history.ts';
import { instructionLimits } from './limits.ts';
import type { ManagementHost } from './management/host.ts';
import { callManagement, isManagement, managementCanisterId } from './management/methods.ts';
import type { Message, RequestMessage, ResponseMessage, TaskMessage } from './messages.ts';
import { callNative, isNative } from './native-canisters.ts';
import { noMethod, noReply } from './query-graph.ts';
import type { Subnet } from './subnet.ts';
import type { Ingress, Reject } from './types.ts';

/** Cycles for an update message with all its instructions. */
const wholeMessage = executionFee(instructionLimits.update);

const taskEntryPoints = {
  timer: 'canister_global_timer',
  heartbeat: 'canister_heartbeat',
  onLowWasmMemory: 'canister_on_low_wasm_memory',
} as const;

export class MessageExecution {
  readonly queue: Message[] = [];
  /** What the management canister has answered to canisters in this round; they get it in the next. */
  readonly #answered: Message[] = [];
  readonly #subnet: Subnet;
  readonly #ingress: IngressHistory;
  readonly #wake: () => void;
  #nextId = 1;
  /** What the management canister may do here. */
  readonly management: ManagementHost;

  /** @param wake called when there is a message where there was none */
  constructor(subnet: Subnet, ingress: IngressHistory, wake: () => void) {
    this.#subnet = subnet;
    this.#ingress = ingress;
    this.#wake = wake;
    this.management = {
      canister: (id) => subnet.canister(id),
      createCanister: (options) => subnet.createCanister(options),
      deleteCanister: (canister) => subnet.deleteCanister(canister),
      installCode: (installation) => {
        const result = subnet.installCode(installation);
        this.#watchMemory(installation.canister);
        return result;
      },
      time: () => subnet.time(),
      loadSnapshot: (canister, snapshot) => {
        subnet.loadSnapshot(canister, snapshot);
        this.#watchMemory(canister);
      },
      settingsChanged: (canister, newControllers) => {
        if (newControllers) canister.recordChange(canister.controllers.length);
        canister.trimLogs();
        this.#watchMemory(canister);
      },
      uninstallCode: (canister) => this.#uninstall(canister),
      stopCanister: (canister, stopped) => subnet.stopCanister(canister, stopped),
      startCanister: (canister) => subnet.startCanister(canister),
      randomBytes: () => subnet.randomBytes(),
    };
  }

  enqueue(message: Message): void {
    this.queue.push(message);
    this.#wake();
  }

  /** Whether something waits for the next round. */
  get isOwed(): boolean {
    return this.#answered.length > 0;
  }

  /** A round begins: canisters get what the management canister answered in the last one. */
  beginRound(): void {
    this.queue.push(...this.#answered.splice(0));
  }

  execute(message: Message): void {
    if (message.kind === 'request') this.#executeRequest(message);
    else if (message.kind === 'response') this.#executeResponse(message);
    else this.#executeTask(message);
  }

  /** Why an update request from outside is not taken up, if it is not. */
  refuse(request: Ingress): Reject | undefined {
    return refuse(this.#subnet, this.management, request);
  }

  /** Whether a canister has such a task's entry point, runs, and can pay. */
  mayRun(task: TaskMessage['task'], canister: Canister): boolean {
    return canister.status === 'running' && canister.instance?.has(taskEntryPoints[task]) === true && canPay(canister);
  }

  /** Queues the timers that are due, heartbeats if asked to, and rejects for the best-effort calls that are overdue. */
  enqueueTasks(now: bigint, heartbeats: boolean): void {
    for (const canister of this.#subnet.canisters()) {
      this.#queueLowMemoryHook(canister);
      if (canister.globalTimer > 0n && canister.globalTimer <= now && this.mayRun('timer', canister)) {
        if (!canister.timerQueued) this.queue.push({ kind: 'task', to: canister, task: 'timer' });
        canister.timerQueued = true;
      }
      if (heartbeats && this.mayRun('heartbeat', canister))
        this.queue.push({ kind: 'task', to: canister, task: 'heartbeat' });
      for (const callback of canister.callbacks.values()) {
        if (callback.deadline === 0n || callback.deadline > now) continue;
        callback.deadline = 0n;
        const response = { reject: reject('IC0601', 'Call has timed out.') };
        this.queue.push({ kind: 'response', to: canister, callbackId: callback.id, response, refund: 0n });
      }
    }
  }

  #executeRequest(message: RequestMessage): void {
    const { callee, method, arg, caller, origin, cycles, deadline } = message;
    if (origin.kind === 'ingress') {
      this.#ingress.startProcessing(origin.requestId);
      const request = { canisterId: callee, methodName: method, arg, sender: caller };
      chargeIngress(this.#subnet, request, origin.envelopeBytes);
    }
    if (isManagement(callee)) {
      this.#callManagement(message);
      return;
    }
    if (isNative(this.#subnet, callee)) {
      this.#deliver(origin, callNative(this.#subnet, { canisterId: callee, method, arg, caller }, false), cycles);
      return;
    }
    const canister = this.#subnet.canister(callee);
    const unfit = this.#subnet.unfit(callee, canister) ?? tooFewCycles(canister!, message);
    if (unfit && unfit.errorCode !== 'IC0537') {
      this.#deliver(origin, { reject: unfit }, cycles);
      return;
    }
    if (!canPay(canister!)) {
      this.#deliver(origin, { reject: outOfCycles(canister!) }, cycles);
      return;
    }
    const update = canister!.instance?.has(`canister_update ${method}`) === true;
    const entryPoint = update ? `canister_update ${method}` : `canister_query ${method}`;
    if (!canister!.instance?.has(entryPoint)) {
      // an execution is paid for before the method, or the module, is looked for
      canister!.charge(executionFee(0));
      this.#deliver(origin, { reject: unfit ?? noMethod(canister!, 'update', method) }, cycles);
      return;
    }
    const context = this.#openContext(canister!, {
      origin,
      method,
      caller,
      deadline: update ? deadline : 0n,
      cyclesAvailable: cycles,
    });
    const outcome = this.#subnet.executor.run({
      kind: update ? 'update' : 'query',
      context: update ? 'U' : 'RQ',
      canister: canister!,
      caller,
      callContext: context,
      method,
      arg,
      prepaid: wholeMessage,
      changes: update ? 'commit' : 'discard',
      enter: (instance) => instance.call(entryPoint),
    });
    this.#settle(canister!, context, outcome);
  }

  #callManagement({ method, arg, caller, origin, cycles }: RequestMessage): void {
    const respond = (response: Response, accepted = 0n) =>
      this.#deliver(origin, response, cycles - accepted, this.#answered);
    callManagement(this.management, { method, arg, caller, cycles, respond });
    this.#wake();
  }

  #executeResponse({ to: canister, callbackId, response, refund }: ResponseMessage): void {
    canister.cycles += refund;
    const callback = canister.callbacks.get(callbackId);
    if (!callback) return;
    const { context, reserved } = callback;
    const replied = 'reply' in response;
    this.#closeCall(canister, callback);
    const bytes = replied ? response.reply.length : Buffer.byteLength(response.reject.rejectMessage);
    canister.cycles += reserved - BigInt(bytes) * fees.callByte;
    if (context.deleted) {
      this.#closeContext(canister, context);
      return;
    }
    const { fun, env } = replied ? callback.onReply : callback.onReject;
    const outcome = this.#subnet.executor.run({
      kind: replied ? 'replyCallback' : 'rejectCallback',
      context: replied ? 'Ry' : 'Rt',
      canister,
      caller: context.caller,
      callContext: context,
      arg: replied ? response.reply : undefined,
      reject: replied ? undefined : { code: response.reject.rejectCode, message: response.reject.rejectMessage },
      cyclesRefunded: refund,
      prepaid: wholeMessage,
      enter: (instance) => instance.invoke(fun, env),
    });
    if (outcome.trap && callback.onCleanup) this.#cleanUp(canister, context, callback.onCleanup, outcome);
    this.#settle(canister, context, outcome);
  }

  /** The call has its answer: its callback is gone, its place in the queue is free. */
  #closeCall(canister: Canister, { id, callee, context }: Callback): void {
    canister.callbacks.delete(id);
    const to = principalKey(callee);
    canister.openCallsTo.set(to, canister.openCallsTo.get(to)! - 1);
    context.openCalls--;
  }

  /** The callback trapped: its cleanup runs on what instructions are left, which are paid for with the callback. */
  #cleanUp(canister: Canister, context: CallContext, { fun, env }: Closure, callback: Outcome): void {
    const cleanup = this.#subnet.executor.run({
      kind: 'cleanup',
      context: 'C',
      canister,
      caller: context.caller,
      callContext: context,
      reject: callback.execution.reject,
      prepaid: wholeMessage,
      limit: Math.max(instructionLimits.update - callback.instructions, 0),
      enter: (instance) => instance.invoke(fun, env),
    });
    callback.instructions += cleanup.instructions;
    if (cleanup.trap) return;
    canister.cycles = cleanup.execution.balance + wholeMessage;
    canister.version++;
    if (cleanup.execution.globalTimer !== undefined) canister.globalTimer = cleanup.execution.globalTimer;
  }

  #executeTask({ to: canister, task }: TaskMessage): void {
    const runs = this.mayRun(task, canister);
    if (task === 'timer') {
      canister.timerQueued = false;
      // What was executed meanwhile may have stopped the canister, changed its code or set the timer: it stays as it is
      // now.
      if (!runs || canister.globalTimer === 0n || canister.globalTimer > this.#subnet.time()) return;
      canister.globalTimer = 0n;
    }
    if (!runs) return;
    const caller = managementCanisterId;
    const params = { origin: { kind: 'system' } as Origin, method: '', caller, deadline: 0n, cyclesAvailable: 0n };
    const context = this.#openContext(canister, params);
    const outcome = this.#subnet.executor.run({
      kind: task,
      context: 'T',
      canister,
      caller,
      callContext: context,
      prepaid: wholeMessage,
      enter: (instance) => instance.call(taskEntryPoints[task]),
    });
    this.#settle(canister, context, outcome);
  }

  #openContext(
    canister: Canister,
    params: Omit<CallContext, 'id' | 'responded' | 'deleted' | 'openCalls' | 'instructions'>,
  ): CallContext {
    const context = { ...params, id: this.#nextId++, responded: false, deleted: false, openCalls: 0, instructions: 0 };
    canister.callContexts.set(context.id, context);
    return context;
  }

  /** Applies what a message did, or the lack of it, answers where nothing more can come, and closes its context. */
  #settle(canister: Canister, context: CallContext, { execution, trap, instructions }: Outcome): void {
    const fee = executionFee(instructions);
    if (trap) canister.cycles -= fee;
    else this.#apply(canister, context, execution, wholeMessage - fee);
    if (context.openCalls > 0) return;
    if (!context.responded && context.origin.kind !== 'system')
      this.#respond(context, { reject: trap ? trapReject(canister.text, trap) : noReply(canister) });
    this.#closeContext(canister, context);
  }

  #closeContext(canister: Canister, context: CallContext): void {
    if (context.openCalls > 0) return;
    canister.callContexts.delete(context.id);
    this.#subnet.finishStopping(canister);
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

  /**
   * Schedules on_low_wasm_memory when less memory than `wasm_memory_threshold` is left to grow, once until there is
   * more again.
   */
  #watchMemory(canister: Canister): void {
    if (!canister.lacksWasmMemory) canister.lowMemoryHook = 'notNeeded';
    else if (canister.lowMemoryHook === 'notNeeded') canister.lowMemoryHook = 'ready';
    this.#queueLowMemoryHook(canister);
  }

  /** It goes before what waits already. */
  #queueLowMemoryHook(canister: Canister): void {
    if (canister.lowMemoryHook !== 'ready' || !this.mayRun('onLowWasmMemory', canister)) return;
    canister.lowMemoryHook = 'executed';
    this.queue.unshift({ kind: 'task', to: canister, task: 'onLowWasmMemory' });
  }

  #send(canister: Canister, context: CallContext, call: OutgoingCall): void {
    const { callee, method, payload, timeoutSeconds, cycles, reserved, onReply, onReject, onCleanup } = call;
    const deadline = timeoutSeconds === undefined ? 0n : this.#subnet.time() + BigInt(timeoutSeconds) * 1_000_000_000n;
    const id = this.#nextId++;
    const bestEffort = timeoutSeconds !== undefined;
    canister.callbacks.set(id, { id, context, callee, onReply, onReject, onCleanup, reserved, deadline, bestEffort });
    context.openCalls++;
    const to = principalKey(callee);
    canister.openCallsTo.set(to, (canister.openCallsTo.get(to) ?? 0) + 1);
    this.enqueue({
      kind: 'request',
      callee,
      method,
      arg: new Uint8Array(Buffer.concat(payload)),
      caller: canister.canisterId,
      origin: { kind: 'canister', canister, callbackId: id },
      cycles,
      deadline,
    });
  }

  /** Sends the response of a call context to whoever called, with the cycles that were not accepted. */
  #respond(context: CallContext, response: Response): void {
    context.responded = true;
    const refund = context.cyclesAvailable;
    context.cyclesAvailable = 0n;
    this.#deliver(context.origin, response, refund);
  }

  #deliver(origin: Origin, response: Response, refund: bigint, queue = this.queue): void {
    if (origin.kind === 'ingress') this.#ingress.respond(origin.requestId, response);
    else if (origin.kind === 'canister') {
      queue.push({ kind: 'response', to: origin.canister, callbackId: origin.callbackId, response, refund });
      this.#wake();
    }
  }

  /**
   * Open calls are answered; their contexts stay until the calls that they made have come back, with cycles but without
   * callbacks.
   */
  #uninstall(canister: Canister): void {
    for (const context of [...canister.callContexts.values()]) {
      if (!context.responded && context.origin.kind !== 'system')
        this.#respond(context, { reject: reject('IC0406', 'Canister has been uninstalled.') });
      context.deleted = true;
      this.#closeContext(canister, context);
    }
    this.#subnet.removeCode(canister);
    this.#subnet.finishStopping(canister);
  }
}

const canPay = (canister: Canister): boolean => canister.liquidCycles >= wholeMessage;

/** Another canister's call must bring as many cycles as the callee's settings say. */
function tooFewCycles({ text, settings }: Canister, { origin, cycles }: RequestMessage): Reject | undefined {
  const minimum = settings.minimumIncomingCanisterCallCycles;
  if (origin.kind !== 'canister' || origin.canister.text === text || cycles >= minimum) return undefined;
  return reject('IC0520', `Canister ${text} requires at least ${minimum} cycles with a call, got ${cycles}`);
}
