/** Update calls, asynchronous (v2) and synchronous (v3, v4). Source: interface specification, "Request: Call". */
import { bytes } from '../certification/hash-tree.ts';
import type { Reject } from '../types.ts';
import { ACCEPTED, type Answer, cborAnswer } from './answer.ts';
import { type Effective, openCanisterRequest } from './canister-request.ts';
import type { Context } from './context.ts';

/** Takes the call up and answers 202 at once; the client polls `read_state`. */
export async function asynchronousCall(context: Context, effective: Effective, body: Uint8Array): Promise<Answer> {
  const { request, requestId, ingressExpiry } = openCanisterRequest(context, 'call', effective, body);
  const reject = await context.core.submit({ ...request, requestId, ingressExpiry });
  return reject ? cborAnswer(rejection(reject)) : ACCEPTED;
}

/** Waits for the call to end and answers with a certificate of its status; 202 where that takes too long. */
export async function synchronousCall(context: Context, effective: Effective, body: Uint8Array): Promise<Answer> {
  const { core, certifier } = context;
  const { request, requestId, ingressExpiry } = openCanisterRequest(context, 'call', effective, body);
  const reject = await core.submit({ ...request, requestId, ingressExpiry });
  if (reject) return cborAnswer({ status: 'non_replicated_rejection', ...rejection(reject) });
  await core.whenEnded(requestId, context.callTimeoutMilliseconds);
  const status = core.requestStatus(requestId)?.status;
  if (status !== 'replied' && status !== 'rejected' && status !== 'done') return ACCEPTED;
  const certificate = await certifier.certificate([[bytes('request_status'), requestId]]);
  return cborAnswer({ status: 'replied', certificate });
}

/** The fields of a reject as answers carry them. */
export function rejection({ rejectCode, rejectMessage, errorCode }: Reject) {
  return { reject_code: rejectCode, reject_message: rejectMessage, error_code: errorCode };
}
