import { buildCanister } from '../build/canister.ts';
import { BenchCanister } from './bench-canister.ts';

/** Builds the canister, if need be, and installs it on a replica of its own. */
export const installBuilt = async (): Promise<BenchCanister> =>
  await BenchCanister.install((await buildCanister('llm')).gz);
