/**
 * Which canister served this page: its id is the host's first label, or in the query, or the gateway says it, as for a
 * domain of one's own.
 */
import { type Client, connect } from '../client/index.ts';

const ID = /^(?:[a-z0-9]{5}-)+[a-z0-9]{1,5}$/;

async function findId(): Promise<string> {
  const named = location.hostname.split('.')[0]!;
  if (ID.test(named)) return named;
  const given = new URLSearchParams(location.search).get('canisterId');
  if (given) return given;
  const { headers } = await fetch('/', { method: 'HEAD' });
  const told = headers.get('x-ic-canister-id');
  if (told) return told;
  throw new Error(`address: expected <canister id>.<domain>, got ${location.host}`);
}

let id: Promise<string> | undefined;

/** The canister's id, found out once. */
export function canisterId(): Promise<string> {
  id ??= findId().catch((error) => {
    id = undefined;
    throw error;
  });
  return id;
}

let client: Promise<Client> | undefined;

/** A client of it, at the address that the page came from. What failed is tried again the next time. */
export function llm(): Promise<Client> {
  client ??= canisterId()
    .then((id) => connect({ host: location.origin, canisterId: id }))
    .catch((error) => {
      client = undefined;
      throw error;
    });
  return client;
}
