/**
 * Leads the allocator of Azle's Wasm through src/native/heap/. Where Azle's code calls a function of dlmalloc's, it
 * then calls an import, which the linker binds to native code; the function itself is exported for that code:
 *
 *   free    -> ic0.heap_free = src/native/heap/ -> "own free"
 *   js_free -> ic0.heap_js_def_free, which QuickJS called through its table
 *
 * Works by the functions' names, so on the template that Azle's package brings, which has them; a canister's Wasm has
 * none.
 */
import binaryen from 'binaryen';
import { direct } from './direct.ts';

/** The functions of dlmalloc's that others call. */
const ALLOCATOR = ['dlmalloc', 'calloc', 'realloc', 'internal_memalign', 'free'] as const;
/** Where QuickJS begins: from here on its calls of the allocator are the same at each start. */
const BEGINS = 'JS_NewRuntime2';
/** What QuickJS calls the allocator by, in the order in which its runtime has them. */
const QUICKJS = ['js_def_calloc', 'js_def_malloc', 'js_def_free', 'js_def_realloc'] as const;

/** @returns the template with hooks. @throws Error where a function is not there by its name */
export function hookAllocator(template: Uint8Array): Uint8Array {
  const { none, i32 } = binaryen;
  binaryen.setDebugInfo(true);
  const module = binaryen.readBinary(template);
  const functions = new Map(
    Array.from({ length: module.getNumFunctions() }, (_, i) => {
      const info = binaryen.getFunctionInfo(module.getFunctionByIndex(i));
      return [info.name, info] as const;
    }),
  );
  const removed = (name: string): binaryen.FunctionInfo => {
    const info = functions.get(name);
    if (!info) throw new Error(`heap: expected Azle's template to have a function ${name}, got none of that name`);
    module.removeFunction(name);
    return info;
  };
  const imported = (name: string, { params, results }: binaryen.FunctionInfo): void =>
    module.addFunctionImport(name, 'ic0', `heap_${name}`, params, results);
  const moved = (name: string): binaryen.FunctionInfo => {
    const info = removed(name);
    module.addFunction(`own ${name}`, info.params, info.results, info.vars, info.body);
    return info;
  };
  for (const name of ALLOCATOR) {
    imported(name, moved(name));
    module.addFunctionExport(`own ${name}`, `own ${name}`);
  }
  for (const name of QUICKJS) imported(name, removed(name));
  const { params, results } = moved(BEGINS);
  const parameters = binaryen.expandType(params).map((type, i) => module.local.get(i, type));
  module.addFunctionImport('heap_begin', 'ic0', 'heap_begin', none, none);
  const body = [module.call('heap_begin', [], none), module.call(`own ${BEGINS}`, parameters, results)];
  module.addFunction(BEGINS, params, results, [], module.block(null, body, results));
  // its body is put in at the link
  module.addFunction('heap_list', i32, none, [], module.nop());
  module.addFunctionExport('heap_list', 'heap_list');
  const hooked = module.emitBinary();
  module.dispose();
  binaryen.setDebugInfo(false);
  return direct(hooked, ALLOCATOR, QUICKJS);
}
