/**
 * Requests gone wrong in every way we could think of, for the fuzzing test and for the long run. What goes wrong is
 * drawn from a seed; the keys and the times in the requests are new in each run.
 */
import { encode } from '../../src/certification/cbor.ts';
import { ROUTES } from '../../src/http/routes.ts';
import { CANISTER_ID } from './fake-core.ts';
import { type Content, callContent, envelope, newKey, readStateContent, signedDelegation } from './raw.ts';

export interface Malformed {
  kind: string;
  path: string;
  body: Uint8Array;
}

/** Numbers in [0, n), the same for the same seed (mulberry32). */
export function random(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** Draws requests without end. */
export function* malformedRequests(seed: number, subnetId: string): Generator<Malformed> {
  const draw = random(seed);
  const pick = <T>(items: readonly T[]): T => items[draw(items.length)]!;
  const bytes = (n: number) => Uint8Array.from({ length: n }, () => draw(256));
  const posts = ROUTES.filter(({ method }) => method === 'POST').map(({ path }) =>
    path.replace('<canister>', CANISTER_ID.toText()).replace('<subnet>', subnetId),
  );
  const keys = Array.from({ length: 4 }, newKey);

  const wellFormed = (): Content => {
    const key = pick(keys);
    const sender = key.principal.toUint8Array();
    const content = pick([
      () => callContent({ sender, arg: bytes(draw(50)) }),
      () => callContent({ sender, request_type: 'query', method_name: 'echo_query' }),
      () => callContent({ sender, canister_id: new Uint8Array(), method_name: 'install_code', arg: bytes(draw(50)) }),
      () =>
        readStateContent([['time'], ['request_status', bytes(32)], ['canister', CANISTER_ID.toUint8Array()]], {
          sender,
        }),
    ])();
    if (draw(3) === 0) return { content: { ...content, sender: Uint8Array.of(4) } };
    if (draw(2) === 0) return envelope(key, content);
    const delegate = pick(keys);
    return envelope(delegate, content, {
      sender_pubkey: key.der,
      sender_delegation: [signedDelegation(key, delegate)],
    });
  };

  /** A value of a random kind, nested a few levels at most. */
  const anything = (depth = 3): unknown => {
    const kinds = [
      () => draw(1 << 30),
      () => BigInt(draw(1 << 30)) * BigInt(draw(1 << 30)),
      () => -draw(1000),
      () => bytes(draw(100)),
      () => Buffer.from(bytes(draw(20))).toString('latin1'),
      () => pick([true, false, null, 0.5, '', '__proto__', 'constructor', new Uint8Array(), 2n ** 64n - 1n]),
      () => Array.from({ length: draw(5) }, () => anything(depth - 1)),
      () => Object.fromEntries(Array.from({ length: draw(5) }, () => [pick(FIELDS), anything(depth - 1)])),
    ];
    return pick(depth > 0 ? kinds : kinds.slice(0, 6))();
  };

  /** A copy in which one field, at any depth, is another value, is left out, or is added. */
  const withOneWrong = (value: Content): Content => {
    const entries = Object.entries(value);
    const at = draw(entries.length + 1);
    const below = entries[at]?.[1];
    if (at === entries.length) return { ...value, [pick(FIELDS)]: anything() };
    if (below?.constructor === Object && draw(3) > 0) entries[at]![1] = withOneWrong(below as Content);
    else if (draw(4) === 0) entries.splice(at, 1);
    else entries[at]![1] = anything();
    return Object.fromEntries(entries);
  };

  const kinds: Record<string, () => Uint8Array> = {
    'random bytes': () => bytes(draw(300)),
    'one field wrong': () => encode(withOneWrong(wellFormed())),
    'anything at all': () => encode(anything(6)),
    'bits flipped': () => {
      const body = Uint8Array.from(encode(wellFormed()));
      for (let flips = 1 + draw(4); flips > 0; flips--) body[draw(body.length)]! ^= 1 << draw(8);
      return body;
    },
    truncated: () => {
      const body = encode(wellFormed());
      return body.subarray(0, draw(body.length));
    },
    'a piece repeated': () => {
      const body = encode(wellFormed());
      const [from, to] = [draw(body.length), draw(body.length)];
      return Buffer.concat([body.subarray(0, to), body.subarray(from)]);
    },
    'lengths that lie': () => {
      const body = Uint8Array.from(encode(wellFormed()));
      // A head of major type 2 to 6 with an argument of 1 to 8 bytes, or of indefinite length.
      body[draw(body.length)] = pick([
        0x58, 0x59, 0x5a, 0x5b, 0x78, 0x7b, 0x98, 0x9b, 0xb8, 0xbb, 0xdb, 0x5f, 0x7f, 0x9f, 0xbf, 0xff,
      ]);
      return body;
    },
    'nested deeply': () => new Uint8Array(draw(50_000)).fill(pick([0x81, 0x9f, 0xa1, 0xbf, 0xd8])),
  };

  while (true) {
    const kind = pick(Object.keys(kinds));
    yield { kind, path: pick(posts), body: kinds[kind]!() };
  }
}

const FIELDS = [
  'content',
  'sender_pubkey',
  'sender_sig',
  'sender_delegation',
  'delegation',
  'pubkey',
  'expiration',
  'targets',
  'signature',
  'request_type',
  'canister_id',
  'method_name',
  'arg',
  'sender',
  'nonce',
  'ingress_expiry',
  'paths',
  'sender_info',
  '__proto__',
];
