/** The client's public face: for web pages and Node, over @dfinity/agent. Start with `connect`. */
export { Client, type Generation } from './client.ts';
export { type ConnectOptions, connect } from './connect.ts';
export { CanisterError, GenerateError, UploadError } from './errors.ts';
export type { GenerateOptions } from './options.ts';
export type { Patience } from './patience.ts';
export { type StreamOptions, TextStream } from './stream.ts';
export type { PackSource, UploadOptions, UploadProgress } from './upload.ts';
