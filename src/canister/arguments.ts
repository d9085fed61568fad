/**
 * Arguments are checked where all of them come in: every method, whether Azle decodes for it or it does so itself, gets them by one function of
 * Azle's, so that none can be forgotten. That function is no part of Azle's interface: a test sends every method what must not get through.
 */
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
