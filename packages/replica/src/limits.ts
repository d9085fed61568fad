/**
 * The Internet Computer's limits on execution, as data. Those on modules stand in wasm/validate.ts.
 * Specification-like: dfinity/ic `rs/config` (subnet_config.rs, execution_environment.rs, embedders.rs).
 */
const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

/** Instructions that one message may use. `install` holds for init, pre- and post-upgrade together. */
export const instructionLimits = {
  update: 40_000_000_000,
  query: 5_000_000_000,
  install: 300_000_000_000,
  inspect: 200_000_000,
  /** What runs in a round; a longer message is paused between two instructions, and goes on in the next round. */
  slice: 2_000_000_000,
} as const;

export const limits = {
  ingressBytes: 2 * MiB,
  replyBytes: 2 * MiB,
  queryReplyBytes: 3 * MiB,
  /** All canisters here are on one subnet. */
  callBytes: 10 * MiB,
  /** Open calls from one canister to another, or to itself. */
  queue: 500,
  stableBytes: 500 * GiB,
  wasmMemory: 4 * GiB,
  /** Default of the setting `wasm_memory_limit`. */
  wasmMemoryLimit: 3 * GiB,
  /** Stable memory that one message may touch, in bytes. */
  stableTouched: { update: 2 * GiB, query: 1 * GiB, install: 8 * GiB },
  certifiedDataBytes: 32,
  /** Smallest and largest `log_memory_limit`; the smallest is its default. */
  canisterLogBytes: 4 * KiB,
  canisterLogBytesMost: 2 * MiB,
  /** What is kept of the message a canister traps with. */
  trapMessageBytes: 16 * KiB,
  /** A chunk of the chunk store, which is also what each costs to keep; and how many there may be. */
  chunkBytes: MiB,
  chunks: 100,
  snapshots: 10,
  /** What `read_canister_snapshot_data` gives at a time. */
  snapshotReadBytes: 2_000_000,
  /** Environment variables, and characters in a name or a value. */
  environmentVariables: 20,
  environmentVariableLength: 128,
  /** How deep the calls of a composite query may nest. */
  queryCallDepth: 6,
  methodNameBytes: 20_000,
  /** Changes of a canister that its history keeps. */
  historyChanges: 20,
  /** Deadline of a best-effort call, in seconds. */
  bestEffortSeconds: 300,
} as const;
