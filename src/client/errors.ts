/**
 * What the canister answers instead of a result, as errors to throw: one class for each of its error types, `code` the variant's name.
 * Not the errors of the way there (network, rejected calls, wrong signatures): those are @dfinity/agent's AgentError.
 */
import type * as Candid from '../canister/candid.ts';

/** The names of a Candid variant. */
export type CodeOf<E> = E extends unknown ? keyof E & string : never;

/** An `Err` of the canister. @example if ('Failed' in error.variant) await client.resume(error.variant.Failed.session) */
export class CanisterError<E extends object> extends Error {
  /** The variant's name. */
  readonly code: CodeOf<E>;

  /** @param variant the error as Candid gives it */
  constructor(readonly variant: E) {
    const [code, detail] = Object.entries(variant)[0]!;
    super(typeof detail === 'string' ? detail : detail.message);
    this.code = code as CodeOf<E>;
    this.name = new.target.name;
  }
}

/** Why there is no answer, or no whole one. */
export class GenerateError extends CanisterError<Candid.GenerateError> {}

/** Why a pack was not taken. */
export class UploadError extends CanisterError<Candid.UploadError> {}

/** The result, or its error thrown. */
export function unwrap<T, E extends object>(result: { Ok: T } | { Err: E }, ErrorClass: new (variant: E) => Error): T {
  if ('Ok' in result) return result.Ok;
  throw new ErrorClass(result.Err);
}
