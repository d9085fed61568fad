/** Certificates, as @dfinity/agent verifies them; and how often they are signed. */
import { Cbor, Certificate } from '@dfinity/agent';
import { Principal } from '@dfinity/principal';
import { describe, expect, test } from 'vitest';
import { Authority } from '../../src/certification/authority.ts';
import { Certifier } from '../../src/certification/certifier.ts';
import { bytes } from '../../src/certification/hash-tree.ts';
import { echoCore } from '../http/echo.ts';
import { CANISTER_ID } from '../http/fake-core.ts';

const authority = new Authority('test');

/** Counts the signatures of an authority. */
function counted() {
  const counter = { signatures: 0 };
  const counting = new Authority('test');
  counting.signStateRoot = (hash) => {
    counter.signatures += 1;
    return authority.signStateRoot(hash);
  };
  return { counter, counting };
}

const verified = (certificate: Uint8Array, rootKey = authority.rootKey) =>
  Certificate.create({ certificate, rootKey, canisterId: CANISTER_ID });

describe('certificates', () => {
  test('verify with the root key, and with no other', async () => {
    const certificate = await new Certifier(echoCore(), authority).certificate([]);
    await verified(certificate);
    await expect(verified(certificate, new Authority('another').rootKey)).rejects.toThrow(/verification failed/i);
  });

  test('no longer verify with any one byte changed', async () => {
    const certificate = await new Certifier(echoCore(), authority).certificate([[bytes('canister')]]);
    const { tree, signature } = Cbor.decode<{ tree: unknown; signature: Uint8Array }>(certificate);
    await verified(Cbor.encode({ tree, signature }));
    const refused: number[] = [];
    const step = Math.ceil(certificate.length / 60);
    for (let at = 0; at < certificate.length; at += step) {
      const changed = Uint8Array.from(certificate);
      changed[at]! ^= 1;
      await verified(changed).catch(() => refused.push(at));
    }
    expect(refused.length).toBe(Math.ceil(certificate.length / step));
  });

  test('show nothing of other canisters data: certified data is for the canister alone', async () => {
    const core = echoCore({ certifiedData: bytes('certified by the canister') });
    const certifier = new Certifier(core, authority);
    const certificate = await verified(certifier.dataCertificate(CANISTER_ID));
    const found = certificate.lookup_path([bytes('canister'), CANISTER_ID.toUint8Array(), bytes('certified_data')]);
    expect(found).toMatchObject({ status: 'Found', value: bytes('certified by the canister') });
    const other = certifier.dataCertificate(Principal.fromHex('00000000000000020101'));
    expect(Buffer.from(other).includes('certified by the canister')).toBe(false);
  });
});

describe('signatures', () => {
  test('one serves all who ask at once', async () => {
    const { counter, counting } = counted();
    const certifier = new Certifier(echoCore(), counting);
    await Promise.all(Array.from({ length: 50 }, () => certifier.certificate([])));
    expect(counter.signatures).toBe(1);
  });

  test('an unchanged state keeps its signature for a second of its own time', async () => {
    const { counter, counting } = counted();
    const core = echoCore();
    core.time = () => now;
    let now = 1_000_000_000_000n;
    const certifier = new Certifier(core, counting);
    for (const passed of [0n, 1n, 999_999_999n]) {
      now = 1_000_000_000_000n + passed;
      await certifier.certificate([]);
    }
    expect(counter.signatures).toBe(1);
    now += 2n;
    await certifier.certificate([]);
    expect(counter.signatures).toBe(2);
    now -= 10n;
    await certifier.certificate([]);
    expect(counter.signatures, 'the clock was set back').toBe(3);
  });

  test('a changed state is signed anew', async () => {
    const { counter, counting } = counted();
    const core = echoCore();
    const certifier = new Certifier(core, counting);
    certifier.dataCertificate(CANISTER_ID);
    core.info.certifiedData = Uint8Array.of(1);
    const path = [bytes('canister'), CANISTER_ID.toUint8Array(), bytes('certified_data')];
    const certificate = await verified(certifier.dataCertificate(CANISTER_ID));
    expect(certificate.lookup_path(path)).toMatchObject({ value: Uint8Array.of(1) });
    expect(counter.signatures).toBe(2);
  });
});

describe('keys', () => {
  test('come from the seed: the same one gives the same keys', () => {
    expect(new Authority('test').rootKey).toEqual(authority.rootKey);
    expect(new Authority('test').nodeId.toText()).toBe(authority.nodeId.toText());
    expect(new Authority('other').rootKey).not.toEqual(authority.rootKey);
  });

  test('are of the sizes clients expect, and name subnet and node', () => {
    expect([authority.rootKey.length, authority.nodeKey.length]).toEqual([133, 44]);
    expect(authority.subnetId.toText()).toBe(Principal.selfAuthenticating(authority.rootKey).toText());
  });
});
