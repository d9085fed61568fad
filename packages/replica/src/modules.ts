/**
 * From the bytes given to install_code to code that can be instantiated: unpack, check, rewrite, compile. Plumbing.
 */
import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { gunzipSync } from 'node:zlib';
import type { Code } from './canister.ts';
import { Trap } from './errors.ts';
import type { CanisterInfo } from './types.ts';
import { type InstrumentOptions, instrument } from './wasm/instrument.ts';
import { isWasm, type Module, parseModule } from './wasm/module.ts';
import { ModuleError, moduleLimits, validateModule } from './wasm/validate.ts';

// Tail calls are part of what the Internet Computer takes, and Node 20 has them behind a flag; hints for branches make page checks cheaper.
setFlagsFromString('--experimental-wasm-return-call');
setFlagsFromString('--experimental-wasm-branch-hinting');

/** Compiled code by SHA-256 of what was given; canisters of the same code share it. */
const cache = new Map<string, Code>();
const cacheSize = 16;

function unpack(wasm: Uint8Array): Uint8Array {
  if (wasm[0] !== 0x1f || wasm[1] !== 0x8b) return wasm;
  try {
    return gunzipSync(wasm, { maxOutputLength: moduleLimits.moduleBytes });
  } catch (error) {
    throw new Trap(
      'IC0505',
      `Canister's Wasm module is not valid: could not decompress it: ${(error as Error).message}`,
    );
  }
}

function metadata(module: Module): CanisterInfo['metadata'] {
  const sections: CanisterInfo['metadata'] = new Map();
  for (const { name, bytes } of module.custom) {
    const match = /^icp:(public|private) ([\s\S]+)$/.exec(name);
    if (match) sections.set(match[2], { visibility: match[1] as 'public' | 'private', content: bytes.slice() });
  }
  return sections;
}

/** Prepares a module, gzipped or not. @throws Trap IC0505 where it breaks a rule */
export function loadCode(given: Uint8Array, options: InstrumentOptions = {}): Code {
  const hash = new Uint8Array(createHash('sha256').update(given).digest());
  const key = Buffer.from(hash).toString('hex') + JSON.stringify(options);
  const known = cache.get(key);
  if (known) return known;
  const wasm = unpack(given);
  if (!isWasm(wasm))
    throw new Trap('IC0505', "Canister's Wasm module is not valid: expected Wasm or gzipped Wasm, got other bytes");
  try {
    validateModule(wasm);
    const module = parseModule(wasm);
    const instrumented = instrument(module, options);
    const compiled = { ...instrumented, module: new WebAssembly.Module(instrumented.wasm), wasm: new Uint8Array(0) };
    const code: Code = { compiled, hash, metadata: metadata(module), wasmBytes: given.length };
    if (cache.size >= cacheSize) cache.delete(cache.keys().next().value!);
    cache.set(key, code);
    return code;
  } catch (error) {
    if (
      error instanceof ModuleError ||
      error instanceof WebAssembly.CompileError ||
      (error as Error).message.startsWith('module:')
    )
      throw new Trap('IC0505', `Canister's Wasm module is not valid: ${(error as Error).message}`);
    throw error;
  }
}
