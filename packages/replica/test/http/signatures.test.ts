/** Signatures and delegations the replica refuses, and the words it refuses them with. */
import { Principal } from '@dfinity/principal';
import { describe, expect, test } from 'vitest';
import { echoCore } from './echo.ts';
import { CANISTER_ID } from './fake-core.ts';
import {
  type Content,
  callContent,
  envelope,
  inMinutes,
  newKey,
  post,
  requestIdOf,
  signed,
  signedDelegation,
  without,
} from './raw.ts';
import { served } from './served.ts';

const core = echoCore();
const key = newKey();
const OTHER = Principal.fromHex('00000000000000020101');
const by = (changes: Content = {}) => callContent({ sender: undefined, ...changes });

const server = served(core);

describe('signatures', () => {
  const delegate = newKey();
  const content = () => without(by());
  /** An envelope signed by the delegate with the given delegations. */
  const delegated = (chain: unknown[], signer = delegate) =>
    envelope(
      signer,
      { ...content(), sender: key.principal.toUint8Array() },
      { sender_pubkey: key.der, sender_delegation: chain },
    );

  test('what is right is accepted', async () => {
    expect((await post(server.calls, envelope(key, content()))).status).toBe(200);
    expect((await post(server.calls, delegated([signedDelegation(key, delegate)]))).status).toBe(200);
  });

  test.each<[string, () => Content, RegExp]>([
    [
      'none',
      () => ({ content: { ...content(), sender: key.principal.toUint8Array() } }),
      /^sender: expected sender_pubkey and sender_sig of .*, got no sender_pubkey/,
    ],
    ['a key alone', () => envelope(key, content(), { sender_sig: undefined }), /got no sender_sig/],
    [
      'of the anonymous sender',
      () => envelope(key, callContent()),
      /^sender: expected no key and no signature of the anonymous sender/,
    ],
    [
      'of another principal',
      () => envelope(key, { ...content(), sender: newKey().principal.toUint8Array() }),
      /^sender: expected .*, whose sender_pubkey it is, got/,
    ],
    [
      'of another key',
      () => envelope(newKey(), { ...content(), sender: key.principal.toUint8Array() }, { sender_pubkey: key.der }),
      /^sender_sig: expected a signature of the request id/,
    ],
    [
      'of other content',
      () =>
        envelope(key, content(), {
          content: { ...content(), sender: key.principal.toUint8Array(), arg: Uint8Array.of(9) },
        }),
      /^sender_sig: expected/,
    ],
    [
      'with another domain separator',
      () => ({
        ...envelope(key, content()),
        sender_sig: signed(key, requestIdOf({ ...content(), sender: key.principal.toUint8Array() }), '\x0bic-response'),
      }),
      /^sender_sig: expected/,
    ],
    ['of 63 bytes', () => envelope(key, content(), { sender_sig: new Uint8Array(63) }), /^sender_sig: expected/],
    [
      'by a key that is no key',
      () => unknownKey(Buffer.from('not a key')),
      /^public key: expected Ed25519, P-256 or secp256k1 in DER, got 9 bytes/,
    ],
    ['by an RSA key', () => unknownKey(RSA), /^public key: expected Ed25519, P-256 or secp256k1 in DER, got rsa/],
    [
      'by a canister',
      () => unknownKey(Buffer.from('301e300c060a2b0601040183b8430102030e000a0000000000000001010174', 'hex')),
      /got a canister signature, which this replica does not verify/,
    ],
    [
      'by WebAuthn',
      () => unknownKey(Buffer.from('301e300c060a2b0601040183b8430101030e000a0000000000000001010174', 'hex')),
      /got a WebAuthn \(COSE\) key, which this replica does not verify/,
    ],
    [
      'delegated, but expired',
      () => delegated([signedDelegation(key, delegate, { expiration: inMinutes(-1) })]),
      /^sender_delegation 1: expected an expiration after/,
    ],
    ['delegated, but to another key', () => delegated([signedDelegation(key, newKey())]), /^sender_sig: expected/],
    [
      'delegated by another key',
      () => delegated([signedDelegation(newKey(), delegate)]),
      /^sender_delegation 1: expected a signature of the delegation by the key before it/,
    ],
    [
      'delegated to the key itself',
      () => delegated([signedDelegation(key, key)], key),
      /^sender_delegation 1: expected each key once/,
    ],
    [
      'delegated 21 times',
      () => delegated(Array(21).fill(signedDelegation(key, delegate))),
      /^sender_delegation: expected at most 20 delegations, got 21/,
    ],
    [
      'delegated for 1,001 canisters',
      () => delegated([signedDelegation(key, delegate, { targets: Array(1_001).fill(OTHER.toUint8Array()) })]),
      /^sender_delegation 1: expected at most 1000 targets, got 1001/,
    ],
    [
      'a delegation without expiration',
      () => delegated([{ delegation: { pubkey: delegate.der }, signature: new Uint8Array(64) }]),
      /^expiration of a delegation: expected a natural number, got nothing/,
    ],
  ])('%s', async (_, make, message) => {
    const answer = await post(server.calls, without(make()));
    expect(answer.text).toMatch(message);
    expect(answer.status).toBe(400);
  });

  test.each<[string, () => unknown[]]>([
    ['one delegation', () => [signedDelegation(key, delegate, { targets: [OTHER.toUint8Array()] })]],
    [
      'two delegations with nothing in common',
      () => {
        const middle = newKey();
        return [
          signedDelegation(key, middle, { targets: [OTHER.toUint8Array()] }),
          signedDelegation(middle, delegate, { targets: [CANISTER_ID.toUint8Array()] }),
        ];
      },
    ],
  ])('for other canisters, by %s', async (_, chain) => {
    const answer = await post(server.calls, delegated(chain()));
    expect(answer.text).toMatch(
      new RegExp(`^canister_id: expected a target of the sender's delegations, got ${CANISTER_ID}`),
    );
    expect(answer.status).toBe(403);
  });

  function unknownKey(der: Uint8Array): Content {
    const sender = Principal.selfAuthenticating(der).toUint8Array();
    return { content: { ...content(), sender }, sender_pubkey: der, sender_sig: new Uint8Array(64) };
  }
});

const RSA = Buffer.from(
  '305c300d06092a864886f70d0101010500034b003048024100c3f5b1f9d5d2a7f1f6b1e9a3c7d5e1f3a9b7c5d3e1f0a2b4c6d8eaf0c2d4e6f8a1b3c5d7e9fbadcfe1f3a5b7c9dbedff0123456789abcdef0123456789abcdef0203010001',
  'hex',
);
