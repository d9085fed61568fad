/**
 * How a snapshot of a canister is taken and loaded. Who may do so is for management/snapshots.ts to say.
 * Specification-like: interface specification, "IC method take_canister_snapshot", "IC method load_canister_snapshot";
 * fees and order of the checks of dfinity/ic, canister_manager.rs.
 */
import type { Canister } from './canister.ts';
import { executionFee } from './cycles.ts';
import { Trap } from './errors.ts';
import type { Executor } from './executor.ts';
import { compile } from './install.ts';
import type { GlobalValue } from './instance.ts';
import { limits } from './limits.ts';
import { contentBytes, type LowMemoryHook, type Snapshot, type SnapshotContent } from './snapshot.ts';
import { StableMemory } from './stable-memory.ts';

/** Instructions for taking, loading or beginning to upload a snapshot, besides one for each byte of it. */
const baseInstructions = 2_000_000_000;
/** What a snapshot of a canister with code would hold. */
export function contentOf(canister: Canister, now: bigint): SnapshotContent {
  const instance = canister.instance!;
  return {
    source: 'taken_from_canister',
    takenAt: now,
    canisterVersion: canister.version,
    wasm: canister.code!.given,
    globals: instance.globalValues(),
    heap: instance.committed(),
    stable: canister.stable.committed(),
    chunks: new Map(canister.chunks),
    certifiedData: canister.certifiedData,
    globalTimer: canister.globalTimer,
    lowMemoryHook: canister.lowMemoryHook,
  };
}

/** Bytes that a snapshot of a canister with code would have. */
export function snapshotBytes({ instance, code, stable, chunks, certifiedData }: Canister): number {
  const content = { wasm: code!.given, globals: instance!.globalValues(), certifiedData };
  const memories = { heap: { bytes: instance!.memoryBytes }, stable: { bytes: stable.bytes } };
  return contentBytes({ ...content, ...memories } as SnapshotContent) + chunks.size * limits.chunkBytes;
}

/** What making a snapshot of so many bytes costs, in cycles. */
export const snapshotFee = (bytes: number): bigint => executionFee(baseInstructions + bytes);

/** Whether a canister can pay a fee and keep `moreBytes` more than it has, over its freezing threshold. @throws Trap */
export function checkCycles(canister: Canister, fee: bigint, moreBytes = 0): void {
  const keeps = canister.freezingCyclesWith({ bytes: moreBytes });
  if (canister.cycles < keeps)
    throw new Trap(
      'IC0532',
      `Canister cannot grow memory by ${Math.max(moreBytes, 0)} bytes due to insufficient cycles. ` +
        `At least ${keeps - canister.cycles} additional cycles are required.`,
    );
  const missing = keeps + fee - canister.cycles;
  if (missing > 0n)
    throw new Trap(
      'IC0207',
      `Canister snapshotting failed with: \`Canister ${canister.text} is out of cycles: ` +
        `please top up the canister with at least ${missing} additional cycles\``,
    );
}

const inconsistent = (message: string): Trap => new Trap('IC0408', message);

/** Of an uploaded snapshot: whether its globals are those of its module, as far as types say. */
function checkGlobals(expected: readonly GlobalValue[], got: readonly GlobalValue[]): void {
  const types = (globals: readonly GlobalValue[]) => globals.map(({ type }) => type).join();
  if (types(expected) !== types(got))
    throw inconsistent(
      `Wasm exported globals of canister module and snapshot metadata do not match. Expected ${types(expected) || 'none'}, got ${types(got) || 'none'}.`,
    );
}

/** Of an uploaded snapshot: whether its hook can be in that state, given how much memory the canister then has left. */
function checkHook(canister: Canister, hook: LowMemoryHook): void {
  const satisfied = canister.lacksWasmMemory;
  if ((hook !== 'notNeeded') !== satisfied)
    throw inconsistent(
      `Hook status (${hook}) of uploaded snapshot is inconsistent with the canister's state (hook condition satisfied: ${satisfied}).`,
    );
}

/**
 * Loads a snapshot of this canister or another one into a canister. All of it happens or nothing, and then it costs
 * nothing. The timer and the hook stay what they are, but where an uploaded snapshot says what they shall be.
 * @throws Trap
 */
export function loadSnapshot(
  executor: Executor,
  canister: Canister,
  { content, bytes }: Snapshot,
  compiledBefore: Set<string>,
): void {
  const baseFee = executionFee(baseInstructions);
  checkCycles(canister, baseFee);
  const { instructions, code, refused } = compile(executor, content.wasm, compiledBefore);
  if (!code) throw refused;
  const instance = executor.instantiate(code.compiled);
  const uploaded = content.source === 'metadata_upload';
  if (uploaded) checkGlobals(instance.globalValues(), content.globals);
  if (!instance.restore(content.heap, content.globals))
    throw inconsistent(`Expected a heap that the module can have, got ${content.heap.bytes} bytes.`);
  const stable = new StableMemory(executor.meter, executor.rules);
  stable.replace(content.stable);

  const before = { instance: canister.instance, code: canister.code, stable: canister.stable, chunks: canister.chunks };
  Object.assign(canister, { instance, code, stable, chunks: new Map(content.chunks) });
  const fee = baseFee + executionFee(instructions + bytes);
  try {
    if (uploaded && content.lowMemoryHook) checkHook(canister, content.lowMemoryHook);
    checkCycles(canister, fee);
  } catch (error) {
    Object.assign(canister, before);
    throw error;
  }
  canister.cycles -= fee;
  canister.certifiedData = content.certifiedData;
  if (uploaded) {
    canister.globalTimer = content.globalTimer ?? canister.globalTimer;
    canister.lowMemoryHook = content.lowMemoryHook ?? canister.lowMemoryHook;
  }
  canister.version++;
  canister.recordChange();
}
