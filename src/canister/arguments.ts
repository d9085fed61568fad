/**
 * Arguments are checked where all of them come in: every method, whether Azle decodes for it or it does so itself, gets them by one function of
 * Azle's, so that none can be forgotten. That function is no part of Azle's interface: a test sends every method what must not get through.
 */
import { IDL } from '@dfinity/candid';
import { checkCandid, isCandid } from './candid-check.ts';

interface AzleIc {
  msgArgData(): Uint8Array;
}

export function guardArguments(): void {
  const ic = (globalThis as { _azleIc?: AzleIc })._azleIc;
  if (!ic) return;
  const read = ic.msgArgData;
  ic.msgArgData = () => {
    const bytes = read();
    // a message of the canister to itself is none
    if (isCandid(bytes)) checkCandid(bytes);
    return bytes;
  };
}

/** Candid lets a caller leave out what is `opt` at the end; the library insists on every argument. @throws Error for other types */
export function decodeArguments(required: IDL.Type[], last: IDL.Type, args: Uint8Array): unknown[] {
  try {
    return IDL.decode([...required, last], args as Uint8Array<ArrayBuffer>);
  } catch (error) {
    if (!(error as Error).message.includes('Wrong number')) throw error;
    return [...IDL.decode(required, args as Uint8Array<ArrayBuffer>), []];
  }
}
