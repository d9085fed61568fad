/**
 * What a snapshot of a canister holds. How one is taken and loaded is snapshotting.ts. Specification-like: interface
 * specification, "IC method take_canister_snapshot", "IC method read_canister_snapshot_metadata".
 */
import type { Principal } from '@dfinity/principal';
import type { GlobalValue } from './instance.ts';
import { limits } from './limits.ts';
import type { PageMemory } from './page-memory.ts';

/** Bytes that a global counts for. dfinity/ic has the size of a Rust type here, which is its own affair. */
const globalBytes = 8;

/** Whether `canister_on_low_wasm_memory` is to run. */
export type LowMemoryHook = 'notNeeded' | 'ready' | 'executed';

export interface SnapshotContent {
  source: 'taken_from_canister' | 'metadata_upload';
  /** Nanoseconds since 1970. */
  takenAt: bigint;
  canisterVersion: bigint;
  /** The module as it was given to install_code. */
  wasm: Uint8Array;
  globals: GlobalValue[];
  heap: PageMemory;
  stable: PageMemory;
  chunks: Map<string, Uint8Array>;
  certifiedData: Uint8Array;
  /** 0: not set; absent: nothing was uploaded about it. */
  globalTimer?: bigint;
  lowMemoryHook?: LowMemoryHook;
}

export class Snapshot {
  /** The canister's count in eight bytes, then its id. */
  readonly id: Uint8Array;

  constructor(
    readonly owner: Principal,
    number: bigint,
    readonly content: SnapshotContent,
  ) {
    const count = Buffer.alloc(8);
    count.writeBigUInt64BE(number);
    this.id = new Uint8Array(Buffer.concat([count, owner.toUint8Array()]));
  }

  /** The id in hexadecimal, as `icp` shows it. */
  get text(): string {
    return Buffer.from(this.id).toString('hex');
  }

  /** Bytes that storage is charged for. */
  get bytes(): number {
    const { chunks } = this.content;
    return contentBytes(this.content) + chunks.size * limits.chunkBytes;
  }
}

/** Bytes of a snapshot but for its chunk store. */
export const contentBytes = ({ wasm, heap, stable, globals, certifiedData }: SnapshotContent): number =>
  wasm.length + heap.bytes + stable.bytes + globals.length * globalBytes + certifiedData.length;
