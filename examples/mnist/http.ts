/**
 * The page, certified: what is served and its hash tree come from the build (build.js); the canister certifies the root
 * and hands out the proof.
 */
import { certifiedDataSet, dataCertificate, IDL } from 'azle';
import { fromBase64, toBase64 } from './base64.ts';
import { certifiedData, pages, witness } from './page-data.js';

const Headers = IDL.Vec(IDL.Tuple(IDL.Text, IDL.Text));
export const HttpRequest = IDL.Record({
  method: IDL.Text,
  url: IDL.Text,
  headers: Headers,
  body: IDL.Vec(IDL.Nat8),
  certificate_version: IDL.Opt(IDL.Nat16),
});
export interface HttpRequest {
  method: string;
  url: string;
}
export const HttpResponse = IDL.Record({ status_code: IDL.Nat16, headers: Headers, body: IDL.Vec(IDL.Nat8) });
export interface HttpResponse {
  status_code: number;
  headers: [string, string][];
  body: Uint8Array;
}

// unpacked while the module starts, which keeps it: a query would do it each time
const root = { ...pages.root, body: fromBase64(pages.root.body) };
const missing = { ...pages.missing, body: fromBase64(pages.missing.body) };

/** To be called at every start: an upgrade may bring another page. */
export const certifyPage = (): void => certifiedDataSet(fromBase64(certifiedData));

export function servePage({ url }: HttpRequest): HttpResponse {
  const path = url.replace(/^[a-z]+:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0];
  const page = path === '/' || path === '' ? root : missing;
  const certificate = dataCertificate();
  const proof: [string, string][] = certificate
    ? [
        [
          'IC-Certificate',
          `certificate=:${toBase64(certificate)}:, tree=:${witness}:, version=2, expr_path=:${page.exprPath}:`,
        ],
        ['IC-CertificateExpression', page.expression],
      ]
    : [];
  return { status_code: page.status, headers: [...page.headers, ...proof], body: page.body };
}
