/**
 * From an address to a client: the agent, and whose word it trusts. Certificates and query signatures are verified
 * always.
 */
import { Actor, HttpAgent, type Identity } from '@dfinity/agent';
import type { Principal } from '@dfinity/principal';
import { type _SERVICE, idlService } from '../interface/llm.did.ts';
import { Client } from './client.ts';
import { together } from './together.ts';

export interface ConnectOptions {
  /**
   * The model's canister. Of several that hold the same model, each question goes to the least busy one, and on to the
   * next where one is stopped or full.
   */
  canisterId: Principal | string | readonly (Principal | string)[];
  /**
   * Address of the network. Default: what the agent takes, the Internet Computer or the place a page was served from.
   */
  host?: string;
  /** Who calls; default: anonymous. */
  identity?: Identity;
  /** The network's root key, DER. Default: the Internet Computer's. */
  rootKey?: Uint8Array;
  /**
   * Takes the root key from the network itself: for test networks only. Default: true where the host is this machine.
   */
  fetchRootKey?: boolean;
  /** An agent of one's own, instead of all the above but the canister. */
  agent?: HttpAgent;
}

const isLoopback = (host: string): boolean =>
  /^(.*\.)?localhost$|^127\.\d+\.\d+\.\d+$|^\[::1\]$/.test(new URL(host).hostname);

/**
 * A client of the canister.
 * @example const client = await connect({ host: 'http://127.0.0.1:4943', canisterId });
 *          for await (const text of client.stream('opposite of hot:')) show(text);
 * @throws AgentError where the network has to be asked for its root key and does not answer; RangeError for no id at
 * all
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const { canisterId, host, identity, rootKey } = options;
  const fetchRootKey = options.fetchRootKey ?? (rootKey === undefined && host !== undefined && isLoopback(host));
  const agent =
    options.agent ?? (await HttpAgent.create({ host, identity, rootKey, shouldFetchRootKey: fetchRootKey }));
  const ids = typeof canisterId === 'string' || !Array.isArray(canisterId) ? [canisterId] : canisterId;
  const members = ids.map((id) => Actor.createActor<_SERVICE>(() => idlService, { agent, canisterId: id }));
  return new Client(together(members), members);
}
