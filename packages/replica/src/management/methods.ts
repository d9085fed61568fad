/**
 * What each method of the management canister does. Types stand in idl.ts, who may call in `access`.
 * Specification-like: interface specification, "The IC management canister".
 */
import { createHash } from 'node:crypto';
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import type { Canister, Response } from '../canister.ts';
import { fees } from '../cycles.ts';
import { reject, Trap, trapReject } from '../errors.ts';
import type { Installation, InstallMode } from '../install.ts';
import { limits } from '../limits.ts';
import type { Reject } from '../types.ts';
import {
  checkController,
  fail,
  find,
  type ManagementCall,
  type ManagementHost,
  type Method,
  type Value,
} from './host.ts';
import { managementTypes } from './idl.ts';
import { changedSettings, settingsFrom } from './settings.ts';
import { snapshotMethods, snapshotViews } from './snapshots.ts';
import { logsOf, statusOf } from './status.ts';

const provisionalCycles = 100_000_000_000_000n;

/** Who may call: only canisters, only controllers of the canister named, or anyone. */
const canistersOnly = ['create_canister', 'deposit_cycles', 'raw_rand', 'canister_metadata', 'fetch_canister_logs'];
const anyone = [...canistersOnly, 'provisional_create_canister_with_cycles', 'provisional_top_up_canister'];
/** Methods that can be asked outside replicated execution too: by users, and by composite queries. */
const queries = ['canister_status', 'fetch_canister_logs'];
/** Who may look, other than controllers, where a setting says so. */
const viewers: Record<string, (canister: Canister, caller: Principal) => boolean> = {
  canister_status: (canister, caller) =>
    caller.toText() === canister.text || canister.mayView(canister.settings.statusVisibility, caller),
  ...Object.fromEntries(
    snapshotViews.map((method) => [
      method,
      (canister: Canister, caller: Principal) => canister.mayView(canister.settings.snapshotVisibility, caller),
    ]),
  ),
};

/** Ids of canisters are eight bytes and 0101; others would be those of users, or of the management canister. */
const isCanisterId = (id: Principal): boolean => /^.{16}0101$/i.test(id.toHex());

/**
 * Whether someone may call a method that is about a canister: its controllers, and whom `viewers` lets look.
 * @throws Trap
 */
function checkAccess(method: string, canister: Canister, caller: Principal): void {
  if (!Object.hasOwn(viewers, method) || !viewers[method](canister, caller)) checkController(canister, caller);
}

/** Installs code as install_code does. @throws Trap */
export function installCode(host: ManagementHost, code: Installation): void {
  const { canister, mode, sender } = code;
  checkController(canister, sender);
  if (mode === 'install' && canister.code)
    fail(
      'IC0514',
      `Canister ${canister.text} cannot be installed because the canister is not empty. Use reinstall or upgrade.`,
    );
  if (mode === 'upgrade' && !canister.code) fail('IC0537', `Canister ${canister.text} has no Wasm module to upgrade`);
  const { trap } = host.installCode(code);
  if (trap) throw trap;
}

/** Code to install from what the argument of install_code and install_chunked_code have in common. */
function codeFrom(value: Value, canister: Canister, sender: Principal, wasm: Uint8Array): Installation {
  const options = value.mode.upgrade?.[0];
  const persistence = options?.wasm_memory_persistence[0];
  if (persistence && 'keep' in persistence)
    fail(
      'IC0504',
      'install_code: expected wasm_memory_persistence replace, got keep, which this replica does not have',
    );
  return {
    canister,
    mode: Object.keys(value.mode)[0] as InstallMode,
    wasm,
    arg: new Uint8Array(value.arg),
    sender,
    skipPreUpgrade: options?.skip_pre_upgrade[0],
  };
}

function joinChunks(store: Canister, value: Value): Uint8Array {
  const chunks = value.chunk_hashes_list.map(({ hash }: { hash: Uint8Array }) => {
    const key = Buffer.from(hash).toString('hex');
    return (
      store.chunks.get(key) ??
      fail('IC0504', `install_chunked_code: expected a stored chunk, got ${key}, which is not stored`)
    );
  });
  const wasm = new Uint8Array(Buffer.concat(chunks));
  const hash = createHash('sha256').update(wasm).digest('hex');
  const expected = Buffer.from(value.wasm_module_hash).toString('hex');
  if (hash !== expected) fail('IC0504', `install_chunked_code: expected chunks with hash ${expected}, got ${hash}`);
  return wasm;
}

const methods: Record<string, Method> = {
  create_canister(host, { caller, cycles }, arg) {
    if (cycles < fees.canisterCreation)
      fail('IC0403', `create_canister: expected at least ${fees.canisterCreation} cycles, got ${cycles}`);
    const created = host.createCanister({
      settings: settingsFrom(arg.settings[0], caller),
      cycles: cycles - fees.canisterCreation,
    });
    return { result: { canister_id: created.canisterId }, accepted: cycles };
  },
  provisional_create_canister_with_cycles(host, { caller }, arg) {
    const [specifiedId] = arg.specified_id;
    if (specifiedId && !isCanisterId(specifiedId))
      fail('IC0504', `specified_id: expected ten bytes that end in 0101, got ${specifiedId.toHex()}`);
    if (specifiedId && host.canister(specifiedId))
      fail('IC0504', `Canister ${specifiedId.toText()} is already installed`);
    const cycles = arg.amount[0] ?? provisionalCycles;
    return {
      result: {
        canister_id: host.createCanister({ settings: settingsFrom(arg.settings[0], caller), cycles, specifiedId })
          .canisterId,
      },
    };
  },
  provisional_top_up_canister(host, _, arg) {
    find(host, arg.canister_id).cycles += arg.amount;
    return {};
  },
  update_settings(host, _, arg) {
    const canister = find(host, arg.canister_id);
    canister.settings = changedSettings(canister.settings, arg.settings);
    canister.version++;
    host.settingsChanged(canister, arg.settings.controllers.length > 0);
    return {};
  },
  install_code(host, call, arg) {
    installCode(host, codeFrom(arg, find(host, arg.canister_id), call.caller, new Uint8Array(arg.wasm_module)));
    return {};
  },
  install_chunked_code(host, call, arg) {
    const target = find(host, arg.target_canister);
    const store = arg.store_canister[0] ? find(host, arg.store_canister[0]) : target;
    if (store !== target && store.text !== call.caller.toText()) checkController(store, call.caller);
    installCode(host, codeFrom(arg, target, call.caller, joinChunks(store, arg)));
    return {};
  },
  upload_chunk(host, { caller }, arg) {
    const canister = find(host, arg.canister_id);
    const chunk = new Uint8Array(arg.chunk);
    if (chunk.length > limits.chunkBytes)
      fail('IC0504', `upload_chunk: expected a chunk of at most ${limits.chunkBytes} bytes, got ${chunk.length}`);
    if (caller.toText() !== canister.text) checkController(canister, caller);
    const hash = createHash('sha256').update(chunk).digest();
    if (!canister.chunks.has(hash.toString('hex')) && canister.chunks.size >= limits.chunks)
      fail(
        'IC0504',
        `upload_chunk: expected at most ${limits.chunks} chunks, got one more; clear_chunk_store makes room`,
      );
    canister.chunks.set(hash.toString('hex'), chunk);
    return { result: { hash } };
  },
  stored_chunks(host, { caller }, arg) {
    const canister = find(host, arg.canister_id);
    if (caller.toText() !== canister.text) checkController(canister, caller);
    return { result: [...canister.chunks.keys()].map((hash) => ({ hash: Buffer.from(hash, 'hex') })) };
  },
  clear_chunk_store(host, { caller }, arg) {
    const canister = find(host, arg.canister_id);
    if (caller.toText() !== canister.text) checkController(canister, caller);
    canister.chunks.clear();
    return {};
  },
  uninstall_code(host, _, arg) {
    host.uninstallCode(find(host, arg.canister_id));
    return {};
  },
  start_canister(host, _, arg) {
    host.startCanister(find(host, arg.canister_id));
    return {};
  },
  stop_canister(host, call, arg) {
    host.stopCanister(find(host, arg.canister_id), (response) => call.respond(response));
    return 'later';
  },
  delete_canister(host, _, arg) {
    const canister = find(host, arg.canister_id);
    if (canister.status !== 'stopped')
      fail('IC0510', `Canister ${canister.text} must be stopped before it is deleted.`);
    host.deleteCanister(canister);
    return {};
  },
  canister_status: (host, _, arg) => ({ result: statusOf(find(host, arg.canister_id)) }),
  canister_metadata(host, { caller }, arg) {
    const canister = find(host, arg.canister_id);
    const section = canister.metadata.get(arg.name);
    if (section?.visibility === 'private') checkController(canister, caller);
    if (!section) fail('IC0504', `canister_metadata: expected metadata of canister ${canister.text}, got ${arg.name}`);
    return { result: { value: section.content } };
  },
  deposit_cycles(host, { cycles }, arg) {
    find(host, arg.canister_id).cycles += cycles;
    return { accepted: cycles };
  },
  raw_rand: (host) => ({ result: host.randomBytes() }),
  fetch_canister_logs(host, { caller }, arg) {
    const canister = find(host, arg.canister_id);
    if (!canister.mayView(canister.settings.logVisibility, caller)) checkController(canister, caller);
    return { result: logsOf(canister, arg.filter) };
  },
  ...snapshotMethods,
};

/** Names come from anyone: `toString` is no method. */
const isMethod = (name: string): boolean => Object.hasOwn(methods, name);

/** These check their own callers: a canister may ask about itself, or two canisters are concerned. */
const checksItself = ['upload_chunk', 'stored_chunks', 'clear_chunk_store', 'install_chunked_code'];

function decode(method: string, arg: Uint8Array): Value {
  try {
    return IDL.decode(managementTypes[method].arg, arg as Uint8Array<ArrayBuffer>)[0];
  } catch (error) {
    return fail('IC0504', `Error decoding candid: ${method}: ${(error as Error).message}`);
  }
}

/** The canister that a call to the management canister is about, if it names one. */
export function effectiveCanister(method: string, arg: Uint8Array): Principal | undefined {
  if (!isMethod(method) || managementTypes[method].arg.length === 0) return undefined;
  const value = decode(method, arg);
  return value.canister_id ?? value.target_canister;
}

/** Whether a user may send this to the management canister. @throws Trap where not */
export function checkIngress(host: ManagementHost, method: string, arg: Uint8Array, sender: Principal): void {
  if (!isMethod(method)) noMethod(method);
  if (canistersOnly.includes(method))
    fail('IC0406', `${method} can only be called by a canister, got an ingress message`);
  const id = effectiveCanister(method, arg);
  if (!id || anyone.includes(method)) return;
  checkAccess(method, find(host, id), sender);
}

/** Answers a query to the management canister. */
export function queryManagement(host: ManagementHost, query: Omit<ManagementCall, 'cycles' | 'respond'>): Response {
  if (!queries.includes(query.method))
    return { reject: reject('IC0536', `Management canister has no query method '${query.method}'`) };
  let answer: Response | undefined;
  callManagement(host, {
    ...query,
    cycles: 0n,
    respond: (response) => {
      answer = response;
    },
  });
  return answer!;
}

function noMethod(method: string): never {
  return fail('IC0536', `Management canister has no method '${method}'`);
}

/** Executes a call to the management canister. */
export function callManagement(host: ManagementHost, call: ManagementCall): void {
  try {
    const method = isMethod(call.method) ? methods[call.method] : noMethod(call.method);
    const types = managementTypes[call.method];
    const arg = types.arg.length > 0 ? decode(call.method, call.arg) : undefined;
    if (!anyone.includes(call.method) && !checksItself.includes(call.method))
      checkAccess(call.method, find(host, arg.canister_id ?? arg.target_canister), call.caller);
    const done = method(host, call, arg);
    if (done === 'later') return;
    const reply = IDL.encode(types.result, types.result.length > 0 ? [done.result] : []);
    call.respond({ reply: new Uint8Array(reply) }, done.accepted);
  } catch (error) {
    if (!(error instanceof Trap)) throw error;
    call.respond({ reject: managementReject(error, () => effectiveCanister(call.method, call.arg)) });
  }
}

/** The reject that comes of a trap: one of the canister's own names the canister. */
export function managementReject(trap: Trap, canisterId: () => Principal | undefined): Reject {
  const inCanister = ['IC0502', 'IC0503', 'IC0522', 'IC0539'].includes(trap.errorCode);
  const id = inCanister ? canisterId() : undefined;
  return id ? trapReject(id.toText(), trap) : reject(trap.errorCode, trap.message);
}

export const managementCanisterId = Principal.managementCanister();
export const isManagement = (id: Principal): boolean => id.compareTo(managementCanisterId) === 'eq';
