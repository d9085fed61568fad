/**
 * The queue of messages and what executing each does: requests, responses, system tasks; their cycles, call contexts and callbacks.
 * When messages are executed is for rounds.ts to say; one is executed at a time, in the order in which they were queued.
 * Specification-like: interface specification, "Call context", "Message execution", "Response".
 */
import type { Principal } from '@dfinity/principal';
import {
  type Callback,
  type CallContext,
  type Canister,
  type Closure,
  type Origin,
  principalKey,
  type Response,
} from './canister.ts';
import { executionFee, fees, ingressFee } from './cycles.ts';
import { asTrap, reject, Trap, trapReject } from './errors.ts';
import type { Execution, OutgoingCall } from './execution.ts';
import type { Outcome } from './executor.ts';
import type { IngressHistory } from './ingress-history.ts';
import { instructionLimits, limits } from './limits.ts';
import {
  callManagement,
  checkIngress,
  effectiveCanister,
  type ManagementHost,
  managementCanisterId,
} from './management/methods.ts';
import type { Message, RequestMessage, ResponseMessage, TaskMessage } from './messages.ts';
import { callNative, isNative } from './native-canisters.ts';
import { noMethod, noReply } from './query-graph.ts';
import type { Subnet } from './subnet.ts';
import type { Reject, Request } from './types.ts';

const isManagement = (id: Principal): boolean => id.compareTo(managementCanisterId) === 'eq';
/** Cycles for an update message with all its instructions. */
const wholeMessage = executionFee(instructionLimits.update);

export class MessageExecution {
  readonly queue: Message[] = [];
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
      installCode: (installation) => subnet.installCode(installation),
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

  execute(message: Message): void {
    if (message.kind === 'request') this.#executeRequest(message);
    else if (message.kind === 'response') this.#executeResponse(message);
    else this.#executeTask(message);
  }

  /** What an update request from outside must pass before it is queued: the canister exists and pays, its `inspect_message` accepts. */
  refuse(request: Request): Reject | undefined {
    const { canisterId, methodName, arg, sender } = request;
    try {
      if (arg.length > limits.ingressBytes)
        throw new Trap(
          'IC0516',
          `expected an ingress message of at most ${limits.ingressBytes} bytes, got ${arg.length}`,
        );
      if (isManagement(canisterId)) {
        checkIngress(this.management, methodName, arg, sender);
        return undefined;
      }
    } catch (error) {
      const { errorCode, message } = asTrap(error);
      return reject(errorCode, message);
    }
    if (isNative(this.#subnet, canisterId)) return undefined;
    const canister = this.#subnet.canister(canisterId);
    const unfit = this.#subnet.unfit(canisterId, canister);
    if (unfit) return unfit;
    const fee = ingressFee(arg.length + methodName.length);
    if (canister!.cycles - canister!.freezingCycles < fee) return outOfCycles(canister!);
    return this.#inspect(canister!, request);
  }

  #inspect(canister: Canister, { methodName, arg, sender }: Request): Reject | undefined {
    if (!canister.instance!.has('canister_inspect_message')) return undefined;
    const { execution, trap } = this.#subnet.executor.run({
      kind: 'inspectMessage',
      context: 'F',
      canister,
      caller: sender,
      method: methodName,
      arg,
      limit: instructionLimits.inspect,
      changes: 'discard',
      enter: (instance) => instance.call('canister_inspect_message'),
    });
    if (trap) return trapReject(canister.text, trap);
    return execution.accepted ? undefined : reject('IC0406', 'Canister rejected the message');
  }

  /** Queues the timers that are due, heartbeats if asked to, and rejects for the best-effort calls that are overdue. */
  enqueueTasks(now: bigint, heartbeats: boolean): void {
    for (const canister of this.#subnet.canisters()) {
      if (canister.globalTimer > 0n && canister.globalTimer <= now) {
        canister.globalTimer = 0n;
        this.queue.push({ kind: 'task', to: canister, task: 'timer' });
      }
      if (heartbeats && canister.instance?.has('canister_heartbeat'))
        this.queue.push({ kind: 'task', to: canister, task: 'heartbeat' });
      for (const callback of canister.callbacks.values()) {
        if (callback.deadline === 0n || callback.deadline > now) continue;
        callback.deadline = 0n;
        const response = { reject: reject('IC0209', 'Call has timed out.') };
        this.queue.push({ kind: 'response', to: canister, callbackId: callback.id, response, refund: 0n });
      }
    }
  }

  #executeRequest(message: RequestMessage): void {
    const { callee, method, arg, caller, origin, cycles, deadline } = message;
    if (origin.kind === 'ingress') this.#ingress.startProcessing(origin.requestId);
    if (isManagement(callee)) {
      this.#callManagement(message);
      return;
    }
    if (isNative(this.#subnet, callee)) {
      this.#deliver(origin, callNative(this.#subnet, { canisterId: callee, method, arg, caller }, false), cycles);
      return;
    }
    const canister = this.#subnet.canister(callee);
    const unfit = this.#subnet.unfit(callee, canister);
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
    if (!canPay(canister!)) {
      this.#deliver(origin, { reject: outOfCycles(canister!) }, cycles);
      return;
    }
    const context = this.#openContext(canister!, { origin, method, caller, deadline, cyclesAvailable: cycles });
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
    if (origin.kind === 'ingress') this.#chargeManagementIngress(method, arg);
    const respond = (response: Response, accepted = 0n) => this.#deliver(origin, response, cycles - accepted);
    callManagement(this.management, { method, arg, caller, cycles, respond });
    this.#wake();
  }

  /** The canister that a management call from outside is about pays for it. */
  #chargeManagementIngress(method: string, arg: Uint8Array): void {
    const id = effectiveCanister(method, arg);
    const canister = id && this.#subnet.canister(id);
    if (canister) canister.cycles -= ingressFee(arg.length + method.length);
  }

  #executeResponse({ to: canister, callbackId, response, refund }: ResponseMessage): void {
    canister.cycles += refund;
    const callback = canister.callbacks.get(callbackId);
    if (!callback || !canister.instance) return;
    const { context, reserved } = callback;
    const replied = 'reply' in response;
    this.#closeCall(canister, callback);
    const bytes = replied ? response.reply.length : response.reject.rejectMessage.length;
    canister.cycles += reserved - BigInt(bytes) * fees.callByte;
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

  /** The callback trapped: its cleanup runs on what instructions are left. */
  #cleanUp(canister: Canister, context: CallContext, { fun, env }: Closure, callback: Outcome): void {
    const cleanup = this.#subnet.executor.run({
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
    if (canister.status !== 'running' || !canister.instance?.has(`canister_${entryPoint}`) || !canPay(canister)) return;
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
      enter: (instance) => instance.call(`canister_${entryPoint}`),
    });
    this.#settle(canister, context, outcome);
  }

  #openContext(
    canister: Canister,
    params: Omit<CallContext, 'id' | 'responded' | 'openCalls' | 'instructions'>,
  ): CallContext {
    const context = { ...params, id: this.#nextId++, responded: false, openCalls: 0, instructions: 0 };
    canister.callContexts.set(context.id, context);
    return context;
  }

  /** Applies what a message did, or the lack of it, and closes its context where nothing more can come. */
  #settle(canister: Canister, context: CallContext, { execution, trap, instructions }: Outcome): void {
    const fee = executionFee(instructions);
    if (trap) canister.cycles -= fee;
    else this.#apply(canister, context, execution, wholeMessage - fee);
    if (context.openCalls > 0) return;
    if (!context.responded && context.origin.kind !== 'system')
      this.#respond(context, { reject: trap ? trapReject(canister.text, trap) : noReply(canister) });
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

  /** Queues on_low_wasm_memory once when less memory than `wasm_memory_threshold` is left to grow. */
  #watchMemory(canister: Canister): void {
    const { wasmMemoryLimit, wasmMemoryThreshold } = canister.settings;
    const low = wasmMemoryLimit - BigInt(canister.instance!.memoryBytes) < wasmMemoryThreshold;
    if (low && !canister.lowMemoryHookRan) this.queue.push({ kind: 'task', to: canister, task: 'onLowWasmMemory' });
    canister.lowMemoryHookRan = low;
  }

  #send(canister: Canister, context: CallContext, call: OutgoingCall): void {
    const { callee, method, payload, timeoutSeconds, cycles, reserved, onReply, onReject, onCleanup } = call;
    const deadline = timeoutSeconds === undefined ? 0n : this.#subnet.time() + BigInt(timeoutSeconds) * 1_000_000_000n;
    const id = this.#nextId++;
    canister.callbacks.set(id, { id, context, callee, onReply, onReject, onCleanup, reserved, deadline });
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

  #deliver(origin: Origin, response: Response, refund: bigint): void {
    if (origin.kind === 'ingress') this.#ingress.respond(origin.requestId, response);
    else if (origin.kind === 'canister')
      this.enqueue({ kind: 'response', to: origin.canister, callbackId: origin.callbackId, response, refund });
  }

  #uninstall(canister: Canister): void {
    for (const context of canister.callContexts.values()) {
      if (!context.responded) this.#respond(context, { reject: reject('IC0406', 'Canister has been uninstalled.') });
    }
    this.#subnet.removeCode(canister);
    this.#subnet.finishStopping(canister);
  }
}

function canPay(canister: Canister): boolean {
  return canister.cycles - canister.freezingCycles >= wholeMessage;
}

function outOfCycles({ text }: Canister): Reject {
  return reject('IC0207', `Canister ${text} is out of cycles: please top up the canister`);
}
