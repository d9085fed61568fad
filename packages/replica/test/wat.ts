/**
 * Canisters for tests, written in the Wasm text format; Binaryen's parser makes them binary. Not for production code.
 */
import binaryen from 'binaryen';
import api from '../src/system-api.json' with { type: 'json' };

const { Features } = binaryen;
const features =
  Features.SIMD128 |
  Features.BulkMemory |
  Features.BulkMemoryOpt |
  Features.ReferenceTypes |
  Features.Multivalue |
  Features.SignExt |
  Features.NontrappingFPToInt |
  Features.TailCall |
  Features.MutableGlobals;

/** A module from its text. */
export function wat(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  module.setFeatures(features);
  try {
    if (!module.validate()) throw new Error(`wat: expected a valid module, got\n${text}`);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

/** Imports of the whole system API, each function under its own name. */
export const systemApiImports = Object.entries(api.imports)
  .map(([name, { params, results }]) => {
    const types = (list: string[]) => list.map((type) => (type === 'I' ? 'i32' : type)).join(' ');
    const param = params.length > 0 ? `(param ${types(params)})` : '';
    const result = results.length > 0 ? `(result ${types(results)})` : '';
    return `(import "ic0" "${name}" (func $${name} ${param} ${result}))`;
  })
  .join('\n');

/** A canister with the whole system API at hand, a memory `$memory` of `pages` pages, and the fields given. */
export function canister(fields: string, pages = 1): Uint8Array {
  return wat(`(module ${systemApiImports} (memory $memory ${pages}) ${fields}
    (func $replyInt (param i32)
      (i32.store (i32.const 65000) (local.get 0))
      (call $msg_reply_data_append (i32.const 65000) (i32.const 4))
      (call $msg_reply))
    (func $replyLong (param i64)
      (i64.store (i32.const 65000) (local.get 0))
      (call $msg_reply_data_append (i32.const 65000) (i32.const 8))
      (call $msg_reply)))`);
}

/** What a canister answered with `$replyInt`, `$replyLong`. */
export const int = (reply: Uint8Array): number => new DataView(reply.buffer, reply.byteOffset).getInt32(0, true);
export const long = (reply: Uint8Array): number =>
  Number(new DataView(reply.buffer, reply.byteOffset).getBigInt64(0, true));
