/**
 * Who comes in by HTTP, and what is refused before its body is read: by the query that every request begins with, which
 * costs the canister nothing, by `inspect_message`, and by the update itself, which other canisters call without
 * either.
 */
import { IDL } from 'azle';
import { API_METHODS, API_ROOT, MAX_BODY_BYTES } from '../../interface/http-api.ts';
import type { Blob } from '../candid/argument-reader.ts';
import { declareArguments, readArgumentsAs } from '../candid/arguments.ts';
import { settings } from '../storage/settings.ts';
import { notAllowed } from './access.ts';
import { lacksCycles } from './admission.ts';
import { accountOfBearer } from './api-keys.ts';

/** A path beyond this is none of ours, in whatever way it is written. */
const MOST_CHARACTERS = 500;

/** What a character stands at, or the end. */
function endAt(url: string, character: string): number {
  const at = url.indexOf(character);
  return at < 0 ? url.length : at;
}

/**
 * The path of a URL as gateways see it when they look for its certificate: without scheme, host, query and fragment,
 * percent signs decoded, and one slash in front however many there are. `//`, `/%2F` are the page; `/%73tatus` is
 * `/status`; `/status/` is something else. What is none of ours ends in `…`: a path that goes on after MOST_CHARACTERS,
 * as to look at a character takes the interpreter 600 instructions and more, and one whose percent signs are no
 * character's.
 */
export function pathOf(url: string): string {
  const head = url.slice(0, MOST_CHARACTERS + 1);
  const end = Math.min(endAt(head, '?'), endAt(head, '#'));
  const path = head.slice(0, Math.min(end, MOST_CHARACTERS)).replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '');
  const decoded = decodeWhole(path);
  const isOurs = decoded !== undefined && end <= MOST_CHARACTERS;
  return (decoded ?? decodeStart(path)).replace(/^\/*/, '/') + (isOurs ? '' : '…');
}

function decodeWhole(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** As much as tells which root a path is below. */
const decodeStart = (path: string): string =>
  path.slice(0, 32).replace(/%[0-7][0-9a-f]/gi, (code) => String.fromCharCode(parseInt(code.slice(1), 16)));

/** Whether a URL says which canister it is for, as addresses without one of its own do. */
export const namesCanister = (url: string): boolean => url.includes('canisterId=');

export const isApiPath = (path: string): boolean => Object.hasOwn(API_METHODS, path);

/** What is said of a path that is not there, by where it is not: clients of OpenAI's API read JSON alone. */
export const missingPage = (path: string): string =>
  path === API_ROOT || path.startsWith(`${API_ROOT}/`) ? `${API_ROOT}/*` : '*';

/** Whose account the caller has; undefined for the caller's own. */
export interface LetIn {
  account: string | undefined;
}

const HEADERS = 'http_request headers';
declareArguments(HEADERS, [IDL.Record({ headers: IDL.Vec(IDL.Tuple(IDL.Text, IDL.Text)) })]);

/**
 * The status of what is answered without looking further (src/node/build/page.ts has the words), or who is let in.
 * @param bodyBytes of the request in hand
 */
export function gateOf(method: string, path: string, bodyBytes: number): number | LetIn {
  if (method === 'OPTIONS') return 204;
  if (!settings().http_completions) return 404;
  if (method !== API_METHODS[path]) return 405;
  if (bodyBytes > MAX_BODY_BYTES) return 413;
  let headers: [string, string][];
  try {
    [{ headers }] = readArgumentsAs(HEADERS) as [{ headers: [string, string][] }];
  } catch {
    return 431;
  }
  const account = accountOfBearer(headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1]);
  if (account === undefined && notAllowed('http_request_update') !== undefined) return 401;
  if (lacksCycles('http_request_update') !== undefined) return 503;
  return { account };
}

/** A request as far as it is read before it is let in. */
export interface Asked {
  method: string;
  url: string;
  body: Blob;
}

/**
 * Why a call of `http_request_update` from outside is not taken: gateways do not make one that `http_request` has
 * answered.
 */
export function notLetIn(): string | undefined {
  const [{ method, url, body }] = readArgumentsAs('http_request_update') as [Asked];
  const path = pathOf(url);
  const gate = isApiPath(path) ? gateOf(method, path, body.length) : 404;
  if (typeof gate !== 'number') return undefined;
  return `http_request_update: expected a request that http_request hands on, got one of status ${gate}`;
}
