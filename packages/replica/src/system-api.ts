/**
 * The system API: what each `ic0` function does, by its name. Signatures and allowed contexts stand in system-api.json.
 * Specification-like: interface specification 0.66, "System API". An argument is checked before anything is done with
 * it.
 */
import { Principal } from '@dfinity/principal';
import { principalKey } from './canister.ts';
import { callFee, fees, responseReservation } from './cycles.ts';
import { RejectCodes, reject, Trap } from './errors.ts';
import type { Context, Execution, OutgoingCall } from './execution.ts';
import { limits } from './limits.ts';
import api from './system-api.json' with { type: 'json' };
import { pageBytes, systemCallByteCost, systemCallCost } from './wasm/costs.ts';
import { notNative } from './wasm/instrument.ts';

type Argument = number | bigint;
/** Numbers arrive unsigned; `i64` as bigint. */
// biome-ignore lint/suspicious/noExplicitAny: each function takes the numbers of its own signature
type SystemCall = (e: Execution, ...args: any[]) => unknown;

const mask64 = (1n << 64n) - 1n;
/** Pages of 4 GiB. */
const stablePages32 = 65_536;
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const lossy = new TextDecoder();
const strict = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

export const contextNames: Record<Context, string> = {
  I: 'init',
  G: 'pre upgrade',
  U: 'update',
  RQ: 'replicated query',
  NRQ: 'non replicated query',
  TQ: 'transform query',
  CQ: 'composite query',
  Ry: 'reply callback',
  Rt: 'reject callback',
  CRy: 'composite reply callback',
  CRt: 'composite reject callback',
  C: 'cleanup',
  CC: 'composite cleanup',
  s: 'start',
  F: 'inspect message',
  T: 'system task',
};

/** Contexts in which each system call is allowed. */
export const allowedContexts: ReadonlyMap<string, ReadonlySet<Context>> = new Map(
  Object.entries(api.imports).map(([name, { contexts }]) => {
    const all = (Object.keys(contextNames) as Context[]).filter((context) => context !== 's');
    const expand = (letter: string) => (letter === '*' ? all : letter === 'Q' ? ['RQ', 'NRQ'] : [letter]) as Context[];
    return [name, new Set(contexts.flatMap(expand))];
  }),
);

function violation(message: string): never {
  throw new Trap('IC0504', `Canister violated contract: ${message}`);
}

/** Checks that bytes lie within so many. @param what in the system's own words */
function checkRange(what: string, from: number, length: number, most: number): void {
  if (from + length > most) violation(`${what}: src=${from} + length=${length} exceeds the slice size=${most}`);
}

/** The same where the system says it in a sentence. */
function checkSum(what: string, from: string, at: number, size: number, most: number): void {
  if (at + size > most)
    violation(
      `${what} failed because ${from} + size is out of bounds. Found ${from} = ${at} and size = ${size} while ${from} + size must be <= ${most}`,
    );
}

/** Bytes that the canister hands over. @param what in the system's own words, if they are out of bounds */
function read(e: Execution, what: string, pointer: number, size: number): Uint8Array {
  checkRange(what, pointer, size, e.instance.memoryBytes);
  return e.instance.view(pointer, size).slice();
}

/** Copies `source[offset .. offset + size]` to the canister's memory. @param what the source is called */
function copy(
  e: Execution,
  name: string,
  what: string,
  source: Uint8Array,
  target: number,
  offset: number,
  size: number,
): void {
  if (name === 'data_certificate_copy') {
    checkSum('ic0_data_certificate_copy', 'offset', offset, size, source.length);
    checkSum('ic0_data_certificate_copy', 'dst', target, size, e.instance.memoryBytes);
  } else {
    checkRange(`ic0.${name} heap`, target, size, e.instance.memoryBytes);
    checkRange(`ic0.${name} ${what}`, offset, size, source.length);
  }
  e.instance.view(target, size, true).set(source.subarray(offset, offset + size));
}

/** `<name>_size` and `<name>_copy` for some bytes. @param what they are called where they are too few */
function sizeAndCopy(
  name: string,
  what: string,
  bytes: (e: Execution, call: string) => Uint8Array,
): Record<string, SystemCall> {
  return {
    [`${name}_size`]: (e) => bytes(e, `${name}_size`).length,
    [`${name}_copy`]: (e, target: number, offset: number, size: number) =>
      copy(e, `${name}_copy`, what, bytes(e, `${name}_copy`), target, offset, size),
  };
}

function write128(e: Execution, name: string, target: number, value: bigint): void {
  const { memoryBytes } = e.instance;
  if (target + 16 > memoryBytes)
    violation(
      `ic0_${name} failed because dst + size is out of bounds.Found dst = ${target} and size = 16 while must be <= ${memoryBytes}`,
    );
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, value & mask64, true);
  view.setBigUint64(8, value >> 64n, true);
  e.instance.view(target, 16, true).set(bytes);
}

const amount = (high: bigint, low: bigint): bigint => (u64(high) << 64n) | u64(low);

function as64(name: string, value: bigint): bigint {
  if (value > mask64)
    throw new Trap('IC0502', `cycles amount exceeds 64-bit representation. ic0.${name}: got ${value}`);
  return value;
}

/** @param otherwise in the system's own words, if it is no UTF-8 */
function text(bytes: Uint8Array, otherwise: string): string {
  try {
    return strict.decode(bytes);
  } catch {
    return violation(otherwise);
  }
}

function principal(bytes: Uint8Array): Principal {
  if (bytes.length > 29)
    throw new Trap(
      'IC0504',
      `Canister provided invalid principal id. A principal has at most 29 bytes, got ${bytes.length}`,
    );
  return Principal.fromUint8Array(bytes);
}

function checkNotResponded(e: Execution, name: string): void {
  if (e.responded) violation(`ic0.${name}: the call is already replied`);
}

function checkPayload(e: Execution, name: string, size: number): void {
  const most = replyLimit(e);
  if (size > most) violation(`ic0.${name}: application payload size (${size}) cannot be larger than ${most}`);
}

function replyLimit(e: Execution): number {
  return ['NRQ', 'CQ', 'CRy', 'CRt', 'TQ'].includes(e.context) ? limits.queryReplyBytes : limits.replyBytes;
}

/** @param name as the system writes it there */
function pendingCall(e: Execution, name: string): OutgoingCall {
  return (
    e.pendingCall ?? violation(`${name} called when no call is under construction. ic0.call_new has to come before it`)
  );
}

function addCycles(e: Execution, name: string, cycles: bigint): void {
  const call = pendingCall(e, `ic0_${name}`);
  if (cycles > liquid(e))
    throw new Trap(
      'IC0504',
      `Canister ${e.canister.canisterId.toText()} is out of cycles. ic0.${name}: expected at most ${liquid(e)} cycles, got ${cycles}`,
    );
  e.balance -= cycles;
  call.cycles += cycles;
}

/** Cycles that came with the call and can still be accepted; the response takes what is left of them back. */
const available = (e: Execution): bigint => (e.responded ? 0n : e.cyclesAvailable);

function acceptCycles(e: Execution, maximum: bigint): bigint {
  const cycles = least(maximum, available(e));
  e.cyclesAvailable -= cycles;
  e.balance += cycles;
  return cycles;
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** Responses without a deadline that the calls of this message will await. */
const awaitedResponses = (e: Execution): number => e.calls.filter((call) => call.timeoutSeconds === undefined).length;

/** Cycles that may be spent without freezing the canister. */
function liquid(e: Execution): bigint {
  const free = e.balance - e.canister.freezingCyclesWith({ responses: awaitedResponses(e) });
  return free > 0n ? free : 0n;
}

/** Sends the call under construction, or says why not: 2 is the transient system error. */
function perform(e: Execution): number {
  const call = pendingCall(e, 'ic0.call_perform');
  const fee = callFee(call.payloadBytes + call.method.length) + responseReservation;
  const to = principalKey(call.callee);
  const opened = e.callsTo.get(to) ?? 0;
  if (fee > liquid(e) || !e.environment.queueHasRoom(e.canister, call.callee, opened)) {
    e.dropPendingCall();
    return RejectCodes.SYS_TRANSIENT;
  }
  e.balance -= fee;
  call.reserved = responseReservation;
  e.calls.push(call);
  e.callsTo.set(to, opened + 1);
  e.pendingCall = undefined;
  return 0;
}

const environmentVariables = (e: Execution): [string, string][] => [...e.canister.settings.environmentVariables];

function environmentVariable(e: Execution, index: number): string {
  const variables = environmentVariables(e);
  const [name] = variables[index] ?? [];
  if (name !== undefined) return name;
  throw new Trap(
    'IC0504',
    `Environment variable index ${index} is out of bounds. The number of environment variables is ${variables.length}`,
  );
}

/** @param what the name's bytes are called */
function environmentName(e: Execution, name: string, what: string, pointer: number, size: number): string {
  if (size > limits.environmentVariableLength)
    violation(
      `ic0.${name}: Variable name is too large. At most ${limits.environmentVariableLength} bytes, got ${size}`,
    );
  return text(read(e, `ic0.${name} ${what}`, pointer, size), `ic0.${name}: Variable name is not a valid UTF-8 string`);
}

function environmentValue(e: Execution, name: string): Uint8Array {
  const value = e.canister.settings.environmentVariables.get(name);
  if (value !== undefined) return encoder.encode(value);
  throw new Trap('IC0504', `Environment variable ${name} not found`);
}

/** What a canister pays for the log for bytes that it prints or traps with: for what is kept of them. */
function logCost(e: Execution, size: number): number {
  const capacity = Number(e.canister.settings.logMemoryLimit);
  const kept = Math.min(size, capacity);
  return 2 * kept + 50 * Math.min(kept, Math.max(capacity - e.logBytes, 0));
}

/**
 * What a canister prints or traps with, at most as much as its log holds: neither call traps for where its bytes lie.
 */
function printed(e: Execution, name: string, pointer: number, size: number): Uint8Array {
  const capacity = Number(e.canister.settings.logMemoryLimit);
  e.logBytes += Math.min(size, capacity);
  if (pointer + size > e.instance.memoryBytes) return encoder.encode(`(${name} message out of memory bounds)`);
  return e.instance.view(pointer, Math.min(size, Math.max(capacity, limits.trapMessageBytes))).slice();
}

const notInMode = (e: Execution, name: string): never =>
  violation(`"ic0_${name}" cannot be executed in ${contextNames[e.context]} mode`);

/** The certificate that a query sent from outside may read; the queries it calls and its callbacks have none. */
const certificate = (e: Execution): Uint8Array | undefined =>
  e.certified ? e.environment.dataCertificate(e.canister) : undefined;

/** The functions with offsets of 32 bits end where these do. */
function checkStable32({ canister }: Execution): void {
  if (canister.stable.size > stablePages32)
    throw new Trap('IC0502', '32 bit stable memory api used on a memory larger than 4GB. Use the 64-bit functions.');
}

/**
 * Cost of a signature by a threshold key: 26,153,846,153 cycles on the 34-node subnet that holds it, when asked from
 * here.
 */
const signatureFee = 26_153_846_153n;

function signatureCost(name: string, kinds: number): SystemCall {
  return (e, pointer: number, size: number, kind: number, target: number) => {
    const key = read(e, `ic0.${name} heap`, pointer, size);
    text(key, `Failed to decode key name ${lossy.decode(key)}`);
    if (kind >= kinds) return 1;
    write128(e, name, target, signatureFee);
    return 0;
  };
}

/** A call that writes a number of 128 bits where its last argument says. */
function number128(name: string, value: (e: Execution, ...args: bigint[]) => bigint): Record<string, SystemCall> {
  return {
    [name]: (e, ...args) => write128(e, name, args.at(-1), value(e, ...args.slice(0, -1))),
  };
}

/** The functions of the system API by name. */
export const systemApi: Record<string, SystemCall> = {
  ...sizeAndCopy('msg_arg_data', 'payload', (e) => e.arg),
  ...sizeAndCopy('msg_caller', 'id', (e) => e.caller.toUint8Array()),
  ...sizeAndCopy('msg_caller_info_data', 'data', () => new Uint8Array(0)),
  ...sizeAndCopy('msg_caller_info_signer', 'signer', () => new Uint8Array(0)),
  ...sizeAndCopy('msg_reject_msg', 'msg', (e) => encoder.encode(e.reject?.message ?? '')),
  ...sizeAndCopy('canister_self', 'id', (e) => e.canister.canisterId.toUint8Array()),
  ...sizeAndCopy('subnet_self', 'id', (e) => e.environment.subnetId),
  ...sizeAndCopy('msg_method_name', 'payload', (e) => encoder.encode(e.methodName)),
  ...sizeAndCopy('root_key', 'bytes', (e) => e.environment.rootKey),
  ...sizeAndCopy('data_certificate', 'certificate', (e, call) => certificate(e) ?? notInMode(e, call)),
  data_certificate_present: (e) => (certificate(e) === undefined ? 0 : 1),

  msg_reject_code: (e) => e.reject?.code ?? 0,
  msg_deadline: (e) => e.callContext?.deadline ?? 0n,

  msg_reply_data_append(e, pointer: number, size: number) {
    checkNotResponded(e, 'msg_reply_data_append');
    checkPayload(e, 'msg_reply_data_append', e.replyBytes + size);
    e.replyData.push(read(e, 'msg.reply', pointer, size));
    e.replyBytes += size;
  },
  msg_reply(e) {
    checkNotResponded(e, 'msg_reply');
    e.response = { reply: new Uint8Array(Buffer.concat(e.replyData)) };
  },
  msg_reject(e, pointer: number, size: number) {
    checkNotResponded(e, 'msg_reject');
    checkPayload(e, 'msg_reject', size);
    const message = text(read(e, 'ic0.msg_reject', pointer, size), 'ic0.msg_reject: invalid UTF-8 string provided');
    e.response = { reject: reject('IC0406', message) };
  },

  msg_cycles_available: (e) => as64('msg_cycles_available', available(e)),
  ...number128('msg_cycles_available128', available),
  msg_cycles_refunded: (e) => as64('msg_cycles_refunded', e.cyclesRefunded),
  ...number128('msg_cycles_refunded128', (e) => e.cyclesRefunded),
  msg_cycles_accept: (e, maximum: bigint) => acceptCycles(e, u64(maximum)),
  ...number128('msg_cycles_accept128', (e, high, low) => acceptCycles(e, amount(high!, low!))),
  ...number128('cycles_burn128', (e, high, low) => {
    const burned = least(amount(high!, low!), liquid(e));
    e.balance -= burned;
    return burned;
  }),
  canister_cycle_balance: (e) => as64('canister_cycle_balance', e.balance),
  ...number128('canister_cycle_balance128', (e) => e.balance),
  ...number128('canister_liquid_cycle_balance128', liquid),
  canister_status: (e) => ['running', 'stopping', 'stopped'].indexOf(e.canister.status) + 1,
  canister_version: (e) => e.canister.version,
  accept_message(e) {
    if (e.accepted) violation('ic0.accept_message: the function was already called');
    e.accepted = true;
  },

  call_new(
    e,
    calleePtr: number,
    calleeBytes: number,
    namePtr: number,
    nameBytes: number,
    replyFun: number,
    replyEnv: number,
    rejectFun: number,
    rejectEnv: number,
  ) {
    e.dropPendingCall();
    if (nameBytes > limits.methodNameBytes)
      violation(`Size of method_name ${nameBytes} exceeds the allowed limit of ${limits.methodNameBytes}`);
    const method = lossy.decode(read(e, 'ic0.call_new method_name', namePtr, nameBytes));
    e.pendingCall = {
      callee: principal(read(e, 'ic0.call_new callee_src', calleePtr, calleeBytes)),
      method,
      onReply: { fun: replyFun, env: replyEnv },
      onReject: { fun: rejectFun, env: rejectEnv },
      payload: [],
      payloadBytes: 0,
      cycles: 0n,
      reserved: 0n,
    };
  },
  call_on_cleanup(e, fun: number, env: number) {
    const call = pendingCall(e, 'ic0.call_on_cleanup');
    if (call.onCleanup)
      violation('ic0.call_on_cleanup can be called at most once between `ic0.call_new` and `ic0.call_perform`');
    call.onCleanup = { fun, env };
  },
  call_data_append(e, pointer: number, size: number) {
    const call = pendingCall(e, 'ic0.call_data_append');
    const bytes = encoder.encode(call.method).length + call.payloadBytes + size;
    if (bytes > limits.callBytes)
      violation(
        `Request to ${call.callee.toText()}:${call.method} has a payload size of ${bytes}, which exceeds the allowed limit of ${limits.callBytes}`,
      );
    call.payload.push(read(e, 'ic0.call_data_append', pointer, size));
    call.payloadBytes += size;
  },
  call_with_best_effort_response(e, timeoutSeconds: number) {
    const call = pendingCall(e, 'ic0.call_with_best_effort_response');
    if (call.timeoutSeconds !== undefined)
      violation('ic0_call_with_best_effort_response failed because a timeout is already set');
    call.timeoutSeconds = Math.min(timeoutSeconds, limits.bestEffortSeconds);
  },
  call_cycles_add: (e, cycles: bigint) => addCycles(e, 'call_cycles_add', u64(cycles)),
  call_cycles_add128: (e, high: bigint, low: bigint) => addCycles(e, 'call_cycles_add128', amount(high, low)),
  call_perform: perform,

  stable_size(e) {
    checkStable32(e);
    return e.canister.stable.size;
  },
  stable_grow(e, pages: number) {
    checkStable32(e);
    return e.canister.stable.size + pages > stablePages32 ? -1 : stableGrow(e, pages);
  },
  stable_write(e, offset: number, source: number, size: number) {
    checkStable32(e);
    e.canister.stable.checkBounds(offset, size);
    stableWrite(e, offset, source, size);
  },
  stable_read(e, target: number, offset: number, size: number) {
    if (size > 0) checkStable32(e);
    stableRead(e, target, offset, size);
  },
  stable64_size: (e) => BigInt(e.canister.stable.size),
  stable64_grow: (e, pages: bigint) => BigInt(stableGrow(e, Number(u64(pages)))),
  stable64_write: (e, offset: bigint, source: bigint, size: bigint) =>
    stableWrite(e, Number(u64(offset)), Number(u64(source)), Number(u64(size))),
  stable64_read: (e, target: bigint, offset: bigint, size: bigint) =>
    stableRead(e, Number(u64(target)), Number(u64(offset)), Number(u64(size))),

  certified_data_set(e, pointer: number, size: number) {
    if (size > limits.certifiedDataBytes)
      violation(
        `ic0_certified_data_set failed because the passed data must be no larger than ${limits.certifiedDataBytes} bytes. Found ${size} bytes`,
      );
    checkSum('ic0_certified_data_set', 'src', pointer, size, e.instance.memoryBytes);
    e.certifiedData = e.instance.view(pointer, size).slice();
  },
  time: (e) => e.environment.time,
  global_timer_set(e, timestamp: bigint) {
    const before = e.globalTimer ?? e.canister.globalTimer;
    e.globalTimer = u64(timestamp);
    return before;
  },
  performance_counter(e, kind: number) {
    if (kind > 1) violation(`Error getting performance counter type ${kind}`);
    return BigInt(e.meter.used + (kind === 1 ? e.instructionsBefore : 0));
  },
  is_controller: (e, pointer: number, size: number) =>
    e.canister.isController(principal(read(e, 'ic0.is_controller', pointer, size))) ? 1 : 0,
  in_replicated_execution: (e) => (['NRQ', 'CQ', 'CRy', 'CRt', 'CC', 'TQ', 'F'].includes(e.context) ? 0 : 1),

  ...number128(
    'cost_call',
    (_, nameBytes, payloadBytes) =>
      fees.call + (u64(nameBytes!) + u64(payloadBytes!)) * fees.callByte + responseReservation,
  ),
  ...number128('cost_create_canister', () => fees.canisterCreation),
  ...number128(
    'cost_http_request',
    (_, requestBytes, mostBytes) =>
      (3_000_000n + 60_000n * 13n + 400n * u64(requestBytes!) + 800n * u64(mostBytes!)) * 13n,
  ),
  cost_sign_with_ecdsa: signatureCost('cost_sign_with_ecdsa', 1),
  cost_sign_with_schnorr: signatureCost('cost_sign_with_schnorr', 2),
  cost_vetkd_derive_key: signatureCost('cost_vetkd_derive_key', 1),

  env_var_count: (e) => environmentVariables(e).length,
  env_var_name_size: (e, index: number) => encoder.encode(environmentVariable(e, index)).length,
  env_var_name_copy: (e, index: number, target: number, offset: number, size: number) =>
    copy(e, 'env_var_name_copy', 'name', encoder.encode(environmentVariable(e, index)), target, offset, size),
  env_var_name_exists(e, pointer: number, size: number) {
    const name = environmentName(e, 'env_var_name_exists', 'heap', pointer, size);
    return e.canister.settings.environmentVariables.has(name) ? 1 : 0;
  },
  env_var_value_size: (e, pointer: number, size: number) =>
    environmentValue(e, environmentName(e, 'env_var_value_size', 'heap', pointer, size)).length,
  env_var_value_copy(e, namePtr: number, nameBytes: number, target: number, offset: number, size: number) {
    const name = environmentName(e, 'env_var_value_copy', 'name', namePtr, nameBytes);
    copy(e, 'env_var_value_copy', 'value', environmentValue(e, name), target, offset, size);
  },

  debug_print(e, pointer: number, size: number) {
    e.logs.push(printed(e, 'debug_print', pointer, size));
  },
  trap(e, pointer: number, size: number) {
    throw new Trap('IC0503', lossy.decode(printed(e, 'trap', pointer, size)));
  },
};

/** Fails like a lack of room where the canister could not keep so much over its freezing threshold. */
function stableGrow(e: Execution, pages: number): number {
  if (e.canister.freezingCyclesWith({ bytes: pages * pageBytes }) > e.balance) return -1;
  return e.canister.stable.grow(pages);
}

/** Stable memory's bounds and limits are checked before the heap's; of no bytes, none. */
function stableWrite(e: Execution, offset: number, source: number, size: number): void {
  if (size === 0) return;
  e.canister.stable.checkAccess(offset, size);
  e.canister.stable.write(offset, e.instance.view(source, size));
}

function stableRead(e: Execution, target: number, offset: number, size: number): void {
  if (size === 0) return;
  e.canister.stable.checkAccess(offset, size);
  e.canister.stable.read(offset, e.instance.view(target, size, true));
}

const unsigned = (value: Argument): Argument => (typeof value === 'number' ? value >>> 0 : value);

/**
 * Which arguments of a system call are bytes that are paid for: those that it is handed, by its signature's last one if
 * nothing else is said.
 */
const byteArguments: Record<string, readonly number[]> = {
  call_new: [1, 3],
  cost_sign_with_ecdsa: [1],
  cost_sign_with_schnorr: [1],
  cost_vetkd_derive_key: [1],
};
for (const name of Object.keys(systemApi))
  if (
    /_copy$|^(msg_reply|call)_data_append$|^msg_reject$|^is_controller$|^certified_data_set$|^stable(64)?_(read|write)$/.test(
      name,
    )
  )
    byteArguments[name] = [api.imports[name as keyof typeof api.imports].params.length - 1];

/** What a call costs for the bytes that it is handed, before anything about it is checked. */
function bytesCost(name: string): (e: Execution, args: readonly Argument[]) => number {
  if (name === 'debug_print') return (e, [, size]) => logCost(e, Number(size));
  if (name === 'trap') return (e, [, size]) => Number(size) + logCost(e, Number(size));
  const [which = [], each] = [byteArguments[name], systemCallByteCost(name)];
  const count = (value: Argument): number => Number(typeof value === 'bigint' ? u64(value) : value);
  return (_, args) => which.reduce((sum, i) => sum + count(args[i]!) * each, 0);
}

/**
 * The functions that an instance imports. Each is paid for first; then it is checked that it may be called in the
 * context of the message in hand, and it does its work. Calls to stable memory also have a stand-in, for imports that
 * are not made native.
 * @param current the message in hand
 */
export function systemApiImports(current: () => Execution): WebAssembly.ModuleImports {
  const imports: WebAssembly.ModuleImports = {};
  for (const [name, call] of Object.entries(systemApi)) {
    const [fixed, ofBytes] = [systemCallCost(name), bytesCost(name)];
    const allowed = allowedContexts.get(name)!;
    imports[name] = (...given: Argument[]) => {
      const e = current();
      const args = given.map(unsigned);
      e.meter.chargeSystemCall(fixed + ofBytes(e, args));
      if (!allowed.has(e.context)) notInMode(e, name);
      return call(e, ...args);
    };
    if (name.startsWith('stable'))
      imports[notNative(name)] = () => {
        throw new Trap('IC0503', `ic0.${name} is implemented natively in Wasm`);
      };
  }
  return imports;
}
