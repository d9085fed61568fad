/**
 * What is read of the model canister's answers, in Candid. A caller may leave out fields of a record that it has no use
 * for, but no case of a variant: one that is not known could not be decoded. The whole is in the canister's Candid
 * file, which `candid:service` of its metadata holds too.
 */
import { IDL } from 'azle';

const Message = IDL.Record({ message: IDL.Text });
const WithSession = IDL.Record({ session: IDL.Text, message: IDL.Text });

export const GenerateError = IDL.Variant({
  NoModel: IDL.Text,
  EmptyPrompt: IDL.Text,
  PromptTooLong: Message,
  InvalidOptions: IDL.Text,
  Unavailable: IDL.Text,
  NoSuchSession: IDL.Text,
  NotYours: IDL.Text,
  Failed: WithSession,
  Cancelled: WithSession,
  NotAllowed: IDL.Text,
  LimitReached: IDL.Text,
  PaymentRequired: IDL.Record({ cycles: IDL.Nat, message: IDL.Text }),
  TooLong: Message,
});
export type GenerateError =
  | { NoModel: string }
  | { EmptyPrompt: string }
  | { PromptTooLong: { message: string } }
  | { InvalidOptions: string }
  | { Unavailable: string }
  | { NoSuchSession: string }
  | { NotYours: string }
  | { Failed: { session: string; message: string } }
  | { Cancelled: { session: string; message: string } }
  | { NotAllowed: string }
  | { LimitReached: string }
  | { PaymentRequired: { cycles: bigint; message: string } }
  | { TooLong: { message: string } };

export const GenerateResult = IDL.Variant({ Ok: IDL.Record({ text: IDL.Text }), Err: GenerateError });
export type GenerateResult = { Ok: { text: string } } | { Err: GenerateError };

/** The options that are given; all others of the canister's may be left out. */
export const GenerateOptions = IDL.Record({ max_new_tokens: IDL.Opt(IDL.Nat32) });
export interface GenerateOptions {
  max_new_tokens: [] | [number];
}

export const Quote = IDL.Record({ cycles: IDL.Nat });
export interface Quote {
  cycles: bigint;
}
