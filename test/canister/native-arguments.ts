/** The reader of arguments with its native half in Node: what a method would be given for a message's bytes. */
import type { IDL } from '@dfinity/candid';
import { ArgumentReader } from '../../src/canister/candid/argument-reader.ts';
import { buildNative } from '../../src/node/build/kernels.ts';

const module = new WebAssembly.Module((await buildNative()) as Uint8Array<ArrayBuffer>);

/** Where mailboxes and texts pass; what native code takes for itself is behind its first 64 pages. */
const MAILBOX = 65_536;
const TEXT = 3 * 2 ** 20;

/** Reads messages as a method `m` that takes `params` would. */
export function readerFor(params: IDL.Type[], mostBytes = 110_000): (message: Uint8Array) => unknown[] {
  const memory = new WebAssembly.Memory({ initial: 64 });
  const table = new WebAssembly.Table({ initial: 64, element: 'anyfunc' });
  let message = new Uint8Array();
  const nothing = (): void => {
    throw new Error('arguments: expected no such system call');
  };
  const ic0 = {
    msg_arg_data_size: () => message.length,
    msg_arg_data_copy: (to: number, from: number, bytes: number) => {
      if (from + bytes > message.length) throw new RangeError('msg_arg_data_copy: out of bounds');
      new Uint8Array(memory.buffer, to).set(message.subarray(from, from + bytes));
    },
  };
  const imports: WebAssembly.Imports = { env: { memory, table }, ic0, ic0real: {} };
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] ??= nothing;
  }
  const native = new WebAssembly.Instance(module, imports).exports as Record<string, (...args: number[]) => number>;
  const reader = new ArgumentReader(new Map([['m', { params, mostBytes }]]), {
    send: (mailbox) => {
      new Uint8Array(memory.buffer, MAILBOX).set(mailbox);
      native['certified_data_set']!(MAILBOX, mailbox.length);
      mailbox.set(new Uint8Array(memory.buffer, MAILBOX, mailbox.length));
    },
    text: () => {
      const bytes = native['msg_method_name_size']!();
      native['msg_method_name_copy']!(TEXT, 0, bytes);
      const utf8 = new Uint8Array(memory.buffer, TEXT, bytes).slice();
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(utf8);
    },
  });
  return (bytes) => {
    message = new Uint8Array(bytes);
    return reader.read('m');
  };
}
