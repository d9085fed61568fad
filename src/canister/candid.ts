/**
 * The canister's Candid types, with the TypeScript ones beside them. Records that callers send grow by `opt` fields only; every expected failure is
 * a named variant with what was expected, what came and what to do.
 */
import { IDL } from '@dfinity/candid';

export type Opt<T> = [] | [T];
export const some = <T>(value: T | undefined): Opt<T> => (value === undefined ? [] : [value]);

/** How many tokens a message makes: a fixed number, or as many as a slice of 2 B instructions holds. */
export const TokensPerCall = IDL.Variant({ auto: IDL.Null, fixed: IDL.Nat32 });
export type TokensPerCall = { auto: null } | { fixed: number };

/** Names and meaning as in Hugging Face's GenerationConfig; what is left out has the model's default. */
export const GenerateOptions = IDL.Record({
  max_new_tokens: IDL.Opt(IDL.Nat32),
  tokens_per_call: IDL.Opt(TokensPerCall),
});
export interface GenerateOptions {
  max_new_tokens: Opt<number>;
  tokens_per_call: Opt<TokensPerCall>;
}

export const GenerateError = IDL.Variant({
  /** No model is loaded. */
  NoModel: IDL.Text,
  EmptyPrompt: IDL.Text,
  PromptTooLong: IDL.Record({ tokens: IDL.Nat32, limit: IDL.Nat32, message: IDL.Text }),
  InvalidOptions: IDL.Text,
  /** The canister has too much to do, or has just started: try again. */
  Unavailable: IDL.Text,
  NoSuchSession: IDL.Text,
  NotYours: IDL.Text,
  /** Something broke; the session stands at its last token and can be resumed. */
  Failed: IDL.Record({ session: IDL.Text, message: IDL.Text }),
});
export type GenerateError =
  | { NoModel: string }
  | { EmptyPrompt: string }
  | { PromptTooLong: { tokens: number; limit: number; message: string } }
  | { InvalidOptions: string }
  | { Unavailable: string }
  | { NoSuchSession: string }
  | { NotYours: string }
  | { Failed: { session: string; message: string } };

/** What an answer took. */
const usage = {
  prompt_tokens: IDL.Nat32,
  /** The stop token included. */
  output_tokens: IDL.Nat32,
  /** Messages that worked on it, the first included. */
  calls: IDL.Nat32,
  /** Of all those messages, as the canister's own counter saw them. */
  instructions: IDL.Nat64,
  /** The part of them that the tensor unit took. */
  unit_instructions: IDL.Nat64,
  /** Whether the prompt's encoding came from the embedding cache. */
  embedding_cached: IDL.Bool,
};
export interface Usage {
  prompt_tokens: number;
  output_tokens: number;
  calls: number;
  instructions: bigint;
  unit_instructions: bigint;
  embedding_cached: boolean;
}

export const FinishReason = IDL.Variant({ stop: IDL.Null, length: IDL.Null });
export type FinishReason = { stop: null } | { length: null };

export const Generation = IDL.Record({
  session: IDL.Text,
  text: IDL.Text,
  token_ids: IDL.Vec(IDL.Nat32),
  finish_reason: FinishReason,
  ...usage,
});
export interface Generation extends Usage {
  session: string;
  text: string;
  token_ids: number[];
  finish_reason: FinishReason;
}
export const GenerateResult = IDL.Variant({ Ok: Generation, Err: GenerateError });
export type GenerateResult = { Ok: Generation } | { Err: GenerateError };

export const StartResult = IDL.Variant({ Ok: IDL.Text, Err: GenerateError });
export type StartResult = { Ok: string } | { Err: GenerateError };

export const SessionState = IDL.Variant({
  generating: IDL.Null,
  finished: FinishReason,
  failed: IDL.Text,
});
export type SessionState = { generating: null } | { finished: FinishReason } | { failed: string };

/** `text`: what the tokens from the one asked for on have added. */
export const Progress = IDL.Record({ state: SessionState, text: IDL.Text, ...usage });
export interface Progress extends Usage {
  state: SessionState;
  text: string;
}
export const ProgressResult = IDL.Variant({ Ok: Progress, Err: GenerateError });
export type ProgressResult = { Ok: Progress } | { Err: GenerateError };

export const UploadError = IDL.Variant({
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
});
export type UploadError =
  | { NotController: string }
  | { NotStarted: string }
  | { InvalidSize: string }
  | { InvalidHash: string }
  | { InvalidChunk: string }
  | { Incomplete: { missing: number[]; message: string } }
  | { WrongHash: string }
  | { InvalidPack: string };

export const UploadPlan = IDL.Record({ chunk_bytes: IDL.Nat32, chunks: IDL.Nat32 });
export interface UploadPlan {
  chunk_bytes: number;
  chunks: number;
}
export const UploadStartResult = IDL.Variant({ Ok: UploadPlan, Err: UploadError });
export type UploadStartResult = { Ok: UploadPlan } | { Err: UploadError };
export const UploadResult = IDL.Variant({ Ok: IDL.Null, Err: UploadError });
export type UploadResult = { Ok: null } | { Err: UploadError };

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
  /** Whether the weights are in the arena yet; if not, the next message that needs them brings them there. */
  ready: IDL.Bool,
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
  ready: boolean;
}

export const Status = IDL.Record({
  model: IDL.Opt(IDL.Text),
  sessions: IDL.Nat32,
  generating: IDL.Nat32,
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
  embeddings: number;
  embedding_bytes: bigint;
  embedding_hits: bigint;
  embedding_misses: bigint;
  arena_bytes: bigint;
  cycles: bigint;
}
