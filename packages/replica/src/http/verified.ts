/**
 * Whether a page is what its canister certified. The judge is the library that the gateways of the Internet Computer
 * use, in WebAssembly. Source: HTTP Gateway Protocol Specification, "Response Verification".
 */
import type { Principal } from '@dfinity/principal';
import { type ResponseVerificationError, verifyRequestResponsePair } from '@dfinity/response-verification';
import { type Answer, RequestError } from './answer.ts';
import type { Context } from './context.ts';
import type { HttpRequest } from './gateway-candid.ts';

const MAX_AGE_NANOSECONDS = 300_000_000_000n;
/** The oldest version of certification that is taken. */
const VERSION = 1;

/** @throws {RequestError} 503 where it is not */
export function verified(
  { core, authority }: Context,
  canisterId: Principal,
  request: HttpRequest,
  { status, headers, body }: Answer,
): void {
  const response = {
    status_code: status,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    body,
  };
  try {
    const id = canisterId.toUint8Array();
    verifyRequestResponsePair(request, response, id, core.time(), MAX_AGE_NANOSECONDS, authority.rootKey, VERSION);
  } catch (error) {
    const { message } = error as ResponseVerificationError;
    const instead = `http://${canisterId}.raw.localhost shows it as it is`;
    throw new RequestError(
      503,
      `certificate: expected one for ${request.url}, got none that holds: ${message}; ${instead}`,
    );
  }
}
