/**
 * The replica as its users see it: verbs to make, install, call and watch canisters, and what its HTTP interface needs
 * (`Core`). Not a consensus: one node, one subnet, one message at a time. Names of the verbs as in pic-js.
 */
import { createHash } from 'node:crypto';
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import type { Canister } from './canister.ts';
import { agentEnvelopeBytes } from './envelope-size.ts';
import { RejectError, reject, Trap } from './errors.ts';
import { ended, IngressHistory, longestTimeout } from './ingress-history.ts';
import type { InstallMode } from './install.ts';
import { managementTypes } from './management/idl.ts';
import {
  installCode,
  isManagement,
  managementCanisterId,
  managementReject,
  queryManagement,
} from './management/methods.ts';
import { MessageExecution } from './message-execution.ts';
import type { MessageRecord } from './messages.ts';
import { callNative, isNative } from './native-canisters.ts';
import { QueryGraph, type QueryHost } from './query-graph.ts';
import { Clock, Rounds } from './rounds.ts';
import { type NewCanister, Subnet, type SubnetOptions } from './subnet.ts';
import type { CanisterInfo, Core, Ingress, QueryResponse, Reject, Request, RequestStatus } from './types.ts';

export interface ReplicaOptions extends SubnetOptions {
  /** Executes messages by itself as long as there are any, and follows the clock. Default true; else `tick` does it. */
  autoTick?: boolean;
  /**
   * Milliseconds that it waits after each message, with `autoTick`. Default 0; the Internet Computer has a round of a
   * second or so.
   */
  messagePause?: number;
  /** Called with every executed message. */
  onMessage?: (record: MessageRecord) => void;
  /** How many records `messages` keeps; the oldest go first. Default 100,000. */
  keptMessages?: number;
}

export interface MethodCall {
  canisterId: Principal;
  method: string;
  /** Candid, as a rule: `new Uint8Array(IDL.encode(types, values))`. */
  arg: Uint8Array;
  /** Default: the anonymous principal. */
  sender?: Principal;
}

/** A canister, and who acts on it: its first controller if nobody is named. */
export interface CanisterCall {
  canisterId: Principal;
  sender?: Principal;
}

export interface CodeInstallation extends CanisterCall {
  /** A module, gzipped or not, of any size: there is no ingress message around it. */
  wasm: Uint8Array;
  /** Argument of init or post_upgrade; default: Candid's empty one. */
  arg?: Uint8Array;
  mode?: InstallMode;
}

// biome-ignore lint/suspicious/noExplicitAny: values of Candid have the types of management/idl.ts, which TypeScript does not see
type Value = any;

const ingressLifetime = 240_000_000_000n;
const anonymous = Principal.anonymous();

export class Replica implements Core {
  /** The executed messages, oldest first. */
  readonly messages: MessageRecord[] = [];
  readonly #options: ReplicaOptions;
  readonly #clock: Clock;
  readonly #subnet: Subnet;
  readonly #ingress = new IngressHistory();
  readonly #execution: MessageExecution;
  readonly #rounds: Rounds;
  readonly #queries: QueryHost;
  #instructions = 0;
  #requests = 0;

  /** @example const replica = new Replica({ seed: 1 }); const { url } = await serve(replica); */
  constructor(options: ReplicaOptions = {}) {
    this.#options = options;
    this.#clock = new Clock(options.autoTick !== false);
    this.#subnet = new Subnet(
      options,
      () => this.time(),
      (record) => this.#record(record),
    );
    this.#execution = new MessageExecution(this.#subnet, this.#ingress, () => this.#rounds.wake());
    this.#queries = {
      executor: this.#subnet.executor,
      canister: (id) => this.#subnet.canister(id),
      unfit: (id, canister) => this.#subnet.unfit(id, canister),
      queryManagement: (query) => queryManagement(this.#execution.management, query),
    };
    this.#rounds = new Rounds(
      this.#subnet,
      this.#execution,
      this.#clock,
      () => this.#instructions,
      options.messagePause,
    );
  }

  #record(record: MessageRecord): void {
    this.#instructions += record.instructions.total;
    this.messages.push(record);
    const kept = this.#options.keptMessages ?? 100_000;
    if (this.messages.length > kept * 1.1) this.messages.splice(0, this.messages.length - kept);
    this.#options.onMessage?.(record);
  }

  // ---- What a server sets, and canisters read ----

  get rootKey(): Uint8Array {
    return this.#subnet.rootKey;
  }

  set rootKey(key: Uint8Array) {
    this.#subnet.rootKey = key;
  }

  get subnetId(): Uint8Array {
    return this.#subnet.subnetId;
  }

  set subnetId(id: Uint8Array) {
    this.#subnet.subnetId = id;
  }

  get dataCertificate(): Core['dataCertificate'] {
    return this.#subnet.dataCertificate;
  }

  set dataCertificate(certificate: Core['dataCertificate']) {
    this.#subnet.dataCertificate = certificate;
  }

  // ---- Time and rounds ----

  /** Nanoseconds since 1970, as canisters see it. @example replica.time() / 1_000_000n */
  time(): bigint {
    return this.#clock.now();
  }

  /** Moves time on. @example replica.advanceTime(60_000); await replica.tick() */
  advanceTime(milliseconds: number): void {
    this.#clock.advance(BigInt(Math.round(milliseconds * 1_000_000)));
    this.#rounds.wake();
  }

  /**
   * Sets time.
   * @param time a date, or milliseconds since 1970
   * @example replica.setTime(new Date('2030-01-01'))
   */
  setTime(time: Date | number): void {
    this.#clock.advance(BigInt(Math.round(Number(time) * 1_000_000)) - this.time());
    this.#rounds.wake();
  }

  /**
   * Executes one round: timers and heartbeats that are due, then messages until there are none or the round is full (7
   * B instructions).
   * @returns how many messages were executed
   * @example while ((await replica.tick()) > 0);
   */
  tick(): Promise<number> {
    return this.#rounds.tick();
  }

  /** Stops working for good: no timer of this replica wakes again. @example afterAll(() => replica.close()) */
  close(): void {
    this.#rounds.close();
  }

  // ---- Canisters ----

  /** A canister as it is now: its cycles, settings, memories. @example replica.canister(canisterId)!.stable.size */
  canister(canisterId: Principal): Canister | undefined {
    return this.#subnet.canister(canisterId);
  }

  canisters(): Iterable<CanisterInfo> {
    return this.#subnet.canisters();
  }

  #existing(canisterId: Principal): Canister {
    const canister = this.canister(canisterId);
    if (!canister) throw new RejectError(reject('IC0301', `Canister ${canisterId.toText()} not found`));
    return canister;
  }

  /**
   * Makes an empty canister with 100 T cycles, or as many as are given.
   * @example const { canisterId } = replica.createCanister({ controllers: [me] })
   */
  createCanister(options: NewCanister = {}): Canister {
    return this.#subnet.createCanister(options);
  }

  /** @example replica.addCycles(canisterId, 1_000_000_000_000n) */
  addCycles(canisterId: Principal, amount: bigint): void {
    this.#existing(canisterId).cycles += amount;
    this.#rounds.wake();
  }

  /**
   * Installs a module on a canister, upgrades or reinstalls it.
   * @throws RejectError where the module breaks a rule, or init or an upgrade hook traps
   * @example await replica.installCode({ canisterId, wasm: await readFile('canister.wasm.gz') })
   */
  async installCode({ canisterId, sender, wasm, arg, mode = 'install' }: CodeInstallation): Promise<void> {
    try {
      installCode(this.#execution.management, {
        canister: this.#existing(canisterId),
        mode,
        wasm,
        arg: arg ?? new Uint8Array(IDL.encode([], [])),
        sender: sender ?? this.#controller(canisterId),
      });
    } catch (error) {
      throw error instanceof Trap ? new RejectError(managementReject(error, () => canisterId)) : error;
    }
    this.#rounds.wake();
  }

  /** Starts a canister that was stopped. @example await replica.startCanister({ canisterId }) */
  async startCanister(options: CanisterCall): Promise<void> {
    await this.#manageCanister('start_canister', options);
  }

  /** Stops a canister; resolves when its open calls have ended. @example await replica.stopCanister({ canisterId }) */
  async stopCanister(options: CanisterCall): Promise<void> {
    await this.#manageCanister('stop_canister', options);
  }

  /** Takes a canister's code and memory away. @example await replica.uninstallCode({ canisterId }) */
  async uninstallCode(options: CanisterCall): Promise<void> {
    await this.#manageCanister('uninstall_code', options);
  }

  /** Deletes a canister that was stopped. @example await replica.deleteCanister({ canisterId }) */
  async deleteCanister(options: CanisterCall): Promise<void> {
    await this.#manageCanister('delete_canister', options);
  }

  /**
   * What the management canister's `canister_status` answers. @example (await replica.canisterStatus({ canisterId
   * })).cycles
   */
  async canisterStatus(options: CanisterCall): Promise<Value> {
    return this.#manageCanister('canister_status', options);
  }

  #manageCanister(method: string, { canisterId, sender }: CanisterCall): Promise<Value> {
    const value = { canister_id: canisterId, sender_canister_version: [] };
    return this.#manage(method, sender ?? this.#controller(canisterId), value);
  }

  #controller(canisterId: Principal): Principal {
    return this.#existing(canisterId).controllers[0] ?? anonymous;
  }

  /** A call to the management canister that is not bound to the size of an ingress message. */
  async #manage(method: string, sender: Principal, value: Value): Promise<Value> {
    const { arg, result } = managementTypes[method];
    const bytes = new Uint8Array(IDL.encode(arg, [value]));
    const ingress = this.#ingressOf({ canisterId: managementCanisterId, method, arg: bytes, sender });
    this.#accept(ingress);
    return IDL.decode(result, (await this.awaitCall(ingress.requestId)) as Uint8Array<ArrayBuffer>)[0];
  }

  // ---- Calls ----

  /**
   * Sends an update call and waits for its reply. The canister pays for the envelope that an agent would send it in,
   * signed with an Ed25519 key: 295 bytes or so more than the argument and the method's name.
   * @throws RejectError where the call is rejected
   * @example await replica.updateCall({ canisterId, method: 'inc', arg: new Uint8Array(IDL.encode([], [])) })
   */
  async updateCall(call: MethodCall): Promise<Uint8Array> {
    return this.awaitCall(await this.submitCall(call));
  }

  /**
   * Sends an update call and does not wait.
   * @returns its request id, for `requestStatus` and `awaitCall`
   * @throws RejectError where it is refused at once
   * @example const id = await replica.submitCall(call); await replica.tick(); const reply = await replica.awaitCall(id)
   */
  async submitCall(call: MethodCall): Promise<Uint8Array> {
    const ingress = this.#ingressOf(call);
    const refused = await this.submit(ingress);
    if (refused) throw new RejectError(refused);
    return ingress.requestId;
  }

  /**
   * Waits for the reply of a call that was sent with `submitCall`. Without `autoTick` it executes rounds until the call
   * has ended.
   * @throws RejectError where it is rejected
   * @example const reply = await replica.awaitCall(await replica.submitCall(call))
   */
  async awaitCall(requestId: Uint8Array): Promise<Uint8Array> {
    for (;;) {
      const status = this.requestStatus(requestId);
      if (!status) throw new Error('awaitCall: expected the id of a request that was sent, got another');
      if (status.status === 'replied') return status.reply;
      if (status.status === 'rejected') throw new RejectError(status);
      if (ended(status)) throw new Error(`awaitCall: expected an answer, got status ${status.status}`);
      if (this.#clock.follows) await this.whenEnded(requestId, longestTimeout);
      else if ((await this.tick()) === 0)
        throw new Error(
          'awaitCall: expected the call to end, got no message to execute any more; advance the time if it waits for a timer',
        );
    }
  }

  /**
   * Makes a query call, composite queries too.
   * @throws RejectError where it is rejected
   * @example await replica.queryCall({ canisterId, method: 'get', arg: new Uint8Array(IDL.encode([], [])) })
   */
  async queryCall({ canisterId, method, arg, sender = anonymous }: MethodCall): Promise<Uint8Array> {
    const response = await this.query({ canisterId, methodName: method, arg, sender });
    if (response.status === 'rejected') throw new RejectError(response);
    return response.reply;
  }

  #ingressOf({ canisterId, method, arg, sender = anonymous }: MethodCall): Ingress {
    const id = createHash('sha256')
      .update(`call ${this.#requests++}`)
      .digest();
    const ingressExpiry = this.time() + ingressLifetime;
    return { sender, canisterId, methodName: method, arg, requestId: new Uint8Array(id), ingressExpiry };
  }

  async submit(ingress: Ingress): Promise<Reject | undefined> {
    this.#ingress.forgetOld(this.time());
    if (this.#ingress.has(ingress.requestId)) return undefined;
    const refused = this.#execution.refuse(ingress);
    if (!refused) this.#accept(ingress);
    return refused;
  }

  #accept(ingress: Ingress): void {
    const { canisterId: callee, methodName: method, arg, sender: caller } = ingress;
    const { envelopeBytes = agentEnvelopeBytes(ingress) } = ingress;
    const origin = { kind: 'ingress', requestId: this.#ingress.add(ingress), envelopeBytes } as const;
    this.#execution.enqueue({ kind: 'request', callee, method, arg, caller, origin, cycles: 0n, deadline: 0n });
  }

  /** How far a call is that was sent with `submitCall`. @example replica.requestStatus(id)?.status === 'processing' */
  requestStatus(requestId: Uint8Array): RequestStatus | undefined {
    return this.#ingress.status(requestId);
  }

  requestOrigin(requestId: Uint8Array): { sender: Principal; canisterId: Principal } | undefined {
    return this.#ingress.origin(requestId);
  }

  requestStatuses(): Iterable<[requestId: Uint8Array, RequestStatus]> {
    this.#ingress.forgetOld(this.time());
    return this.#ingress.statuses();
  }

  whenEnded(requestId: Uint8Array, milliseconds: number): Promise<void> {
    return this.#ingress.whenEnded(requestId, milliseconds);
  }

  async query({ canisterId, methodName: method, sender: caller, arg }: Request): Promise<QueryResponse> {
    const query = { canisterId, method, arg, caller };
    const native = !isManagement(canisterId) && isNative(this.#subnet, canisterId);
    const response = native ? callNative(this.#subnet, query, true) : new QueryGraph(this.#queries).call(query);
    return 'reply' in response ? { status: 'replied', ...response } : { status: 'rejected', ...response.reject };
  }
}
