/** Which paths of the state tree are shown, to whom, at which address. */
import { Certificate, LookupPathStatus } from '@dfinity/agent';
import { Principal } from '@dfinity/principal';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decode } from '../../src/certification/cbor.ts';
import { type Server, serve } from '../../src/http/serve.ts';
import { echoCore } from './echo.ts';
import { CANISTER_ID } from './fake-core.ts';
import {
  callContent,
  envelope,
  type Key,
  newKey,
  post,
  readStateContent,
  requestIdOf,
  signedDelegation,
} from './raw.ts';

type Label = string | Uint8Array;

const controller = newKey();
const stranger = newKey();
const OTHER = Principal.fromHex('00000000000000020101');
const ID = CANISTER_ID.toUint8Array();
const core = echoCore({
  controllers: [controller.principal],
  metadata: new Map([
    ['open', { visibility: 'public', content: Buffer.from('for all') }],
    ['secret', { visibility: 'private', content: Buffer.from('for controllers') }],
  ]),
});
let server: Server;

beforeAll(async () => {
  server = await serve(core, { port: 0 });
});
afterAll(() => server.close());

const subnetId = () => server.authority.subnetId.toUint8Array();
const atCanister = (version = 'v3') => `${server.url}/api/${version}/canister/${CANISTER_ID}/read_state`;
const atSubnet = () => `${server.url}/api/v3/subnet/${server.authority.subnetId}/read_state`;

const read = (paths: Label[][], key?: Key, url = atCanister()) =>
  post(
    url,
    key
      ? envelope(key, readStateContent(paths, { sender: key.principal.toUint8Array() }))
      : { content: readStateContent(paths) },
  );

/** The value at a path of the certificate that was asked for it, verified; or the lookup's other outcome. */
async function valueAt(path: Label[], key?: Key, url?: string): Promise<Uint8Array | string> {
  const answer = await read([path], key, url);
  expect(answer.text).toBe('');
  const certificate = Uint8Array.from(answer.cbor!.get('certificate') as Uint8Array);
  const { rootKey } = server.authority;
  const verified = await Certificate.create({ certificate, rootKey, canisterId: CANISTER_ID });
  const found = verified.lookup_path(path);
  return found.status === LookupPathStatus.Found ? (found.value as Uint8Array) : found.status;
}

describe('anyone', () => {
  test('reads the time, at every address', async () => {
    for (const url of [atCanister('v2'), atCanister('v3'), atSubnet(), atSubnet().replace('v3', 'v2')]) {
      expect((await valueAt(['time'], undefined, url)).length).toBeGreaterThan(8);
    }
  });

  test('reads module hash and controllers', async () => {
    expect(await valueAt(['canister', ID, 'module_hash'])).toEqual(core.info.moduleHash);
    const controllers = decode((await valueAt(['canister', ID, 'controllers'])) as Uint8Array);
    expect(controllers).toEqual([controller.principal.toUint8Array()]);
  });

  test('reads public metadata, and learns that other metadata does not exist', async () => {
    expect(Buffer.from(await valueAt(['canister', ID, 'metadata', 'open'])).toString()).toBe('for all');
    expect(await valueAt(['canister', ID, 'metadata', 'a'])).toBe('Absent');
  });

  test('reads the keys and the canister ranges of the subnet', async () => {
    expect(await valueAt(['subnet', subnetId(), 'public_key'], undefined, atSubnet())).toEqual(
      server.authority.rootKey,
    );
    const nodeId = server.authority.nodeId.toUint8Array();
    expect(await valueAt(['subnet', subnetId(), 'node', nodeId, 'public_key'])).toEqual(server.authority.nodeKey);
    const first = Buffer.from('00000000000000000101', 'hex');
    const last = Buffer.from('ffffffffffffffff0101', 'hex');
    for (const path of [
      ['subnet', subnetId(), 'canister_ranges'],
      ['canister_ranges', subnetId(), first],
    ]) {
      expect(decode((await valueAt(path)) as Uint8Array)).toEqual([[new Uint8Array(first), new Uint8Array(last)]]);
    }
  });

  test('learns that an unknown request does not exist', async () => {
    expect(await valueAt(['request_status', new Uint8Array(32), 'status'])).toMatch(/Absent|Unknown/);
  });

  test('learns nothing else from a certificate', async () => {
    const answer = await read([['canister', ID, 'metadata', 'open']]);
    const certificate = Buffer.from(answer.cbor!.get('certificate') as Uint8Array);
    expect(certificate.includes('for all')).toBe(true);
    expect(certificate.includes('for controllers')).toBe(false);
  });
});

describe('refused', () => {
  test.each<[string, () => Label[][], number, RegExp]>([
    [
      'private metadata',
      () => [['canister', ID, 'metadata', 'secret']],
      403,
      /^metadata: expected a controller, as "secret" is private, got /,
    ],
    [
      'another canister',
      () => [['canister', OTHER.toUint8Array(), 'module_hash']],
      400,
      new RegExp(`^paths: expected the canister of the address, ${CANISTER_ID}, got ${OTHER}`),
    ],
    [
      'a whole canister',
      () => [['canister', ID]],
      404,
      /^paths: expected a path of the state tree that can be read, got \/canister\/0x0+10101/,
    ],
    ['certified data', () => [['canister', ID, 'certified_data']], 404, /^paths: .*certified_data/],
    ['all requests', () => [['request_status']], 404, /^paths: .*\/request_status/],
    ['everything', () => [[]], 404, /^paths: .* got \//],
    ['below a leaf', () => [['time', 'x']], 404, /^paths: .*\/time\/x/],
    [
      'metadata whose name is not UTF-8',
      () => [['canister', ID, 'metadata', Uint8Array.of(0xff)]],
      400,
      /^metadata: expected a name in UTF-8, got ff/,
    ],
    [
      'a request id of 31 bytes',
      () => [['request_status', new Uint8Array(31)]],
      400,
      /^request_status: expected a request id of 32 bytes, got 31/,
    ],
    [
      'two requests',
      () => [1, 2].map((n) => ['request_status', new Uint8Array(32).fill(n)]),
      400,
      /^paths: expected one id below \/request_status, got 2/,
    ],
    ['1,001 paths', () => Array(1_001).fill(['time']), 400, /^paths: expected at most 1000 elements, got 1001/],
    ['a path of 128 labels', () => [Array(128).fill('x')], 400, /^path: expected at most 127 elements, got 128/],
  ])('%s', async (_, paths, status, message) => {
    const answer = await read(paths(), stranger);
    expect(answer.text).toMatch(message);
    expect(answer.status).toBe(status);
  });

  test('a canister, at the address of a subnet', async () => {
    const answer = await read([['canister', ID, 'module_hash']], undefined, atSubnet());
    expect(answer.text).toMatch(/^paths: expected the canister of the address, a subnet's, got/);
    expect(answer.status).toBe(400);
  });
});

test('a controller reads private metadata', async () => {
  expect(Buffer.from(await valueAt(['canister', ID, 'metadata', 'secret'], controller)).toString()).toBe(
    'for controllers',
  );
});

describe('the status of a request', () => {
  const content = callContent({ sender: controller.principal.toUint8Array(), arg: Buffer.from('mine alone') });
  const requestId = requestIdOf(content);
  beforeAll(() => post(atCanister().replace('read_state', 'call'), envelope(controller, content)));

  test('is shown to its sender, with the reply', async () => {
    expect(Buffer.from(await valueAt(['request_status', requestId, 'status'], controller)).toString()).toBe('replied');
    expect(Buffer.from(await valueAt(['request_status', requestId, 'reply'], controller)).toString()).toBe(
      'mine alone',
    );
  });

  test.each([
    ['another user', stranger],
    ['the anonymous user', undefined],
  ])('is not shown to %s', async (_, key) => {
    const answer = await read([['request_status', requestId]], key);
    expect(answer.text).toMatch(/^request_status: expected the sender of the request, got /);
    expect(answer.status).toBe(403);
  });

  test('is not shown to a key that was delegated for another canister', async () => {
    const delegate = newKey();
    const delegation = signedDelegation(controller, delegate, { targets: [OTHER.toUint8Array()] });
    const reading = readStateContent([['request_status', requestId]], { sender: controller.principal.toUint8Array() });
    const body = envelope(delegate, reading, { sender_pubkey: controller.der, sender_delegation: [delegation] });
    const answer = await post(atCanister(), body);
    expect(answer.text).toMatch(/^request_status: expected a target of the delegations, got /);
    expect(answer.status).toBe(403);
  });
});
