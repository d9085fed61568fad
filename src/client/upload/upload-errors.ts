/** Why a pack was not taken: a class for each case of the canister's UploadError. See errors.ts. */

import type * as Candid from '../../interface/llm.did.ts';
import { CanisterError, type CodeOf } from '../errors.ts';

export class UploadError<K extends CodeOf<Candid.UploadError> = CodeOf<Candid.UploadError>> extends CanisterError<
  Candid.UploadError,
  K
> {}

export class NotController extends UploadError<'NotController'> {}
export class NotStarted extends UploadError<'NotStarted'> {}
export class InvalidSize extends UploadError<'InvalidSize'> {}
export class InvalidHash extends UploadError<'InvalidHash'> {}
export class InvalidChunk extends UploadError<'InvalidChunk'> {}
export class Incomplete extends UploadError<'Incomplete'> {}
export class WrongHash extends UploadError<'WrongHash'> {}
export class InvalidPack extends UploadError<'InvalidPack'> {}
export class NoRoom extends UploadError<'NoRoom'> {}
export class NoSuchModel extends UploadError<'NoSuchModel'> {}

const classes: { [K in CodeOf<Candid.UploadError>]: new (variant: Candid.UploadError) => UploadError<K> } = {
  NotController,
  NotStarted,
  InvalidSize,
  InvalidHash,
  InvalidChunk,
  Incomplete,
  WrongHash,
  InvalidPack,
  NoRoom,
  NoSuchModel,
};

export const uploadError = (variant: Candid.UploadError): UploadError =>
  new classes[Object.keys(variant)[0] as CodeOf<Candid.UploadError>](variant);
