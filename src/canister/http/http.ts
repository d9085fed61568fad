/**
 * What a browser and a monitor see: the routes of `http_request`. The page is certified whole, with its status and
 * headers; so is what there is not. What is live is one node's word. Source: HTTP Gateway Protocol Specification.
 */
import { dataCertificate, IDL, inReplicatedExecution, msgReply } from 'azle';
import { MAX_URL_CHARACTERS } from '../../interface/http-api.ts';
import type { HttpRequest, HttpResponse } from '../../interface/llm.did.ts';
import { BlobClass } from '../candid/argument-reader.ts';
import { httpWitness } from '../certification/certified.ts';
import { type PageData, pages } from '../certification/page-data.js';
import { replyRefused } from '../methods/generate.ts';
import { type Asked, gateOf, isApiPath, missingPage, namesCanister, pathOf } from '../methods/http-gate.ts';
import { candid } from '../methods/methods.ts';
import { isRestored } from '../runtime/restoring.ts';
import { toBase64, unpack, utf8 } from '../storage/bytes.ts';
import { complete, encodeHttp } from './completions.ts';
import { metricsText } from './metrics.ts';
import { statusPage } from './status-page.ts';

const live: Record<string, (url: string) => { type: string; body: string }> = {
  '/status': (url) => ({ type: 'text/html; charset=utf-8', body: statusPage(namesCanister(url)) }),
  '/metrics': () => ({ type: 'text/plain; version=0.0.4; charset=utf-8', body: metricsText() }),
};

const refusals: Record<number, string> = {
  405: 'expected GET or HEAD\n',
  414: `expected a URL of at most ${MAX_URL_CHARACTERS} characters, got a longer one\n`,
};

/**
 * The page as it is sent. Unpacked while the program starts, in a message that keeps what it made: a query would do it
 * each time.
 */
const pageBytes = unpack(pages['/']!.responses[0]!.body);

/** The same as the answer to another canister, which gets no certificate: ready, as encoding it costs a third more. */
const pageInUpdates = encodeHttp({
  status_code: 200,
  headers: pages['/']!.responses.find(({ status }) => status === 200)!.headers,
  body: pageBytes,
  upgrade: [],
});

/** The headers that let a gateway check what stands beside them. */
function certification({ expression, exprPath }: PageData): [string, string][] {
  const certificate = dataCertificate();
  // an update call has none, and needs none
  if (!certificate) return [];
  const [shown, tree] = [toBase64(certificate), toBase64(httpWitness())];
  return [
    ['IC-Certificate', `certificate=:${shown}:, tree=:${tree}:, version=2, expr_path=:${exprPath}:`],
    ['IC-CertificateExpression', expression],
  ];
}

function fixed(path: string, status: number): HttpResponse {
  const page = pages[path]!;
  const { headers, body } = page.responses.find((response) => response.status === status)!;
  return {
    status_code: status,
    headers: [...headers, ...certification(page)],
    body: status === 200 ? pageBytes : unpack(body),
    upgrade: [],
  };
}

/** Of a path that is not there: 404, and where browsers ask first, leave to see it. */
function missing(method: string, path: string): HttpResponse {
  const page = missingPage(path);
  return fixed(page, method === 'OPTIONS' && page !== '*' ? 204 : 404);
}

/** What every request begins with: the query asks for the update, or has the answer. */
const HANDED_ON: HttpResponse = { status_code: 200, headers: [], body: new Uint8Array(0), upgrade: [true] };

const REQUEST = IDL.Record({ method: IDL.Text, url: IDL.Text, body: new BlobClass() });

export class HttpMethods {
  /** Query; everyone. */
  @candid({ read: [REQUEST] })
  http_request(request: HttpRequest): HttpResponse | Promise<void> {
    const { method, url, body } = request as unknown as Asked;
    const reads = method === 'GET' || method === 'HEAD';
    const path = pathOf(url);
    if (isApiPath(path)) {
      const gate = gateOf(method, path, body.length);
      return typeof gate === 'number' ? fixed(path, gate) : HANDED_ON;
    }
    const isLong = url.length > MAX_URL_CHARACTERS;
    const status = reads ? (isLong ? 414 : 200) : 405;
    if (path === '/' && status === 200 && inReplicatedExecution()) {
      msgReply(pageInUpdates);
      return Promise.resolve();
    }
    // HEAD gets a body too: without it the certificate would not fit, and the gateway leaves it out
    if (path === '/') return fixed('/', status);
    if (!Object.hasOwn(live, path)) return missing(method, path);
    const { type, body: text } = status === 200 ? live[path]!(url) : { type: 'text/plain', body: refusals[status]! };
    return {
      status_code: status,
      headers: [
        ['Content-Type', type],
        ['Cache-Control', 'no-store'],
        ['X-Content-Type-Options', 'nosniff'],
        ['Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"],
        ...certification(pages[path]!),
      ],
      body: utf8(method === 'HEAD' ? '' : text),
      upgrade: [],
    };
  }

  /**
   * OpenAI's API (completions.ts). Update; whom `access` lets, the gateway's caller being the anonymous one, and
   * bearers of a key. What `http_request` would answer by itself is answered here, too.
   */
  @candid({ read: [REQUEST] })
  async http_request_update(request: HttpRequest): Promise<void> {
    const { method, url, body } = request as unknown as Asked;
    const path = pathOf(url);
    if (!isApiPath(path)) return replyRefused('http_request_update', undefined, encodeHttp(missing(method, path)));
    const letIn = gateOf(method, path, body.length);
    const gate = typeof letIn === 'number' || isRestored() ? letIn : 503;
    if (typeof gate !== 'number') return await complete(path, body, gate.account);
    replyRefused('http_request_update', undefined, encodeHttp(fixed(path, gate)));
  }
}
