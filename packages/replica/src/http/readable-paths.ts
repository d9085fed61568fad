/**
 * Which paths of the state tree `read_state` shows, and to whom.
 * Source: interface specification, "Request: Read state" ("All requested paths must have the following form").
 */
import { Principal } from '@dfinity/principal';
import type { Path } from '../certification/hash-tree.ts';
import { RequestError } from './answer.ts';
import type { Effective } from './canister-request.ts';
import type { Context } from './context.ts';
import type { Envelope } from './envelope.ts';

type Reader = Envelope & { effective: Effective };

/** Throws where this reader may not read this path. */
type Check = (context: Context, reader: Reader, path: Path) => void;

/** `*` stands for any one label. Anything but these, and anything below these, cannot be asked for. */
const READABLE: readonly (readonly [path: string, check: Check])[] = [
  ['time', anyone],

  ['subnet', anyone],
  ['subnet/*', anyone],
  ['subnet/*/public_key', anyone],
  ['subnet/*/type', anyone],
  ['subnet/*/canister_ranges', anyone],
  ['subnet/*/node', anyone],
  ['subnet/*/node/*', anyone],
  ['subnet/*/node/*/public_key', anyone],

  ['canister_ranges/*', anyone],
  ['canister_ranges/*/*', anyone],

  ['request_status/*', sender],
  ['request_status/*/status', sender],
  ['request_status/*/reply', sender],
  ['request_status/*/reject_code', sender],
  ['request_status/*/reject_message', sender],
  ['request_status/*/error_code', sender],

  ['canister/*/module_hash', atItsAddress],
  ['canister/*/controllers', atItsAddress],
  ['canister/*/metadata/*', controllersIfPrivate],
];

const PATTERNS = READABLE.map(([path, check]) => ({ steps: path.split('/').map((step) => Buffer.from(step)), check }));
const ANY = Buffer.from('*');

/**
 * @throws {RequestError} 404 for a path that nobody can read, 403 for one this reader cannot, 400 for a malformed one
 */
export function checkPath(context: Context, reader: Reader, path: Path): void {
  const pattern = PATTERNS.find(
    ({ steps }) =>
      steps.length === path.length && steps.every((step, at) => step.equals(ANY) || step.equals(path[at]!)),
  );
  if (pattern === undefined) {
    throw new RequestError(404, `paths: expected a path of the state tree that can be read, got ${show(path)}`);
  }
  pattern.check(context, reader, path);
}

function anyone(): void {}

/** A request's status is its sender's alone; a delegated key sees it where the delegation is for that canister. */
function sender({ core }: Context, reader: Reader, [, requestId]: Path): void {
  if (requestId!.length !== 32) {
    throw new RequestError(400, `request_status: expected a request id of 32 bytes, got ${requestId!.length}`);
  }
  const origin = core.requestOrigin(requestId!);
  if (origin === undefined) return;
  if (origin.sender.compareTo(reader.sender) !== 'eq') {
    throw new RequestError(403, `request_status: expected the sender of the request, got ${reader.sender}`);
  }
  if (reader.targets && !reader.targets.has(origin.canisterId.toText())) {
    throw new RequestError(403, `request_status: expected a target of the delegations, got ${origin.canisterId}`);
  }
}

function atItsAddress(_: Context, { effective }: Reader, [, label]: Path): void {
  const canisterId = Principal.fromUint8Array(label!);
  if ('canisterId' in effective && effective.canisterId.compareTo(canisterId) === 'eq') return;
  const address = 'canisterId' in effective ? effective.canisterId : "a subnet's";
  throw new RequestError(400, `paths: expected the canister of the address, ${address}, got ${canisterId}`);
}

function controllersIfPrivate(context: Context, reader: Reader, path: Path): void {
  atItsAddress(context, reader, path);
  const info = context.core.canister(Principal.fromUint8Array(path[1]!));
  const name = utf8(path[3]!);
  if (info?.metadata.get(name)?.visibility !== 'private') return;
  if (info.controllers.some((controller) => controller.compareTo(reader.sender) === 'eq')) return;
  const wanted = `a controller, as ${JSON.stringify(name)} is private`;
  throw new RequestError(403, `metadata: expected ${wanted}, got ${reader.sender}`);
}

function utf8(label: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(label);
  } catch {
    throw new RequestError(400, `metadata: expected a name in UTF-8, got ${Buffer.from(label).toString('hex')}`);
  }
}

/** A path for messages: labels as text where they are plain, else in hexadecimal. */
function show(path: Path): string {
  const labels = path.slice(0, 6).map((label) => {
    const text = Buffer.from(label).toString('latin1');
    return /^[\w:.-]{1,60}$/.test(text) ? text : `0x${Buffer.from(label).toString('hex', 0, 32)}`;
  });
  return `/${labels.join('/')}${path.length > labels.length ? '/…' : ''}`;
}
