/** The Candid types of what keeps the canister: settings, roles, packs, status, HTTP. See candid.ts. */
import { IDL } from '@dfinity/candid';
import type { Principal } from '@dfinity/principal';
import type { Opt } from './opt.ts';

export const UploadError = IDL.Variant({
  /** The caller is neither a controller nor an admin. */
  NotController: IDL.Text,
  /** No upload is under way. */
  NotStarted: IDL.Text,
  InvalidSize: IDL.Text,
  InvalidHash: IDL.Text,
  InvalidChunk: IDL.Text,
  Incomplete: IDL.Record({ missing: IDL.Vec(IDL.Nat32), message: IDL.Text }),
  /** The bytes have another hash than was said at the start. */
  WrongHash: IDL.Text,
  /** The bytes are no pack that this canister takes. */
  InvalidPack: IDL.Text,
  /** The packs would take more room than the settings allow. */
  NoRoom: IDL.Text,
  /** No pack with this hash is stored, or it may not be deleted. */
  NoSuchModel: IDL.Text,
});
export type UploadError =
  | { NotController: string }
  | { NotStarted: string }
  | { InvalidSize: string }
  | { InvalidHash: string }
  | { InvalidChunk: string }
  | { Incomplete: { missing: number[]; message: string } }
  | { WrongHash: string }
  | { InvalidPack: string }
  | { NoRoom: string }
  | { NoSuchModel: string };

export const UploadPlan = IDL.Record({ chunk_bytes: IDL.Nat32, chunks: IDL.Nat32 });
export interface UploadPlan {
  chunk_bytes: number;
  chunks: number;
}
export const UploadStartResult = IDL.Variant({ Ok: UploadPlan, Err: UploadError });
export type UploadStartResult = { Ok: UploadPlan } | { Err: UploadError };
export const UploadResult = IDL.Variant({ Ok: IDL.Null, Err: UploadError });
export type UploadResult = { Ok: null } | { Err: UploadError };

/** What a model is for, in words; its folder's `about.json` has them. */
export const About = IDL.Record({
  description: IDL.Text,
  /** Questions that it answers. */
  examples: IDL.Vec(IDL.Text),
});
export interface About {
  description: string;
  examples: string[];
}

export const ModelInfo = IDL.Record({
  name: IDL.Text,
  /** Of the whole pack, in hexadecimal. */
  sha256: IDL.Text,
  bytes: IDL.Nat64,
  weights: IDL.Text,
  vocabulary_size: IDL.Nat32,
  d_model: IDL.Nat32,
  encoder_layers: IDL.Nat32,
  decoder_layers: IDL.Nat32,
  max_prompt_tokens: IDL.Nat32,
  max_new_tokens: IDL.Nat32,
  /** What its `generation_config.json` asks for by default and is not applied here. */
  not_applied: IDL.Vec(IDL.Text),
  /** Whether the weights are in the arena yet; if not, the next message that needs them brings them there. */
  ready: IDL.Bool,
  about: IDL.Opt(About),
});
export interface ModelInfo {
  name: string;
  sha256: string;
  bytes: bigint;
  weights: string;
  vocabulary_size: number;
  d_model: number;
  encoder_layers: number;
  decoder_layers: number;
  max_prompt_tokens: number;
  max_new_tokens: number;
  not_applied: string[];
  ready: boolean;
  about: Opt<About>;
}

/** How long a prompt is for the model that answers, and how long it may be. */
export const TokenCount = IDL.Record({ tokens: IDL.Nat32, limit: IDL.Nat32 });
export interface TokenCount {
  tokens: number;
  limit: number;
}

/** What an upload under way lacks: chunks `first` to `last`, both included. */
export const ChunkRange = IDL.Record({ first: IDL.Nat32, last: IDL.Nat32 });
export interface ChunkRange {
  first: number;
  last: number;
}
export const UploadStatus = IDL.Record({
  sha256: IDL.Text,
  bytes: IDL.Nat64,
  chunk_bytes: IDL.Nat32,
  chunks: IDL.Nat32,
  received: IDL.Nat32,
  missing: IDL.Vec(ChunkRange),
});
export interface UploadStatus {
  sha256: string;
  bytes: bigint;
  chunk_bytes: number;
  chunks: number;
  received: number;
  missing: ChunkRange[];
}

export const StoredModel = IDL.Record({ name: IDL.Text, sha256: IDL.Text, bytes: IDL.Nat64, active: IDL.Bool });
export interface StoredModel {
  name: string;
  sha256: string;
  bytes: bigint;
  active: boolean;
}

/**
 * The certificate is over the canister's certified data, which is the root of `tree`, a hash tree in CBOR with the pack's SHA-256 at `model`. A query gets
 * a certificate, an update does not.
 */
export const ModelCertificate = IDL.Record({
  sha256: IDL.Text,
  certificate: IDL.Opt(IDL.Vec(IDL.Nat8)),
  tree: IDL.Opt(IDL.Vec(IDL.Nat8)),
});
export interface ModelCertificate {
  sha256: string;
  certificate: Opt<Uint8Array>;
  tree: Opt<Uint8Array>;
}

/** Who may ask: everyone; everyone but the anonymous caller; users and admins only. */
export const Access = IDL.Variant({ public: IDL.Null, signed_in: IDL.Null, allow_list: IDL.Null });
export type Access = { public: null } | { signed_in: null } | { allow_list: null };

const settings = {
  access: Access,
  /** Sessions that are worked on at once; each holds keys and values in the arena. */
  max_active: IDL.Nat32,
  /** Sessions that wait. */
  max_queued: IDL.Nat32,
  /** Sessions of one caller, waiting or worked on. */
  max_sessions_per_caller: IDL.Nat32,
  /** Tokens of prompts and answers together that one caller may use in a day (UTC); 0: any number. */
  tokens_per_day: IDL.Nat64,
  /** The same for all callers together. New identities cost nothing, so only this one bounds them. */
  tokens_per_day_overall: IDL.Nat64,
  /** Cycles that the canister may spend on one caller's prompts in a day (UTC), refused ones included; 0: any number. */
  cycles_per_day: IDL.Nat64,
  /** The same for all callers together. */
  cycles_per_day_overall: IDL.Nat64,
  max_prompt_tokens: IDL.Nat32,
  /** Tokens a call where the caller does not say; 0: as many as a slice of 2 B instructions holds. */
  tokens_per_call: IDL.Nat32,
  /** Sessions that are over and kept, and for how long. */
  max_finished: IDL.Nat32,
  finished_seconds: IDL.Nat64,
  /** Of the embedding cache. */
  embedding_bytes: IDL.Nat64,
  /** Of all packs stored. */
  model_bytes: IDL.Nat64,
  /** Of the arena; below what the heap may be. */
  arena_bytes: IDL.Nat64,
  /** Cycles below which no new work is taken. */
  min_cycles: IDL.Nat64,
  /** What canisters pay, in percent of an answer's cost; 0: nothing. */
  price_percent: IDL.Nat32,
  /** Whether a greedy prompt that was answered before gets that answer at once. */
  answer_cache: IDL.Bool,
};
export interface Settings {
  access: Access;
  max_active: number;
  max_queued: number;
  max_sessions_per_caller: number;
  tokens_per_day: bigint;
  tokens_per_day_overall: bigint;
  cycles_per_day: bigint;
  cycles_per_day_overall: bigint;
  max_prompt_tokens: number;
  tokens_per_call: number;
  max_finished: number;
  finished_seconds: bigint;
  embedding_bytes: bigint;
  model_bytes: bigint;
  arena_bytes: bigint;
  min_cycles: bigint;
  price_percent: number;
  answer_cache: boolean;
}
export const Settings = IDL.Record(settings);
/** The settings to change; what is left out stays. */
export const SettingsChange = IDL.Record(
  Object.fromEntries(Object.entries(settings).map(([name, type]) => [name, IDL.Opt(type as IDL.Type)])),
);
export type SettingsChange = { [K in keyof Settings]: Opt<Settings[K]> };

export const Role = IDL.Variant({ admin: IDL.Null, user: IDL.Null });
export type Role = { admin: null } | { user: null };
export const RoleEntry = IDL.Record({ who: IDL.Principal, role: Role });
export interface RoleEntry {
  who: Principal;
  role: Role;
}

export const AdminError = IDL.Variant({ NotAllowed: IDL.Text, InvalidValue: IDL.Text });
export type AdminError = { NotAllowed: string } | { InvalidValue: string };
export const SettingsResult = IDL.Variant({ Ok: Settings, Err: AdminError });
export type SettingsResult = { Ok: Settings } | { Err: AdminError };
export const RolesResult = IDL.Variant({ Ok: IDL.Vec(RoleEntry), Err: AdminError });
export type RolesResult = { Ok: RoleEntry[] } | { Err: AdminError };

/** How many sessions waited. */
export const ClearResult = IDL.Variant({ Ok: IDL.Nat32, Err: AdminError });
export type ClearResult = { Ok: number } | { Err: AdminError };

export const Status = IDL.Record({
  model: IDL.Opt(IDL.Text),
  sessions: IDL.Nat32,
  /** Sessions that are worked on, and those that wait. */
  generating: IDL.Nat32,
  queued: IDL.Nat32,
  embeddings: IDL.Nat32,
  embedding_bytes: IDL.Nat64,
  embedding_hits: IDL.Nat64,
  embedding_misses: IDL.Nat64,
  arena_bytes: IDL.Nat64,
  cycles: IDL.Nat,
});
export interface Status {
  model: Opt<string>;
  sessions: number;
  generating: number;
  queued: number;
  embeddings: number;
  embedding_bytes: bigint;
  embedding_hits: bigint;
  embedding_misses: bigint;
  arena_bytes: bigint;
  cycles: bigint;
}

const HttpHeaders = IDL.Vec(IDL.Tuple(IDL.Text, IDL.Text));
export const HttpRequest = IDL.Record({
  method: IDL.Text,
  url: IDL.Text,
  headers: HttpHeaders,
  body: IDL.Vec(IDL.Nat8),
});
export interface HttpRequest {
  method: string;
  url: string;
  headers: [string, string][];
  body: Uint8Array;
}
export const HttpResponse = IDL.Record({ status_code: IDL.Nat16, headers: HttpHeaders, body: IDL.Vec(IDL.Nat8) });
export interface HttpResponse {
  status_code: number;
  headers: [string, string][];
  body: Uint8Array;
}
