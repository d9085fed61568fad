/**
 * What compiling a module costs when it is installed: so many instructions for each Wasm instruction of it as the
 * Internet Computer compiles it, with its metering put in. That code is counted here, not made. Specification-like:
 * dfinity/ic `rs/embedders` (instrumentation.rs: `injections`, `inject_metering`, `inject_try_grow_wasm_memory`,
 * `export_additional_symbols`; system_api_replacements.rs) and `rs/config/src/embedders.rs`.
 */

import { Body } from './body.ts';
import { functionEntryCost, opcodeCost } from './costs.ts';
import costs from './instruction-costs.json' with { type: 'json' };
import type { Module } from './module.ts';
import { endsBlock, Op } from './opcodes.ts';

export const perCompiledInstruction = costs.compile_cost.per_instrumented_wasm_instruction;
const { per_global: perGlobal, injected_instructions: injected } = costs.compile_cost;

/** Instructions of a function with its metering. */
function meteredSize(body: Body): number {
  const { code, count } = body;
  let size = count;
  let cost = functionEntryCost;
  let entered = true;
  for (let i = 0; i < count; i++) {
    const op = code[i];
    cost += opcodeCost[op];
    if (op === Op.memoryCopy || op === Op.memoryFill || op === Op.memoryInit) size += injected.bulk_memory;
    if (op === Op.memoryGrow) size += injected.memory_grow;
    if (!endsBlock[op]) continue;
    if (entered) size += injected.entered_block;
    else if (cost > 0) size += injected.block;
    cost = 0;
    entered = op === Op.loop;
  }
  return size;
}

/** What compiling a module costs, in instructions. */
export function compileCost(module: Module): number {
  const imported = new Set(module.imports.map(({ name }) => name));
  let size = (module.globals.length + injected.globals) * perGlobal;
  // one function for each call of stable memory that is imported, once or more often
  for (const [name, instructions] of Object.entries(injected.functions))
    if (!name.startsWith('stable') || imported.has(name)) size += instructions;
  const body = new Body();
  for (const bytes of module.code) {
    body.decode(bytes);
    size += meteredSize(body);
  }
  return size * perCompiledInstruction;
}
