/**
 * The one way to a message's arguments: every method gets its own from here, read by native code and bounded before
 * (argument-reader.ts), whoever calls. Reading or refusing takes at most some 10 M instructions, whatever comes
 * (docs/security.md has the figures).
 */
import { certifiedDataSet, type IDL, msgMethodName, msgReject } from 'azle';
import { ArgumentReader, type Taken } from './argument-reader.ts';

/** What arguments may take, for all methods but two. */
const MOST_BYTES = 110_000;
/**
 * A chunk has 1 MiB and the room around it. What is asked by HTTP is looked at whatever comes, to be refused in HTTP's
 * words; a body is not read for it.
 */
const mostBytes: Record<string, number> = { upload_chunk: (1 << 20) + 200, http_request: (2 << 20) + (64 << 10) };

const methods = new Map<string, Taken>();
let reader: ArgumentReader | undefined;

/** Says what a method takes, and what is shown of it where it takes more. */
export function declareArguments(method: string, params: IDL.Type[], shown = params): void {
  methods.set(method, { params, shown, mostBytes: mostBytes[method] ?? MOST_BYTES });
}

/**
 * Tells native code of all methods, once, when the program begins: not where modules are run, which the build does too.
 */
export function prepareArguments(): void {
  reader = new ArgumentReader(methods, { send: certifiedDataSet, text: msgMethodName });
}

export const isMethod = (name: string): boolean => methods.has(name);

/** The arguments of the call in hand; undefined after rejecting what is something else. */
export function readArguments(method: string): unknown[] | undefined {
  try {
    return reader!.read(method);
  } catch (error) {
    msgReject((error as Error).message);
    return undefined;
  }
}

/**
 * The arguments of the call in hand by types that were declared under another name.
 * @throws RangeError for others, in words
 */
export const readArgumentsAs = (name: string): unknown[] => reader!.read(name);

/** What is wrong with the arguments of the call in hand. */
export function wrongArguments(method: string): string | undefined {
  try {
    reader!.check(method);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A message of the canister to itself is no Candid. */
export const isCandid = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x44 && bytes[1] === 0x49 && bytes[2] === 0x44 && bytes[3] === 0x4c;
