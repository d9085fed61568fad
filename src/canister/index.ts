/**
 * The canister: one class for each family of methods, merged by Azle into one service. The way of a prompt: generate.ts
 * (calls), scheduler.ts (whose turn it is), steps.ts (a message's work), sessions.ts (the generation cache),
 * embeddings.ts (the embedding cache), model.ts (what answers); of a pack: upload.ts, model.ts. Who may do what:
 * access.ts, settings.ts, callers.ts; what may be sent at all: arguments.ts.
 */
// before all else: types that lie together in the interpreter's heap touch fewer pages, 0.2 M instructions a message
import '../interface/llm.did.ts';
import { HttpMethods } from './http/http.ts';
import { AccessMethods } from './methods/access.ts';
import { ChooseMethods } from './methods/choose.ts';
import { GenerateMethods } from './methods/generate.ts';
import { IcLlmMethods } from './methods/ic-llm.ts';
import { InspectMethods } from './methods/inspect.ts';
import { LifecycleMethods } from './methods/lifecycle.ts';
import { ReceiptMethods } from './methods/receipts.ts';
import { StageMethods } from './methods/stages.ts';
import { StatusMethods } from './methods/status.ts';
import { UploadMethods } from './methods/upload.ts';

export default [
  GenerateMethods,
  ChooseMethods,
  ReceiptMethods,
  IcLlmMethods,
  AccessMethods,
  UploadMethods,
  StageMethods,
  StatusMethods,
  HttpMethods,
  InspectMethods,
  LifecycleMethods,
];
