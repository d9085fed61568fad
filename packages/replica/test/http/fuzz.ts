/** Sends malformed requests to a server and counts what comes back. */
import { Agent, request } from 'node:http';
import type { Server } from '../../src/http/serve.ts';
import { type Malformed, malformedRequests } from './malformed.ts';

export interface FuzzResult {
  sent: number;
  /** Answers by kind of request and status. */
  answers: Map<string, Map<number, number>>;
  /** Requests that were answered by 5xx, by more than a line, or not at all. */
  failures: { kind: string; path: string; bodyHex: string; got: string }[];
  slowestMilliseconds: number;
}

/** Milliseconds until a request is given up, and sent again by itself; and until that counts as hanging. */
const [PATIENCE, LAST_PATIENCE] = [10_000, 60_000];

/** Sends `count` requests, eight at a time. */
export async function fuzz(
  server: Server,
  seed: number,
  count: number,
  onProgress?: (sent: number) => void,
): Promise<FuzzResult> {
  const result: FuzzResult = { sent: 0, answers: new Map(), failures: [], slowestMilliseconds: 0 };
  const requests = malformedRequests(seed, server.authority.subnetId.toText());
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const one = async () => {
    while (result.sent < count) {
      result.sent += 1;
      const sent = requests.next().value as Malformed;
      const began = performance.now();
      // On a starved machine an answer may be late, or a kept connection gone; a request that hangs does so again.
      const { status, text } = await send(server, agent, sent, PATIENCE)
        .catch(() => send(server, undefined, sent, LAST_PATIENCE))
        .catch((error) => ({ status: 0, text: String(error) }));
      result.slowestMilliseconds = Math.max(result.slowestMilliseconds, performance.now() - began);
      const statuses = result.answers.get(sent.kind) ?? new Map();
      result.answers.set(sent.kind, statuses.set(status, (statuses.get(status) ?? 0) + 1));
      const oneLine = status < 400 || /^[^\n]{1,2000}\n$/.test(text);
      if (status === 0 || status >= 500 || !oneLine) {
        const { kind, path, body } = sent;
        result.failures.push({
          kind,
          path,
          bodyHex: Buffer.from(body).toString('hex', 0, 2_000),
          got: `${status} ${text.slice(0, 500)}`,
        });
      }
      if (result.sent % 1_000 === 0) onProgress?.(result.sent);
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
  agent.destroy();
  return result;
}

function send(
  { port }: Server,
  agent: Agent | undefined,
  { path, body }: Malformed,
  patience: number,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/cbor', 'Content-Length': body.length };
    const sent = request(
      { agent, host: '127.0.0.1', port, path, method: 'POST', headers, timeout: patience },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode!, text: Buffer.concat(chunks).toString() }));
        response.on('error', reject);
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${patience} ms`)));
    sent.on('error', reject);
    sent.end(body);
  });
}
