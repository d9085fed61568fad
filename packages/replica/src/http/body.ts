/** Reads a request's body up to a limit. */
import type { IncomingMessage } from 'node:http';
import { RequestError } from './answer.ts';

/**
 * How much of a body that is too large is read all the same: a client that is still sending does not see the answer.
 */
const DRAINED = 16;

/** @throws {RequestError} 413 for a body of more than `maxBytes`, 400 for one that breaks off */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request) {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else if (length > DRAINED * maxBytes) break;
    }
  } catch (error) {
    throw new RequestError(400, `body: expected it to its end, got ${length} bytes: ${(error as Error).message}`);
  }
  if (length > maxBytes) {
    throw new RequestError(413, `body: expected at most ${maxBytes} bytes, got ${length}`, [['Connection', 'close']]);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
