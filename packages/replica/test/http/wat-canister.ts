/**
 * A canister in WebAssembly text for testing the HTTP interface with the real core: it echoes, rejects, traps,
 * certifies its argument, hands out its certificate, and has a page. Arguments are passed on as they are, whatever they
 * mean.
 */
import { IDL } from '@dfinity/candid';
import binaryen from 'binaryen';
import { leb128 } from '../../src/certification/hash-of-map.ts';

export const CANDID = `service : {
  echo : (text) -> (text);
  fail : (text) -> (text);
  trap : (text) -> (text);
  certify : (blob) -> ();
  echo_query : (text) -> (text) query;
  certificate : () -> () query;
}`;

const PAGE = '<!doctype html><title>canister</title><p>served by a canister</p>';

/** What `http_request` replies, whatever it is asked for. */
function pageReply(html: string): Uint8Array {
  const Response = IDL.Record({
    status_code: IDL.Nat16,
    headers: IDL.Vec(IDL.Tuple(IDL.Text, IDL.Text)),
    body: IDL.Vec(IDL.Nat8),
  });
  const headers = [['Content-Type', 'text/html; charset=utf-8']];
  return IDL.encode([Response], [{ status_code: 200, headers, body: new TextEncoder().encode(html) }]);
}

const escaped = (bytes: Uint8Array) => Array.from(bytes, (byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');

/**
 * The module, with its Candid as public metadata and `icp:private secret`.
 * @param html the page it serves, of less than 2 MB; arguments and certificates are copied to 2 MiB and above
 */
export function watCanister(html = PAGE): Uint8Array {
  const page = pageReply(html);
  const module = binaryen.parseText(`(module
    (import "ic0" "msg_arg_data_size" (func $arg_size (result i32)))
    (import "ic0" "msg_arg_data_copy" (func $arg_copy (param i32 i32 i32)))
    (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
    (import "ic0" "msg_reply" (func $reply))
    (import "ic0" "msg_reject" (func $reject (param i32 i32)))
    (import "ic0" "trap" (func $trap (param i32 i32)))
    (import "ic0" "certified_data_set" (func $certify (param i32 i32)))
    (import "ic0" "data_certificate_size" (func $certificate_size (result i32)))
    (import "ic0" "data_certificate_copy" (func $certificate_copy (param i32 i32 i32)))
    (memory (export "memory") 96)
    (data (i32.const 16) "${escaped(page)}")
    (data (i32.const 8) "DIDL\\00\\00")
    (func $arg (result i32 i32)
      (call $arg_copy (i32.const 2097152) (i32.const 0) (call $arg_size))
      (i32.const 2097152) (call $arg_size))
    (func (export "canister_update echo") (call $append (call $arg)) (call $reply))
    (func (export "canister_query echo_query") (call $append (call $arg)) (call $reply))
    (func (export "canister_update fail") (call $reject (call $arg)))
    (func (export "canister_update trap") (call $trap (call $arg)))
    (func (export "canister_update certify")
      (call $certify (call $arg)) (call $append (i32.const 8) (i32.const 6)) (call $reply))
    (func (export "canister_query certificate")
      (call $certificate_copy (i32.const 2097152) (i32.const 0) (call $certificate_size))
      (call $append (i32.const 2097152) (call $certificate_size)) (call $reply))
    (func (export "canister_query http_request")
      (call $append (i32.const 16) (i32.const ${page.length})) (call $reply))
  )`);
  module.setFeatures(binaryen.Features.Multivalue);
  const wasm = Buffer.concat([
    module.emitBinary(),
    customSection('icp:public candid:service', CANDID),
    customSection('icp:private secret', 'for controllers'),
  ]);
  module.dispose();
  return new Uint8Array(wasm);
}

/** The bytes of a custom section, to be appended to a module. */
export function customSection(name: string, content: string): Uint8Array {
  const nameBytes = Buffer.from(name);
  const contentBytes = Buffer.from(content);
  const nameLength = leb128(nameBytes.length);
  const size = leb128(nameLength.length + nameBytes.length + contentBytes.length);
  return Buffer.concat([Buffer.of(0), size, nameLength, nameBytes, contentBytes]);
}
