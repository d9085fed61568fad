/**
 * From `--network`, `--canister` and `--identity` to a client: what the commands that talk to a canister anywhere have
 * in common.
 */
import { Principal } from '@dfinity/principal';
import type { Command } from 'commander';
import { type Client, connect } from '../../client/index.ts';
import { messageOf, userPath } from '../terminal/command.ts';
import { readPemIdentity } from './pem-identity.ts';
import { FIRST_PORT, findServed } from './served.ts';

export interface NetworkOptions {
  network: string;
  canister?: string;
  identity?: string;
  fetchRootKey?: boolean;
}

export const addNetworkOptions = (program: Command): Command =>
  program
    .option(
      '--network <url|ic|local>',
      'address; ic: the Internet Computer; local: what npm start -- --serve serves',
      'local',
    )
    .option('--canister <id>', "the model's canister (default: the one that is served locally)")
    .option('--identity <pem>', 'who calls: a file as dfx or icp identity export writes it (default: anonymous)')
    .option('--fetch-root-key', 'believe the root key that the network itself tells: for test networks elsewhere');

/** @throws Error saying which option is wrong */
export async function connectTo(
  options: NetworkOptions,
): Promise<{ client: Client; canisterId: Principal; host: string }> {
  const living = await findServed();
  const local = living[0]?.url ?? `http://127.0.0.1:${FIRST_PORT}`;
  const host = { ic: 'https://icp-api.io', local }[options.network] ?? options.network;
  if (!URL.canParse(host) || !/^https?:/.test(host))
    throw new Error(`--network: expected a URL, ic or local, got ${JSON.stringify(host)}`);
  const there = living.find(({ url }) => new URL(url).origin === new URL(host).origin);
  const canister = options.canister ?? there?.canisterId;
  if (canister === undefined && options.network === 'local')
    throw new Error(
      `--network local: expected a replica that npm start -- --serve has up, got none at ${host}; run that in another terminal, or name --network and --canister`,
    );
  if (canister === undefined)
    throw new Error(
      `--canister: expected the id of the model canister on ${host}, got none; icp deploy says it, and npm start -- --serve makes one`,
    );
  const canisterId = canisterIdFrom(canister);
  const identity = options.identity === undefined ? undefined : await readPemIdentity(userPath(options.identity));
  const { fetchRootKey } = options;
  const client = await connect({ host, canisterId, identity, fetchRootKey }).catch((error) => {
    throw new Error(`--network: expected a network at ${host}, got ${messageOf(error)}`, { cause: error });
  });
  return { client, canisterId, host };
}

function canisterIdFrom(text: string): Principal {
  try {
    return Principal.fromText(text);
  } catch {
    throw new Error(`--canister: expected an id like rwlgt-iiaaa-aaaaa-aaaaa-cai, got ${JSON.stringify(text)}`);
  }
}
