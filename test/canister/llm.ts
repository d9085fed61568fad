/** The canister on a replica in this process, with an actor for whoever calls it. */
import { createHash } from 'node:crypto';
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { type MessageRecord, Replica, type ReplicaOptions } from '../../packages/replica/src/index.ts';
import {
  GenerateOptions,
  HttpRequest,
  HttpResponse,
  ListOptions,
  type _SERVICE as Llm,
  SettingsChange,
  idlService as service,
} from '../../src/interface/llm.did.ts';
import { buildCanister, type Canister } from '../../src/node/build/canister.ts';
import { sharingCode } from './shared-code.ts';

export const controller = Principal.selfAuthenticating(new Uint8Array([1]));
export const stranger = Principal.selfAuthenticating(new Uint8Array([2]));

/** A record of `opt` fields with those given set. */
function optional<T>(type: IDL.RecordClass, given: object): T {
  const values = given as Record<string, unknown>;
  return Object.fromEntries(type._fields.map(([name]) => [name, name in values ? [values[name]] : []])) as T;
}
type Given<T> = { [K in keyof T]?: T[K] extends [] | [infer V] ? (V extends Uint32Array ? number[] : V) : never };

export const options = (given: Given<GenerateOptions>): [GenerateOptions] => [optional(GenerateOptions, given)];
export const listOptions = (given: Given<ListOptions>): [ListOptions] => [optional(ListOptions, given)];
export const change = (given: Given<SettingsChange>): SettingsChange => optional(SettingsChange, given);

/** The `Ok` of a result. @throws Error with its `Err` */
export function ok<T>(result: { Ok: T } | { Err: unknown }): T {
  if ('Ok' in result) return result.Ok;
  throw new Error(JSON.stringify(result.Err, (_, value) => (typeof value === 'bigint' ? Number(value) : value)));
}

export interface Installed {
  replica: Replica;
  canisterId: Principal;
  /** An actor for a caller; the controller's by default. */
  as(sender?: Principal): Llm;
  /** Upgrades to the same module. */
  upgrade(): Promise<void>;
  /** Messages executed since the last time this was asked. */
  newMessages(): MessageRecord[];
}

/** The canister's methods, called by `sender` through the replica's own verbs, without HTTP. */
export function actor(replica: Replica, canisterId: Principal, sender: Principal): Llm {
  const methods = service._fields.map(([method, type]) => {
    const run = async (...args: unknown[]): Promise<unknown> => {
      const call = { canisterId, method, sender, arg: new Uint8Array(IDL.encode(type.argTypes, args)) };
      const isQuery = type.annotations.includes('query');
      const reply = await (isQuery ? replica.queryCall(call) : replica.updateCall(call));
      return IDL.decode(type.retTypes, reply as Uint8Array<ArrayBuffer>)[0];
    };
    return [method, run];
  });
  return Object.fromEntries(methods);
}

let built: Promise<Canister> | undefined;
/** The llm canister. Whether it is up to date is looked at once in each file, as that takes half a second. */
export function builtLlm(): Promise<Canister> {
  built ??= buildCanister('llm');
  return built;
}

/** @param specifiedId the canister's, where it has to have a certain one */
export async function install(replicaOptions: ReplicaOptions = {}, specifiedId?: Principal): Promise<Installed> {
  const { gz } = await builtLlm();
  const replica = new Replica({ seed: 1, ...replicaOptions });
  const { canisterId } = replica.createCanister({ controllers: [controller], cycles: 10n ** 15n, specifiedId });
  await sharingCode(() => replica.installCode({ canisterId, wasm: gz, sender: controller }));
  let seen = 0;
  return {
    replica,
    canisterId,
    as: (sender = controller) => actor(replica, canisterId, sender),
    upgrade: () => replica.installCode({ canisterId, wasm: gz, mode: 'upgrade', sender: controller }),
    newMessages: () => {
      const messages = replica.messages.slice(seen);
      seen = replica.messages.length;
      return messages;
    },
  };
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Uploads a pack as a client does. @throws Error with the canister's, where it refuses */
export async function upload(llm: Llm, pack: Uint8Array): Promise<void> {
  const { chunk_bytes, chunks } = ok(await llm.upload_start(BigInt(pack.length), sha256Of(pack)));
  for (let i = 0; i < chunks; i++) {
    ok(await llm.upload_chunk(i, pack.slice(i * chunk_bytes, (i + 1) * chunk_bytes), []));
  }
  ok(await llm.upload_commit());
}

/** The status that OpenAI's API of the canister answers a stranger's conversation with. */
export async function chatStatus({ replica, canisterId }: Installed, request: object): Promise<number> {
  const body = new TextEncoder().encode(JSON.stringify(request));
  const given = { method: 'POST', url: '/v1/chat/completions', headers: [], body, certificate_version: [] };
  const arg = new Uint8Array(IDL.encode([HttpRequest], [given]));
  const reply = await replica.updateCall({ canisterId, method: 'http_request_update', sender: stranger, arg });
  const [response] = IDL.decode([HttpResponse], reply as Uint8Array<ArrayBuffer>);
  return (response as unknown as { status_code: number }).status_code;
}
