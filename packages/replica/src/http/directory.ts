/**
 * The page at the replica's own address: which canisters there are, with links to their pages. Not of the Internet
 * Computer, whose gateways have none.
 */
import type { IncomingMessage } from 'node:http';
import type { CanisterInfo } from '../types.ts';
import type { Answer } from './answer.ts';
import type { Context } from './context.ts';

const STYLE = `:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:43rem;margin:2rem auto;padding:0 1.25rem}
h1{font-size:1.5rem}li{margin:1rem 0}code{overflow-wrap:anywhere}small{display:block}`;

/** Whether a request is for the list: the root of an address that names no canister. */
export const asksForDirectory = ({ method, url }: IncomingMessage): boolean =>
  (method === 'GET' || method === 'HEAD') && url?.split('?')[0] === '/';

export function directory({ core }: Context, request: IncomingMessage): Answer {
  const port = /:\d+$/.exec(request.headers.host ?? '')?.[0] ?? '';
  const items = Array.from(core.canisters(), (canister) => item(canister, port));
  const list = items.length > 0 ? `<ul>${items.join('\n')}</ul>` : '<p>There is none yet.</p>';
  const text = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Replica: canisters</title>
<style>${STYLE}</style></head>
<body><main><h1>The canisters of this replica</h1>
${list}</main></body>
</html>
`;
  const headers = [
    ['Content-Type', 'text/html; charset=utf-8'],
    ['Cache-Control', 'no-store'],
    ['X-Content-Type-Options', 'nosniff'],
    ['Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"],
  ] as const;
  return { status: 200, headers, body: new TextEncoder().encode(text) };
}

/** Ids and hashes have letters, digits and dashes only: nothing is to be escaped. */
function item(canister: CanisterInfo, port: string): string {
  const id = canister.canisterId.toText();
  const page = servesPages(canister)
    ? `<a href="http://${id}.localhost${port}/">${id}</a>
<small>where *.localhost is not known: <a href="/?canisterId=${id}">its page in another way</a></small>`
    : `<code>${id}</code><small>has no page</small>`;
  const hash = canister.moduleHash && Buffer.from(canister.moduleHash).toString('hex');
  return `<li>${page}<small>${hash ? `module hash <code>${hash}</code>` : 'no code is installed'}</small></li>`;
}

/** As the module's interface says; a module that says nothing of it may. */
function servesPages({ moduleHash, metadata }: CanisterInfo): boolean {
  const candid = metadata.get('candid:service');
  return moduleHash !== undefined && (!candid || /\bhttp_request\b/.test(new TextDecoder().decode(candid.content)));
}
