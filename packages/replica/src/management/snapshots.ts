/**
 * The methods of the management canister that are about snapshots.
 * Specification-like: interface specification, "IC method take_canister_snapshot" and those after it. Fees, the order
 * of the checks and the first sentence of each error: dfinity/ic, canister_manager.rs and canister_manager/types.rs.
 * Not here: its limit on how fast memory may change.
 */
import { createHash } from 'node:crypto';
import { Principal } from '@dfinity/principal';
import type { Canister } from '../canister.ts';
import { executionFee } from '../cycles.ts';
import type { GlobalValue } from '../instance.ts';
import { limits } from '../limits.ts';
import { PageMemory } from '../page-memory.ts';
import { contentBytes, type LowMemoryHook, Snapshot, type SnapshotContent } from '../snapshot.ts';
import { checkCycles, contentOf, snapshotBytes, snapshotFee } from '../snapshotting.ts';
import { pageBytes } from '../wasm/costs.ts';
import { moduleLimits } from '../wasm/validate.ts';
import { fail, find, type ManagementHost, type Method, type Value } from './host.ts';

/** Those that whoever the setting `snapshot_visibility` names may call; the others are for controllers. */
export const snapshotViews = [
  'list_canister_snapshots',
  'read_canister_snapshot_metadata',
  'read_canister_snapshot_data',
] as const;

/** Instructions for reading data, besides one for each byte. */
const readInstructions = 5_000_000;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Any canister's snapshot by its id, which ends in the id of the canister that it is of. */
function snapshotById(host: ManagementHost, id: Uint8Array): Snapshot | undefined {
  const owner = new Uint8Array(id).subarray(8);
  if (owner.length === 0 || owner.length > 29) return undefined;
  return host.canister(Principal.fromUint8Array(owner))?.snapshots.get(hex(id));
}

/** @throws Trap where the snapshot is not there, or is another canister's */
function ownSnapshot(host: ManagementHost, canister: Canister, id: Uint8Array): Snapshot {
  const snapshot = snapshotById(host, id) ?? notFound(canister, id);
  if (snapshot.owner.compareTo(canister.canisterId) !== 'eq')
    fail('IC0406', `The snapshot ${hex(id)} does not belong to canister ${canister.text}.`);
  return snapshot;
}

const notFound = (canister: Canister, id: Uint8Array): never =>
  fail('IC0305', `Could not find the snapshot ID ${hex(id)} for canister ${canister.text}.`);

/** The snapshot that a new one replaces, if one does. @throws Trap where there is no room for one more */
function replaced(host: ManagementHost, canister: Canister, [id]: [] | [Uint8Array]): Snapshot | undefined {
  if (id) return ownSnapshot(host, canister, id);
  if (canister.snapshots.size >= limits.snapshots)
    fail(
      'IC0406',
      `Canister ${canister.text} has reached the maximum number of snapshots allowed: ${limits.snapshots}.`,
    );
  return undefined;
}

/** Pays for a snapshot and keeps it, in the place of another one if there is one. */
function keep(canister: Canister, old: Snapshot | undefined, fee: bigint, content: SnapshotContent): Snapshot {
  canister.cycles -= fee;
  if (old) canister.snapshots.delete(old.text);
  const snapshot = new Snapshot(canister.canisterId, canister.nextSnapshot++, content);
  canister.snapshots.set(snapshot.text, snapshot);
  return snapshot;
}

const entry = ({ id, bytes, content }: Snapshot): Value => ({
  id,
  taken_at_timestamp: content.takenAt,
  total_size: BigInt(bytes),
});

const hookNames: Record<LowMemoryHook, string> = {
  notNeeded: 'condition_not_satisfied',
  ready: 'ready',
  executed: 'executed',
};

function metadataOf({ content }: Snapshot): Value {
  const { globalTimer: timer, lowMemoryHook: hook } = content;
  const timerValue = timer ? { active: timer } : { inactive: null };
  return {
    source: { [content.source]: null },
    taken_at_timestamp: content.takenAt,
    wasm_module_size: BigInt(content.wasm.length),
    globals: content.globals.map(({ type, value }) => ({ [type]: value })),
    wasm_memory_size: BigInt(content.heap.bytes),
    stable_memory_size: BigInt(content.stable.bytes),
    wasm_chunk_store: [...content.chunks.keys()].map((key) => ({ hash: Buffer.from(key, 'hex') })),
    canister_version: content.canisterVersion,
    certified_data: content.certifiedData,
    global_timer: timer === undefined ? [] : [timerValue],
    on_low_wasm_memory_hook_status: hook === undefined ? [] : [{ [hookNames[hook]]: null }],
  };
}

/** A memory's size in pages. @throws Trap where it cannot be one */
function pagesOf(name: string, error: string, bytes: bigint, most: number): number {
  if (bytes % BigInt(pageBytes) !== 0n) invalid(`${error}NotPageAligned`, name, `a multiple of ${pageBytes}`, bytes);
  if (bytes > BigInt(most)) invalid(`${error}TooLarge`, name, `at most ${most}`, bytes);
  return Number(bytes) / pageBytes;
}

function invalid(error: string, name: string, expected: string, got: bigint | number): never {
  return fail(
    'IC0408',
    `Snapshot Metadata contains invalid data: ${error}. Expected ${name} to be ${expected}, got ${got}.`,
  );
}

/** A snapshot whose data is still to come: all zero. @throws Trap */
function contentFrom(arg: Value, canister: Canister, now: bigint): SnapshotContent {
  const module = arg.wasm_module_size;
  if (module === 0n) invalid('WasmModuleEmpty', 'wasm_module_size', 'more than 0', module);
  const most = moduleLimits.moduleBytes;
  if (module > BigInt(most)) invalid('WasmModuleTooLarge', 'wasm_module_size', `at most ${most}`, module);
  const heap = pagesOf('wasm_memory_size', 'WasmMemory', arg.wasm_memory_size, limits.wasmMemory);
  const stable = pagesOf('stable_memory_size', 'StableMemory', arg.stable_memory_size, limits.stableBytes);
  const globals: GlobalValue[] = arg.globals.map((global: Value) => {
    const [[type, value]] = Object.entries(global) as [[GlobalValue['type'], number | bigint]];
    return { type, value };
  });
  const mostGlobals = moduleLimits.globals;
  if (globals.length > mostGlobals)
    invalid('ExportedGlobalsTooLarge', 'globals', `at most ${mostGlobals}`, globals.length);
  const certifiedData = new Uint8Array(arg.certified_data);
  const mostCertified = limits.certifiedDataBytes;
  if (certifiedData.length > mostCertified)
    invalid('CertifiedDataTooLarge', 'certified_data', `at most ${mostCertified} bytes`, certifiedData.length);
  const [timer] = arg.global_timer;
  const [hook] = arg.on_low_wasm_memory_hook_status;
  const hooks = Object.entries(hookNames) as [LowMemoryHook, string][];
  return {
    source: 'metadata_upload',
    takenAt: now,
    canisterVersion: canister.version,
    wasm: new Uint8Array(Number(module)),
    globals,
    heap: new PageMemory(heap),
    stable: new PageMemory(stable),
    chunks: new Map(),
    certifiedData,
    globalTimer: timer && (timer.active ?? 0n),
    lowMemoryHook: hook && hooks.find(([, name]) => name in hook)![0],
  };
}

/** @throws Trap where a range is not within so many bytes */
function checkRange(offset: bigint, size: bigint, bytes: number): void {
  if (offset + size > BigInt(bytes))
    fail(
      'IC0408',
      `Invalid subslice into wasm module / main memory / stable memory: offset: ${offset}, size: ${size}. Expected one within ${bytes} bytes.`,
    );
}

const sizeOf = (part: Uint8Array | PageMemory): number => (part instanceof PageMemory ? part.bytes : part.length);

/** The part of a snapshot that a kind of data names; undefined: its chunk store. */
function partOf(content: SnapshotContent, kind: Value): Uint8Array | PageMemory | undefined {
  const { wasm, heap, stable } = content;
  return 'wasm_module' in kind ? wasm : 'wasm_memory' in kind ? heap : 'stable_memory' in kind ? stable : undefined;
}

/** Charges for so many instructions. @throws Trap where the canister cannot pay */
function charge(canister: Canister, instructions: number): void {
  const fee = executionFee(instructions);
  checkCycles(canister, fee);
  canister.cycles -= fee;
}

function readData(canister: Canister, { content }: Snapshot, kind: Value): Uint8Array {
  const [{ offset, size, hash }] = Object.values(kind) as Value[];
  const part = partOf(content, kind);
  if (!part) {
    charge(canister, readInstructions + limits.chunkBytes);
    const key = hex(hash);
    return content.chunks.get(key) ?? fail('IC0504', `Error from Wasm chunk store: WasmChunkHash ${key} not found.`);
  }
  if (size > BigInt(limits.snapshotReadBytes))
    fail('IC0408', `Requested slice too large: ${size} > ${limits.snapshotReadBytes}`);
  charge(canister, readInstructions + Number(size));
  checkRange(offset, size, sizeOf(part));
  const [at, length] = [Number(offset), Number(size)];
  return part instanceof PageMemory ? part.read(at, length) : part.slice(at, at + length);
}

function writeData(canister: Canister, { content }: Snapshot, kind: Value, chunk: Uint8Array): void {
  const part = partOf(content, kind);
  charge(canister, part ? chunk.length : limits.chunkBytes);
  if (!part) {
    writeChunk(canister, content, chunk);
    return;
  }
  const [{ offset }] = Object.values(kind) as Value[];
  checkRange(offset, BigInt(chunk.length), sizeOf(part));
  if (part instanceof PageMemory) part.write(Number(offset), chunk);
  else part.set(chunk, Number(offset));
}

function writeChunk(canister: Canister, { chunks }: SnapshotContent, chunk: Uint8Array): void {
  const key = createHash('sha256').update(chunk).digest('hex');
  if (chunks.has(key)) return;
  const of = 'Error from Wasm chunk store:';
  if (chunk.length > limits.chunkBytes)
    fail('IC0504', `${of} expected a chunk of at most ${limits.chunkBytes} bytes, got ${chunk.length}`);
  if (chunks.size >= limits.chunks) fail('IC0504', `${of} expected at most ${limits.chunks} chunks, got one more`);
  checkCycles(canister, 0n, limits.chunkBytes);
  chunks.set(key, chunk);
}

export const snapshotMethods: Record<string, Method> = {
  take_canister_snapshot(host, _, arg) {
    const canister = find(host, arg.canister_id);
    const old = replaced(host, canister, arg.replace_snapshot);
    if (!canister.instance) fail('IC0406', `Failed to create snapshot for empty canister ${canister.text}:`);
    const bytes = snapshotBytes(canister);
    const fee = snapshotFee(bytes);
    const freed = arg.uninstall_code[0] ? canister.codeBytes : 0;
    checkCycles(canister, fee, bytes - (old?.bytes ?? 0) - freed);
    const snapshot = keep(canister, old, fee, contentOf(canister, host.time()));
    if (arg.uninstall_code[0]) host.uninstallCode(canister);
    return { result: entry(snapshot) };
  },
  load_canister_snapshot(host, { caller }, arg) {
    const canister = find(host, arg.canister_id);
    const snapshot = snapshotById(host, arg.snapshot_id) ?? notFound(canister, arg.snapshot_id);
    if (!find(host, snapshot.owner).isController(caller))
      fail(
        'IC0406',
        `Only a controller of the canister that snapshot ${snapshot.text} belongs to can load it on canister ${canister.text}. Sender: ${caller.toText()}.`,
      );
    host.loadSnapshot(canister, snapshot);
    return {};
  },
  list_canister_snapshots: (host, _, arg) => ({
    result: [...find(host, arg.canister_id).snapshots.values()].map(entry),
  }),
  delete_canister_snapshot(host, _, arg) {
    const canister = find(host, arg.canister_id);
    canister.snapshots.delete(ownSnapshot(host, canister, arg.snapshot_id).text);
    return {};
  },
  read_canister_snapshot_metadata: (host, _, arg) => ({
    result: metadataOf(ownSnapshot(host, find(host, arg.canister_id), arg.snapshot_id)),
  }),
  read_canister_snapshot_data(host, _, arg) {
    const canister = find(host, arg.canister_id);
    return { result: { chunk: readData(canister, ownSnapshot(host, canister, arg.snapshot_id), arg.kind) } };
  },
  upload_canister_snapshot_metadata(host, _, arg) {
    const canister = find(host, arg.canister_id);
    const content = contentFrom(arg, canister, host.time());
    const old = replaced(host, canister, arg.replace_snapshot);
    const bytes = contentBytes(content);
    const fee = snapshotFee(bytes);
    checkCycles(canister, fee, bytes - (old?.bytes ?? 0));
    return { result: { snapshot_id: keep(canister, old, fee, content).id } };
  },
  upload_canister_snapshot_data(host, _, arg) {
    const canister = find(host, arg.canister_id);
    const snapshot = ownSnapshot(host, canister, arg.snapshot_id);
    if (snapshot.content.source !== 'metadata_upload')
      fail('IC0409', 'Only canister snapshots created by metadata upload can be mutated.');
    writeData(canister, snapshot, arg.kind, new Uint8Array(arg.chunk));
    return {};
  },
};
