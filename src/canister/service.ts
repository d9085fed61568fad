/** The canister's methods as clients see them: what @dfinity/agent and tests make their actors of. The classes with `@update` and `@query` say the same. */
import { IDL } from '@dfinity/candid';
import type { Principal } from '@dfinity/principal';
import {
  GenerateOptions,
  GenerateResult,
  HttpRequest,
  HttpResponse,
  ListOptions,
  ListResult,
  ModelCertificate,
  ModelInfo,
  type Opt,
  ProgressResult,
  Quote,
  Role,
  RolesResult,
  SessionResult,
  Settings,
  SettingsChange,
  SettingsResult,
  StartResult,
  Status,
  StoredModel,
  UploadResult,
  UploadStartResult,
  UploadStatus,
} from './candid.ts';

export const service: IDL.ServiceClass = IDL.Service({
  generate: IDL.Func([IDL.Text, IDL.Opt(GenerateOptions)], [GenerateResult], []),
  start: IDL.Func([IDL.Text, IDL.Opt(GenerateOptions)], [StartResult], []),
  resume: IDL.Func([IDL.Text], [GenerateResult], []),
  cancel: IDL.Func([IDL.Text], [SessionResult], []),
  delete: IDL.Func([IDL.Text], [SessionResult], []),
  list: IDL.Func([IDL.Opt(ListOptions)], [ListResult], ['query']),
  progress: IDL.Func([IDL.Text, IDL.Nat32], [ProgressResult], ['query']),
  generate_query: IDL.Func([IDL.Text, IDL.Opt(GenerateOptions)], [GenerateResult], ['query']),
  quote: IDL.Func([IDL.Nat32, IDL.Nat32], [Quote], ['query']),
  model_info: IDL.Func([], [IDL.Opt(ModelInfo)], ['query']),
  status: IDL.Func([], [Status], ['query']),
  settings: IDL.Func([], [Settings], ['query']),
  set_settings: IDL.Func([SettingsChange], [SettingsResult], []),
  set_role: IDL.Func([IDL.Principal, IDL.Opt(Role)], [RolesResult], []),
  roles: IDL.Func([], [RolesResult], ['query']),
  upload_start: IDL.Func([IDL.Nat64, IDL.Text], [UploadStartResult], []),
  upload_chunk: IDL.Func([IDL.Nat32, IDL.Vec(IDL.Nat8)], [UploadResult], []),
  upload_commit: IDL.Func([], [UploadResult], []),
  upload_store: IDL.Func([], [UploadResult], []),
  upload_abort: IDL.Func([], [UploadResult], []),
  upload_status: IDL.Func([], [IDL.Opt(UploadStatus)], ['query']),
  models: IDL.Func([], [IDL.Vec(StoredModel)], ['query']),
  model_activate: IDL.Func([IDL.Text], [UploadResult], []),
  model_delete: IDL.Func([IDL.Text], [UploadResult], []),
  model_certificate: IDL.Func([], [ModelCertificate], ['query']),
  http_request: IDL.Func([HttpRequest], [HttpResponse], ['query']),
});

/** An actor of it. */
export interface Llm {
  generate(prompt: string, options: Opt<GenerateOptions>): Promise<GenerateResult>;
  start(prompt: string, options: Opt<GenerateOptions>): Promise<StartResult>;
  resume(session: string): Promise<GenerateResult>;
  cancel(session: string): Promise<SessionResult>;
  delete(session: string): Promise<SessionResult>;
  list(options: Opt<ListOptions>): Promise<ListResult>;
  progress(session: string, from: number): Promise<ProgressResult>;
  generate_query(prompt: string, options: Opt<GenerateOptions>): Promise<GenerateResult>;
  quote(promptTokens: number, maxNewTokens: number): Promise<Quote>;
  model_info(): Promise<Opt<ModelInfo>>;
  status(): Promise<Status>;
  settings(): Promise<Settings>;
  set_settings(change: SettingsChange): Promise<SettingsResult>;
  set_role(who: Principal, role: Opt<Role>): Promise<RolesResult>;
  roles(): Promise<RolesResult>;
  upload_start(bytes: bigint, sha256: string): Promise<UploadStartResult>;
  upload_chunk(index: number, bytes: Uint8Array): Promise<UploadResult>;
  upload_commit(): Promise<UploadResult>;
  upload_store(): Promise<UploadResult>;
  upload_abort(): Promise<UploadResult>;
  upload_status(): Promise<Opt<UploadStatus>>;
  models(): Promise<StoredModel[]>;
  model_activate(sha256: string): Promise<UploadResult>;
  model_delete(sha256: string): Promise<UploadResult>;
  model_certificate(): Promise<ModelCertificate>;
  http_request(request: HttpRequest): Promise<HttpResponse>;
}
