/**
 * The Internet Computer's rules for a canister module, apart from metering and execution: imports, exports,
 * instructions, limits. Specification-like: interface specification, section "Canister module format", and the limits
 * of dfinity/ic `rs/config/src/embedders.rs`.
 */
import api from '../system-api.json' with { type: 'json' };
import { Body } from './body.ts';
import { type FuncType, functionType, type Module, parseModule, typeName, ValType } from './module.ts';
import { opcodes } from './opcodes.ts';

export const moduleLimits = {
  moduleBytes: 100 * 1024 * 1024,
  codeBytes: 10 * 1024 * 1024,
  functions: 50_000,
  globals: 1_000,
  exportedMethods: 1_000,
  exportedNamesLength: 20_000,
  operatorsInFunction: 1_000_000,
  customSections: 16,
  customSectionBytes: 1024 * 1024,
} as const;

const forbidden = ['table.grow', 'table.set', 'table.fill', 'table.copy', 'table.init'];
const entryPoints = new Set(
  ['init', 'inspect_message', 'heartbeat', 'global_timer', 'pre_upgrade', 'post_upgrade', 'on_low_wasm_memory'].map(
    (name) => `canister_${name}`,
  ),
);

/** A module that the Internet Computer does not take; `rule` names what it breaks. */
export class ModuleError extends Error {
  constructor(
    readonly rule: string,
    message: string,
  ) {
    super(`module: ${message} [rule: ${rule}]`);
    this.name = 'ModuleError';
  }
}

const importTypes = new Map<string, FuncType>(
  Object.entries(api.imports).map(([name, { params, results }]) => {
    const bytes = (types: string[]) =>
      types.map((type) => ValType[(type === 'I' ? 'i32' : type) as keyof typeof ValType]);
    return [name, { params: bytes(params), results: bytes(results) }];
  }),
);

/** Splits the name of an exported method: `canister_query get` is kind `query`, method `get`. */
export function exportedMethod(
  name: string,
): { kind: 'update' | 'query' | 'composite_query'; method: string } | undefined {
  const match = /^canister_(update|query|composite_query) ([\s\S]*)$/.exec(name);
  return match ? { kind: match[1] as 'update', method: match[2] } : undefined;
}

function atMost(rule: string, what: string, limit: number, value: number): void {
  if (value > limit) throw new ModuleError(rule, `expected at most ${limit} ${what}, got ${value}`);
}

function checkImports(module: Module): void {
  for (const { module: from, name, type } of module.imports) {
    if (from !== 'ic0') throw new ModuleError('imports', `expected imports from ic0 only, got ${from}.${name}`);
    const expected = importTypes.get(name);
    if (!expected) throw new ModuleError('imports', `expected a function of the system API, got ic0.${name}`);
    const got = typeName(module.types[type]);
    if (got !== typeName(expected))
      throw new ModuleError('import signatures', `expected ic0.${name} as ${typeName(expected)}, got ${got}`);
  }
}

function checkExports(module: Module): void {
  const methods = new Set<string>();
  let namesLength = 0;
  for (const { name, kind, index } of module.exports) {
    if (!name.startsWith('canister_')) continue;
    const method = exportedMethod(name);
    if (!method && !entryPoints.has(name))
      throw new ModuleError('exports', `expected a known canister_ export, got ${JSON.stringify(name)}`);
    if (kind !== 0) throw new ModuleError('exports', `expected ${name} to be a function, got export kind ${kind}`);
    const type = typeName(functionType(module, index));
    if (type !== '() -> ()') throw new ModuleError('export signatures', `expected ${name} as () -> (), got ${type}`);
    if (!method) continue;
    if (methods.has(method.method))
      throw new ModuleError('exports', `expected each method once, got ${JSON.stringify(method.method)} twice`);
    methods.add(method.method);
    namesLength += method.method.length;
  }
  atMost('exported methods', 'exported methods', moduleLimits.exportedMethods, methods.size);
  atMost('exported methods', 'characters in names of methods', moduleLimits.exportedNamesLength, namesLength);
}

function checkCustomSections(module: Module): void {
  const sections = module.custom.filter(({ name }) => name.startsWith('icp:'));
  const names = new Set<string>();
  let bytes = 0;
  for (const { name, bytes: content } of sections) {
    const match = /^icp:(public|private) ([\s\S]+)$/.exec(name);
    if (!match)
      throw new ModuleError(
        'custom sections',
        `expected icp:public or icp:private and a name, got ${JSON.stringify(name)}`,
      );
    if (names.has(match[2]))
      throw new ModuleError('custom sections', `expected each name once, got ${JSON.stringify(name)} again`);
    names.add(match[2]);
    bytes += name.length + content.length;
  }
  atMost('custom sections', 'custom sections', moduleLimits.customSections, sections.length);
  atMost('custom sections', 'bytes of custom sections', moduleLimits.customSectionBytes, bytes);
}

function checkBodies(module: Module): void {
  const body = new Body();
  for (const [i, bytes] of module.code.entries()) {
    const where = `function ${module.imports.length + i}`;
    try {
      body.decode(bytes);
    } catch (error) {
      throw new ModuleError('instructions', `${where}: ${(error as Error).message}`);
    }
    atMost('function size', `instructions in ${where}`, moduleLimits.operatorsInFunction, body.count);
    for (let k = 0; k < body.count; k++) {
      if (body.code[k] < 0x26 || (body.code[k] > 0x26 && body.code[k] < 0xfc0c)) continue;
      const name = opcodes.get(body.code[k])!.name;
      if (forbidden.includes(name)) throw new ModuleError('instructions', `${where}: expected no ${name}, got one`);
    }
  }
}

/** Checks the rules on a module that was read already. @throws ModuleError */
export function validateParsed(module: Module): void {
  atMost('memories', 'memory', 1, module.memories.length);
  atMost('functions', 'functions', moduleLimits.functions, module.functions.length);
  atMost('globals', 'globals', moduleLimits.globals, module.globals.length);
  atMost('code section', 'bytes of code section', moduleLimits.codeBytes, module.codeBytes);
  checkImports(module);
  checkExports(module);
  checkCustomSections(module);
  checkBodies(module);
}

/**
 * Checks that the Internet Computer would take this module (not compressed).
 * @returns the module, read
 * @throws ModuleError whose `rule` names the rule it breaks
 * @example validateModule(await readFile('canister.wasm'))
 */
export function validateModule(wasm: Uint8Array): Module {
  atMost('module size', 'bytes', moduleLimits.moduleBytes, wasm.length);
  let module: Module;
  try {
    module = parseModule(wasm);
  } catch (error) {
    throw new ModuleError('wasm format', (error as Error).message);
  }
  if (!WebAssembly.validate(wasm as Uint8Array<ArrayBuffer>)) {
    throw new ModuleError('wasm validation', `expected a valid module, got: ${engineComplaint(wasm)}`);
  }
  validateParsed(module);
  return module;
}

function engineComplaint(wasm: Uint8Array): string {
  try {
    new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
    return 'not valid';
  } catch (error) {
    return (error as Error).message;
  }
}
