/**
 * From the bytes given to install_code to code that can be instantiated: unpack, check, rewrite, compile. Plumbing.
 */
import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { gunzipSync } from 'node:zlib';
import type { Code } from './canister.ts';
import { Trap } from './errors.ts';
import type { CanisterInfo } from './types.ts';
import { compileCost, perCompiledInstruction } from './wasm/compile-cost.ts';
import { type InstrumentOptions, instrument } from './wasm/instrument.ts';
import { isWasm, type Module } from './wasm/module.ts';
import { ModuleError, moduleLimits, validateModule } from './wasm/validate.ts';

// Tail calls are part of what the Internet Computer takes, and Node 20 has them behind a flag; hints for branches make
// page checks cheaper.
setFlagsFromString('--experimental-wasm-return-call');
setFlagsFromString('--experimental-wasm-branch-hinting');

/** Compiled code by SHA-256 of what was given; canisters of the same code share it. */
export const compiledCode = new Map<string, Code>();
const cacheSize = 16;

/** Whether these are gzip's bytes. */
const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** What a module that is refused is charged for: as if each byte, packed or unpacked, were an instruction. */
export function refusedModuleCost(given: Uint8Array): number {
  // gzip ends in the unpacked size, which nobody has checked then
  const unpacked =
    isGzip(given) && given.length > 4
      ? new DataView(given.buffer, given.byteOffset).getUint32(given.length - 4, true)
      : 0;
  return perCompiledInstruction * Math.max(given.length, unpacked);
}

function unpack(wasm: Uint8Array): Uint8Array {
  if (!isGzip(wasm)) return wasm;
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
  const known = compiledCode.get(key);
  if (known) return known;
  const wasm = unpack(given);
  if (!isWasm(wasm))
    throw new Trap('IC0505', "Canister's Wasm module is not valid: expected Wasm or gzipped Wasm, got other bytes");
  try {
    const module = validateModule(wasm);
    const instrumented = instrument(module, options);
    const compiled = { ...instrumented, module: new WebAssembly.Module(instrumented.wasm), wasm: new Uint8Array(0) };
    const sections = metadata(module);
    const code: Code = {
      compiled,
      given: given.slice(),
      hash,
      metadata: sections,
      wasmBytes: given.length,
      globalBytes: 8 * module.globals.filter(({ mutable }) => mutable).length,
      customSectionBytes: [...sections].reduce((sum, [name, { content }]) => sum + name.length + 1 + content.length, 0),
      compileInstructions: compileCost(module),
    };
    if (compiledCode.size >= cacheSize) compiledCode.delete(compiledCode.keys().next().value!);
    compiledCode.set(key, code);
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
