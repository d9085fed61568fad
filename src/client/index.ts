/** The client's public face: for web pages and Node, over @dfinity/agent. Start with `connect`. */

export type { _SERVICE as Llm, ModelInfo, Status } from '../interface/llm.did.ts';
export { type Receipt, type VerifiedReceipt, verifyReceipt } from './certified/receipt.ts';
export { Client, type Generation } from './client.ts';
export { type ConnectOptions, connect } from './connect.ts';
export {
  Cancelled,
  CanisterError,
  EmptyPrompt,
  Failed,
  GenerateError,
  InvalidOptions,
  LimitReached,
  NoModel,
  NoSuchSession,
  NotAllowed,
  NotYours,
  PaymentRequired,
  PromptTooLong,
  TooLong,
  Unavailable,
} from './errors.ts';
export type { Asking, ChatMessage } from './messages.ts';
export type { GenerateOptions } from './options.ts';
export type { Patience } from './patience.ts';
export { type FinishReason, type StreamOptions, TextStream, type Usage } from './stream.ts';
export type { PackSource, UploadOptions, UploadProgress } from './upload/upload.ts';
export {
  Incomplete,
  InvalidChunk,
  InvalidHash,
  InvalidPack,
  InvalidSize,
  NoRoom,
  NoSuchModel,
  NotController,
  NotStarted,
  UploadError,
  WrongHash,
} from './upload/upload-errors.ts';
