/**
 * The canister's Candid types for those who ask it, with the TypeScript ones beside them; those for who keeps it are in candid-admin.ts. Records that
 * callers send grow by `opt` fields only; every expected failure is a named variant with what was expected, what came and what to do.
 */
import { IDL } from '@dfinity/candid';
import type { Principal } from '@dfinity/principal';
import type { Opt } from './opt.ts';

/** How many tokens a message makes: a fixed number, or as many as a slice of 2 B instructions holds. */
export const TokensPerCall = IDL.Variant({ auto: IDL.Null, fixed: IDL.Nat32 });
export type TokensPerCall = { auto: null } | { fixed: number };

/** Beam search: whether it ends with the first `num_beams` answers, when no better one is likely, or when none can be. */
export const EarlyStopping = IDL.Variant({ yes: IDL.Null, no: IDL.Null, never: IDL.Null });
export type EarlyStopping = { yes: null } | { no: null } | { never: null };

/** Names and meaning as in Hugging Face's GenerationConfig; what is left out has the model's default. */
export const GenerateOptions = IDL.Record({
  max_new_tokens: IDL.Opt(IDL.Nat32),
  min_new_tokens: IDL.Opt(IDL.Nat32),
  do_sample: IDL.Opt(IDL.Bool),
  temperature: IDL.Opt(IDL.Float64),
  top_k: IDL.Opt(IDL.Nat32),
  top_p: IDL.Opt(IDL.Float64),
  /** The same one repeats an answer; without it, a draw has a seed of its own. */
  seed: IDL.Opt(IDL.Nat64),
  repetition_penalty: IDL.Opt(IDL.Float64),
  no_repeat_ngram_size: IDL.Opt(IDL.Nat32),
  num_beams: IDL.Opt(IDL.Nat32),
  length_penalty: IDL.Opt(IDL.Float64),
  early_stopping: IDL.Opt(EarlyStopping),
  eos_token_id: IDL.Opt(IDL.Vec(IDL.Nat32)),
  decoder_start_token_id: IDL.Opt(IDL.Nat32),
  bad_words_ids: IDL.Opt(IDL.Vec(IDL.Vec(IDL.Nat32))),
  suppress_tokens: IDL.Opt(IDL.Vec(IDL.Nat32)),
  begin_suppress_tokens: IDL.Opt(IDL.Vec(IDL.Nat32)),
  forced_bos_token_id: IDL.Opt(IDL.Nat32),
  forced_eos_token_id: IDL.Opt(IDL.Vec(IDL.Nat32)),
  /** Whether special tokens in the prompt, such as `<extra_id_0>`, are taken for what they are; ordinary text unless asked. */
  special_tokens: IDL.Opt(IDL.Bool),
  tokens_per_call: IDL.Opt(TokensPerCall),
});
export interface GenerateOptions {
  max_new_tokens: Opt<number>;
  min_new_tokens: Opt<number>;
  do_sample: Opt<boolean>;
  temperature: Opt<number>;
  top_k: Opt<number>;
  top_p: Opt<number>;
  seed: Opt<bigint>;
  repetition_penalty: Opt<number>;
  no_repeat_ngram_size: Opt<number>;
  num_beams: Opt<number>;
  length_penalty: Opt<number>;
  early_stopping: Opt<EarlyStopping>;
  eos_token_id: Opt<number[]>;
  decoder_start_token_id: Opt<number>;
  bad_words_ids: Opt<number[][]>;
  suppress_tokens: Opt<number[]>;
  begin_suppress_tokens: Opt<number[]>;
  forced_bos_token_id: Opt<number>;
  forced_eos_token_id: Opt<number[]>;
  special_tokens: Opt<boolean>;
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
  Cancelled: IDL.Record({ session: IDL.Text, message: IDL.Text }),
  /** The canister does not serve this caller, or not by this method. */
  NotAllowed: IDL.Text,
  /** The caller has as many sessions, or has used as many tokens or cycles today, as one caller may. */
  LimitReached: IDL.Text,
  /** Cycles have to be attached. */
  PaymentRequired: IDL.Record({ cycles: IDL.Nat, message: IDL.Text }),
  /** It does not fit a query. */
  TooLong: IDL.Record({ instructions: IDL.Nat64, limit: IDL.Nat64, message: IDL.Text }),
});
export type GenerateError =
  | { NoModel: string }
  | { EmptyPrompt: string }
  | { PromptTooLong: { tokens: number; limit: number; message: string } }
  | { InvalidOptions: string }
  | { Unavailable: string }
  | { NoSuchSession: string }
  | { NotYours: string }
  | { Failed: { session: string; message: string } }
  | { Cancelled: { session: string; message: string } }
  | { NotAllowed: string }
  | { LimitReached: string }
  | { PaymentRequired: { cycles: bigint; message: string } }
  | { TooLong: { instructions: bigint; limit: bigint; message: string } };

/** What an answer took. */
const usage = {
  prompt_tokens: IDL.Nat32,
  /** The stop token included. */
  output_tokens: IDL.Nat32,
  /** Messages that made its tokens, the first included. */
  calls: IDL.Nat32,
  /** All messages that were executed for it: those, and the replies that the canister got from itself. */
  messages: IDL.Nat32,
  /** Of all those messages, as the canister's own counter saw them. */
  instructions: IDL.Nat64,
  /** The part of them that the tensor unit took. */
  unit_instructions: IDL.Nat64,
  /** What the canister was charged for it, on a subnet of 13 nodes: instructions, messages, calls to itself, ingress. A query costs nothing. */
  cycles: IDL.Nat64,
  /** Whether the prompt's encoding came from the embedding cache. */
  embedding_cached: IDL.Bool,
  /** Whether the whole answer came from the answer cache. */
  answer_cached: IDL.Bool,
};
export interface Usage {
  prompt_tokens: number;
  output_tokens: number;
  calls: number;
  messages: number;
  instructions: bigint;
  unit_instructions: bigint;
  cycles: bigint;
  embedding_cached: boolean;
  answer_cached: boolean;
}

export const FinishReason = IDL.Variant({ stop: IDL.Null, length: IDL.Null });
export type FinishReason = { stop: null } | { length: null };

export const Generation = IDL.Record({
  session: IDL.Text,
  text: IDL.Text,
  token_ids: IDL.Vec(IDL.Nat32),
  finish_reason: FinishReason,
  /** Of the draw, if tokens were drawn. */
  seed: IDL.Opt(IDL.Nat64),
  ...usage,
});
export interface Generation extends Usage {
  session: string;
  text: string;
  token_ids: Uint32Array | number[];
  finish_reason: FinishReason;
  seed: Opt<bigint>;
}
export const GenerateResult = IDL.Variant({ Ok: Generation, Err: GenerateError });
export type GenerateResult = { Ok: Generation } | { Err: GenerateError };

export const StartResult = IDL.Variant({ Ok: IDL.Text, Err: GenerateError });
export type StartResult = { Ok: string } | { Err: GenerateError };

export const SessionState = IDL.Variant({
  /** Waits for its turn. */
  queued: IDL.Null,
  /** The encoder reads the prompt. */
  encoding: IDL.Null,
  generating: IDL.Null,
  finished: FinishReason,
  cancelled: IDL.Null,
  /** With the reason; it can be resumed. */
  failed: IDL.Text,
});
export type SessionState =
  | { queued: null }
  | { encoding: null }
  | { generating: null }
  | { finished: FinishReason }
  | { cancelled: null }
  | { failed: string };

/** `text`: what the tokens from the one asked for on have added. */
export const Progress = IDL.Record({ state: SessionState, text: IDL.Text, ...usage });
export interface Progress extends Usage {
  state: SessionState;
  text: string;
}
export const ProgressResult = IDL.Variant({ Ok: Progress, Err: GenerateError });
export type ProgressResult = { Ok: Progress } | { Err: GenerateError };

/** A session in a list. */
export const SessionInfo = IDL.Record({
  session: IDL.Text,
  owner: IDL.Text,
  state: SessionState,
  prompt: IDL.Text,
  /** Milliseconds since 1970. */
  created: IDL.Nat64,
  updated: IDL.Nat64,
  /** SHA-256 of the pack that answers. */
  model: IDL.Text,
  ...usage,
});
export interface SessionInfo extends Usage {
  session: string;
  owner: string;
  state: SessionState;
  prompt: string;
  created: bigint;
  updated: bigint;
  model: string;
}

/** `after`: the id of a page's last session. `owner`: somebody else's, for admins. */
export const ListOptions = IDL.Record({
  after: IDL.Opt(IDL.Text),
  limit: IDL.Opt(IDL.Nat32),
  owner: IDL.Opt(IDL.Principal),
});
export interface ListOptions {
  after: Opt<string>;
  limit: Opt<number>;
  owner: Opt<Principal>;
}
export const ListResult = IDL.Variant({ Ok: IDL.Vec(SessionInfo), Err: GenerateError });
export type ListResult = { Ok: SessionInfo[] } | { Err: GenerateError };

export const SessionResult = IDL.Variant({ Ok: IDL.Null, Err: GenerateError });
export type SessionResult = { Ok: null } | { Err: GenerateError };

export const Quote = IDL.Record({
  /** Cycles to attach; 0 where the canister asks for none. */
  cycles: IDL.Nat,
  /** What the answer is thought to take at most. */
  instructions: IDL.Nat64,
});
export interface Quote {
  cycles: bigint;
  instructions: bigint;
}

export * from './candid-admin.ts';
export * from './opt.ts';
