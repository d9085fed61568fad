/** An echo canister on the fake core, its Candid interface, and identities of the three key schemes. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type ActorMethod, type PublicKey, type Signature, SignIdentity } from '@dfinity/agent';
import { IDL } from '@dfinity/candid';
import type { CanisterInfo, Request } from '../../src/types.ts';
import { FakeCore, type Method } from './fake-core.ts';

export const CANDID = `service : {
  echo : (text) -> (text);
  fail : (text) -> (text);
  slow : (text) -> (text);
  who : () -> (principal) query;
  echo_query : (text) -> (text) query;
  fail_query : (text) -> (text) query;
}`;

export interface Echo {
  echo: ActorMethod<[string], string>;
  fail: ActorMethod<[string], string>;
  slow: ActorMethod<[string], string>;
  who: ActorMethod<[], import('@dfinity/principal').Principal>;
  echo_query: ActorMethod<[string], string>;
  fail_query: ActorMethod<[string], string>;
}

export const echoInterface: IDL.InterfaceFactory = ({ IDL }) =>
  IDL.Service({
    echo: IDL.Func([IDL.Text], [IDL.Text], []),
    fail: IDL.Func([IDL.Text], [IDL.Text], []),
    slow: IDL.Func([IDL.Text], [IDL.Text], []),
    who: IDL.Func([], [IDL.Principal], ['query']),
    echo_query: IDL.Func([IDL.Text], [IDL.Text], ['query']),
    fail_query: IDL.Func([IDL.Text], [IDL.Text], ['query']),
  });

/** How long `slow` takes, in milliseconds. */
export const SLOW = 600;

const echo: Method = ({ arg }) => arg;
const fail: Method = ({ arg }: Request) => {
  throw new Error(`refused: ${IDL.decode([IDL.Text], arg)[0]}`);
};
const slow: Method = async ({ arg }) => {
  await new Promise((resolve) => setTimeout(resolve, SLOW));
  return arg;
};

export function echoCore(info: Partial<CanisterInfo> = {}): FakeCore {
  return new FakeCore(
    { echo, fail, slow },
    { echo_query: echo, fail_query: fail, who: ({ sender }) => IDL.encode([IDL.Principal], [sender]) },
    info,
  );
}

/** A secp256k1 identity on Node's own crypto. */
export class Secp256k1Identity extends SignIdentity {
  readonly #secret: KeyObject;
  readonly #der: Uint8Array;

  constructor() {
    super();
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    this.#secret = privateKey;
    this.#der = publicKey.export({ format: 'der', type: 'spki' });
  }

  getPublicKey(): PublicKey {
    return { toDer: () => this.#der } as PublicKey;
  }

  async sign(message: Uint8Array): Promise<Signature> {
    return sign('sha256', message, { key: this.#secret, dsaEncoding: 'ieee-p1363' }) as unknown as Signature;
  }
}
