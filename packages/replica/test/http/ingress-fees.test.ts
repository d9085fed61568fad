/**
 * What a canister pays for an update request: for the whole CBOR envelope, as dfinity/ic's `ingress_induction_cost` has
 * it, and 5 M more as soon as its execution begins, be there such a method or not. The figures of agents are those of
 * the Internet Computer's own execution environment.
 */
import { Actor, AnonymousIdentity, HttpAgent, type Identity } from '@dfinity/agent';
import { IDL } from '@dfinity/candid';
import { Ed25519KeyIdentity } from '@dfinity/identity';
import { Principal } from '@dfinity/principal';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { encode } from '../../src/certification/cbor.ts';
import { agentEnvelopeBytes, envelopeBytes } from '../../src/envelope-size.ts';
import { type Server, serve } from '../../src/http/serve.ts';
import { RejectError, Replica } from '../../src/index.ts';
import { canister } from '../wat.ts';
import { type Content, callContent, envelope, newKey, post, requestIdOf, signedDelegation, without } from './raw.ts';

const APPLES =
  'answer the following question reasoning step by step: joe has 22 apples, he gave away half and ate 6 apples how many apples does he have';
const generate = canister(`
  (data (i32.const 0) "DIDL\\00\\01\\71\\00")
  (func (export "canister_update generate") (call $msg_reply_data_append (i32.const 0) (i32.const 8)) (call $msg_reply))
  (func (export "canister_composite_query composite") (call $msg_reply))`);

let replica: Replica;
let server: Server;
let canisterId: Principal;
beforeEach(async () => {
  await server?.close();
  replica = new Replica({ keptMessages: 100 });
  canisterId = replica.createCanister().canisterId;
  await replica.installCode({ canisterId, wasm: generate });
  server = await serve(replica, { port: 0 });
});
afterAll(() => server.close());

/**
 * Cycles that some work costs the canister, but for the instructions of its messages and what it pays for being there
 * meanwhile.
 */
async function feesOf(work: () => Promise<unknown>): Promise<number> {
  replica.messages.length = 0;
  const called = replica.canister(canisterId)!;
  const { cycles, paidUntil } = called;
  await work();
  const instructions = replica.messages.reduce((all, record) => all + record.instructions.total, 0);
  return (
    Number(cycles - called.cycles - called.idleFee((called.paidUntil - paidUntil) / 1_000_000_000n)) - instructions
  );
}
const ingressFee = (bytes: number) => 1_200_000 + 2_000 * bytes;

describe('the envelope of an agent', () => {
  const ask = async (identity: Identity) => {
    const agent = await HttpAgent.create({ host: server.url, shouldFetchRootKey: true, identity });
    const service: IDL.InterfaceFactory = ({ IDL }) => IDL.Service({ generate: IDL.Func([IDL.Text], [IDL.Text], []) });
    return Actor.createActor<{ generate(text: string): Promise<string> }>(service, { agent, canisterId }).generate(
      APPLES,
    );
  };

  test('signed, it is 448 bytes, where the argument and the name are 153', async () => {
    expect(IDL.encode([IDL.Text], [APPLES]).length + 'generate'.length).toBe(153);
    expect(await feesOf(() => ask(Ed25519KeyIdentity.generate()))).toBe(ingressFee(448) + 5_000_000);
  });

  test('anonymous, it is 282 bytes', async () => {
    expect(await feesOf(() => ask(new AnonymousIdentity()))).toBe(ingressFee(282) + 5_000_000);
  });

  test('a call by the verbs of Replica counts as a signed one, whoever sends it', async () => {
    const call = { canisterId, method: 'generate', arg: new Uint8Array(IDL.encode([IDL.Text], [APPLES])) };
    expect(await feesOf(() => replica.updateCall(call))).toBe(ingressFee(448) + 5_000_000);
    const sender = newKey().principal;
    expect(await feesOf(() => replica.updateCall({ ...call, sender }))).toBe(ingressFee(448) + 5_000_000);
  });
});

describe('a method that is not there', () => {
  /** An anonymous call in an envelope of 163 bytes. */
  const of163 = (method_name: string) => {
    const content = callContent({ canister_id: canisterId.toUint8Array(), method_name, arg: new Uint8Array() });
    const rest = 163 - encode({ content }).length;
    return { content: { ...content, arg: new Uint8Array(rest - 1) } };
  };
  const url = () => `${server.url}/api/v3/canister/${canisterId}/call`;

  test.each(['missing', 'composite'])('costs an execution, 6,526,000 cycles in all: %s', async (method) => {
    const request = of163(method);
    expect(encode(request).length).toBe(163);
    expect(await feesOf(() => post(url(), request))).toBe(6_526_000);
    expect(replica.messages).toEqual([]);
  });

  test('costs as much where there is no module, in a call from another canister too', async () => {
    const caller = replica.createCanister();
    const forward = canister(`
      (table 1 funcref) (elem (i32.const 0) $back)
      (func $back (param i32) (call $msg_reply))
      (func (export "canister_update forward")
        (call $msg_arg_data_copy (i32.const 0) (i32.const 0) (call $msg_arg_data_size))
        (call $call_new (i32.const 0) (call $msg_arg_data_size) (i32.const 0) (i32.const 1)
          (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
        (drop (call $call_perform)))`);
    await replica.installCode({ canisterId: caller.canisterId, wasm: forward });
    const call = { canisterId: caller.canisterId, method: 'forward', arg: canisterId.toUint8Array() };
    const ofCallee = async () => {
      const { cycles } = replica.canister(canisterId)!;
      await replica.updateCall(call);
      return Number(cycles - replica.canister(canisterId)!.cycles);
    };
    expect(await ofCallee()).toBe(5_000_000);
    await replica.uninstallCode({ canisterId });
    expect(await ofCallee()).toBe(5_000_000);
  });

  test('is refused, and paid for by nobody, where the canister has no cycles to execute anything', async () => {
    const poor = replica.createCanister({ cycles: 30_000_000_000n });
    const call = { canisterId: poor.canisterId, method: 'missing', arg: new Uint8Array() };
    await replica.installCode({ canisterId: poor.canisterId, wasm: generate });
    const { cycles } = poor;
    await expect(replica.updateCall(call)).rejects.toMatchObject({ errorCode: 'IC0207' });
    expect(cycles - poor.cycles).toBe(BigInt(ingressFee(agentEnvelopeBytes({ methodName: 'missing', ...call }))));
  });
});

describe('its size', () => {
  const blob = (least: number, most: number) => fc.uint8Array({ minLength: least, maxLength: most });

  test('is that of its CBOR, whatever is in it', () => {
    const key = newKey();
    fc.assert(
      fc.property(
        fc.oneof(blob(0, 300), blob(65_000, 66_000)),
        fc.string({ maxLength: 300, unit: 'binary' }),
        fc.option(blob(0, 32), { nil: undefined }),
        fc.option(fc.array(fc.option(fc.array(blob(0, 29), { maxLength: 30 }), { nil: undefined }), { maxLength: 3 }), {
          nil: undefined,
        }),
        fc.boolean(),
        (arg, methodName, nonce, delegations, isSigned) => {
          const sender = isSigned ? key.principal : Principal.anonymous();
          const request = { canisterId, methodName, arg, sender };
          const senderDelegation = delegations?.map((targets) => {
            const delegation = { pubkey: key.der, expiration: 1_800_000_000_000_000_000n, targets };
            return { delegation, signature: new Uint8Array(64) };
          });
          const signature = isSigned ? { senderPubkey: key.der, senderSig: new Uint8Array(64), senderDelegation } : {};
          const content = callContent({ ...contentOf(request), nonce });
          const cbor = encode(
            without({
              content: without(content),
              sender_pubkey: signature.senderPubkey,
              sender_sig: signature.senderSig,
              sender_delegation: signature.senderDelegation?.map(({ delegation, signature }) => ({
                delegation: without(delegation),
                signature,
              })),
            }),
          );
          expect(envelopeBytes(request, { nonce, ...signature })).toBe(cbor.length);
        },
      ),
      { numRuns: 300, endOnFailure: true },
    );
  });

  const contentOf = ({ canisterId, methodName, arg, sender }: Parameters<typeof envelopeBytes>[0]): Content => ({
    canister_id: canisterId.toUint8Array(),
    method_name: methodName,
    arg,
    sender: sender.toUint8Array(),
  });

  test.each<[string, (content: Content) => Content]>([
    [
      'nulls',
      (content) => ({
        content: { ...content, nonce: null },
        sender_pubkey: null,
        sender_sig: null,
        sender_delegation: null,
      }),
    ],
    ['fields that nobody knows beside the content', (content) => ({ content, further: 'x'.repeat(100) })],
    ['no more than the content', (content) => ({ content })],
  ])('does not depend on %s', async (_, around) => {
    const content = callContent({ canister_id: canisterId.toUint8Array(), method_name: 'generate' });
    const url = `${server.url}/api/v2/canister/${canisterId}/call`;
    const least = encode({ content }).length;
    const fees = await feesOf(async () => {
      expect(await post(url, around(content))).toMatchObject({ status: 202 });
      await replica.whenEnded(requestIdOf(content), 10_000);
    });
    expect(fees).toBe(ingressFee(least) + 5_000_000);
  });

  test('has delegations in it', async () => {
    const [owner, session] = [newKey(), newKey()];
    const content = without(
      callContent({ canister_id: canisterId.toUint8Array(), method_name: 'generate', sender: undefined }),
    );
    const request = envelope(
      session,
      { ...content, sender: owner.principal.toUint8Array() },
      {
        sender_pubkey: owner.der,
        sender_delegation: [signedDelegation(owner, session)],
      },
    );
    const url = `${server.url}/api/v3/canister/${canisterId}/call`;
    expect(await feesOf(() => post(url, request))).toBe(ingressFee(encode(request).length) + 5_000_000);
  });

  test('counts towards the limit of two megabytes, with the 32 bytes of an id', async () => {
    const call = (bytes: number) => ({ canisterId, method: 'generate', arg: new Uint8Array(bytes) });
    const besides =
      agentEnvelopeBytes({ canisterId, methodName: 'generate', arg: new Uint8Array(1 << 20) }) - (1 << 20);
    const most = 2 * 1024 * 1024 - 32 - besides;
    await replica.updateCall(call(most));
    const refused = await replica.updateCall(call(most + 1)).catch((error) => error);
    expect(refused).toBeInstanceOf(RejectError);
    expect(refused.message).toMatch(/at most 2097152 bytes with its envelope and id, got 2097153/);
  });
});
