/**
 * Canisters' code as one test file has compiled it, for the files after it: to rewrite and compile the llm canister
 * anew takes each of them some six seconds, and code that has run for a while is fast code. The files are threads of
 * one process (vitest.config.ts), as a compiled module can be handed to a thread but not to a process.
 */
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import type { Code } from '../../packages/replica/src/canister.ts';
import { compiledCode } from '../../packages/replica/src/modules.ts';

const NAME = 'compiled canisters';

/** For the main thread, as vitest's global setup: keeps what threads share, and gives it to those that begin later. */
export default function keep(): () => void {
  const kept = new Map<string, Code>();
  const channel = new BroadcastChannel(NAME);
  channel.onmessage = (event) => {
    const [key, code] = (event as MessageEvent<[string, Code]>).data;
    kept.set(key, code);
    setEnvironmentData(NAME, kept);
  };
  return () => channel.close();
}

/** Runs `install`, which finds the code that other threads have compiled; what it compiles itself is shared. */
export async function sharingCode<T>(install: () => Promise<T>): Promise<T> {
  const known = (getEnvironmentData(NAME) ?? new Map()) as unknown as ReadonlyMap<string, Code>;
  for (const [key, code] of known) if (!compiledCode.has(key)) compiledCode.set(key, code);
  const before = new Set(compiledCode.keys());
  const installed = await install();
  const channel = new BroadcastChannel(NAME);
  for (const entry of compiledCode) if (!before.has(entry[0])) channel.postMessage(entry);
  channel.close();
  return installed;
}
