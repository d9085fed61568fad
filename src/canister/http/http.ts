/**
 * What a browser and a monitor see: the routes of `http_request`. The page is certified whole, with its status and headers; so is what there is not.
 * What is live is one node's word. Source: HTTP Gateway Protocol Specification.
 */
import { dataCertificate, IDL } from 'azle';
import type { HttpRequest, HttpResponse } from '../../interface/llm.did.ts';
import { httpWitness } from '../certification/certified.ts';
import { type PageData, pages } from '../certification/page-data.js';
import { candid } from '../methods/methods.ts';
import { toBase64, unpack, utf8 } from '../storage/bytes.ts';
import { metricsText } from './metrics.ts';
import { statusPage } from './status-page.ts';

const live: Record<string, (query: string) => { type: string; body: string }> = {
  '/status': (query) => ({ type: 'text/html; charset=utf-8', body: statusPage(query) }),
  '/metrics': () => ({ type: 'text/plain; version=0.0.4; charset=utf-8', body: metricsText() }),
};

/** The page as it is sent. Unpacked while the program starts, in a message that keeps what it made: a query would do it each time. */
const pageBytes = unpack(pages['/']!.responses[0]!.body);

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
  };
}

const MOST_CHARACTERS = 1_000;

/**
 * The path of a URL as gateways see it when they look for its certificate: without scheme, host, query and fragment, percent signs decoded,
 * and one slash in front however many there are. `//`, `/%2F` are the page; `/%73tatus` is `/status`; `/status/` is something else.
 * Of a URL whose path goes on after MOST_CHARACTERS, none of ours: looking at each character takes 3,000 instructions.
 */
function pathOf(url: string): string {
  const head = url.slice(0, MOST_CHARACTERS);
  if (url.length > head.length && !/[?#]/.test(head)) return '';
  const [path] = head.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').split(/[?#]/, 1);
  const decoded = path!.replace(/%[0-7][0-9a-f]/gi, (code) => String.fromCharCode(parseInt(code.slice(1), 16)));
  return decoded.replace(/^\/*/, '/');
}

export class HttpMethods {
  /** Query; everyone. */
  @candid({ read: [IDL.Record({ method: IDL.Text, url: IDL.Text })] })
  http_request({ method, url }: Pick<HttpRequest, 'method' | 'url'>): HttpResponse {
    const reads = method === 'GET' || method === 'HEAD';
    const path = pathOf(url);
    const asked = /\?[^#]*/.exec(url)?.[0] ?? '';
    // HEAD gets a body too: without it the certificate would not fit, and the gateway leaves it out
    if (path === '/') return fixed('/', reads ? 200 : 405);
    if (!Object.hasOwn(live, path)) return fixed('*', 404);
    const { type, body } = reads ? live[path]!(asked) : { type: 'text/plain', body: 'expected GET or HEAD\n' };
    return {
      status_code: reads ? 200 : 405,
      headers: [
        ['Content-Type', type],
        ['Cache-Control', 'no-store'],
        ['X-Content-Type-Options', 'nosniff'],
        ['Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"],
        ...certification(pages[path]!),
      ],
      body: utf8(method === 'HEAD' ? '' : body),
    };
  }
}
