/**
 * What the canister answers instead of a result, as errors to throw: a class for each case of its error types, under
 * the case's name. Not the errors of the way there (network, rejected calls, wrong signatures): those are
 * @dfinity/agent's AgentError.
 */
import type * as Candid from '../interface/llm.did.ts';

/** The names of a Candid variant. */
export type CodeOf<E> = E extends unknown ? keyof E & string : never;
type DetailOf<E, K> = E extends unknown ? E[keyof E & K] : never;

/** An `Err` of the canister. @example if (error instanceof Failed) await client.resume(error.detail.session) */
export abstract class CanisterError<E extends object, K extends CodeOf<E> = CodeOf<E>> extends Error {
  /** The case's name, which is the class's too. */
  readonly code: K;
  /** What the canister says with it: its message, or a record with it. */
  readonly detail: DetailOf<E, K>;

  /** @param variant the error as Candid gives it */
  constructor(readonly variant: E) {
    const [code, detail] = Object.entries(variant)[0]!;
    super(typeof detail === 'string' ? detail : detail.message);
    this.code = code as K;
    this.detail = detail;
    // not of the class: bundlers shorten those
    this.name = code;
  }
}

/** Why there is no answer, or no whole one. */
export class GenerateError<K extends CodeOf<Candid.GenerateError> = CodeOf<Candid.GenerateError>> extends CanisterError<
  Candid.GenerateError,
  K
> {}

export class NoModel extends GenerateError<'NoModel'> {}
export class EmptyPrompt extends GenerateError<'EmptyPrompt'> {}
export class PromptTooLong extends GenerateError<'PromptTooLong'> {}
export class InvalidOptions extends GenerateError<'InvalidOptions'> {}
export class Unavailable extends GenerateError<'Unavailable'> {}
export class NoSuchSession extends GenerateError<'NoSuchSession'> {}
export class NotYours extends GenerateError<'NotYours'> {}
export class Failed extends GenerateError<'Failed'> {}
export class Cancelled extends GenerateError<'Cancelled'> {}
export class NotAllowed extends GenerateError<'NotAllowed'> {}
export class LimitReached extends GenerateError<'LimitReached'> {}
export class PaymentRequired extends GenerateError<'PaymentRequired'> {}
export class TooLong extends GenerateError<'TooLong'> {}

const classes: { [K in CodeOf<Candid.GenerateError>]: new (variant: Candid.GenerateError) => GenerateError<K> } = {
  NoModel,
  EmptyPrompt,
  PromptTooLong,
  InvalidOptions,
  Unavailable,
  NoSuchSession,
  NotYours,
  Failed,
  Cancelled,
  NotAllowed,
  LimitReached,
  PaymentRequired,
  TooLong,
};

export const generateError = (variant: Candid.GenerateError): GenerateError =>
  new classes[Object.keys(variant)[0] as CodeOf<Candid.GenerateError>](variant);

/** The result, or its error thrown. */
export function unwrap<T, E>(result: { Ok: T } | { Err: E }, errorOf: (variant: E) => Error): T {
  if ('Ok' in result) return result.Ok;
  throw errorOf(result.Err);
}
