/**
 * The canister: one class for each family of methods, merged by Azle into one service. The way of a prompt: generate.ts (calls), sessions.ts
 * (the generation cache), embeddings.ts (the embedding cache), model.ts (what answers); of a pack: upload.ts, model.ts.
 */
import './text-coding.ts';
import { GenerateMethods } from './generate.ts';
import { LifecycleMethods } from './lifecycle.ts';
import { StatusMethods } from './status.ts';
import { UploadMethods } from './upload.ts';

export default [GenerateMethods, UploadMethods, StatusMethods, LifecycleMethods];
