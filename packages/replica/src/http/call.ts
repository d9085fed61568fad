/** Update calls, asynchronous (v2) and synchronous (v3, v4). Source: interface specification, "Request: Call". */
import { bytes } from '../certification/hash-tree.ts';
import { envelopeBytes } from '../envelope-size.ts';
import type { Ingress, Reject } from '../types.ts';
import { ACCEPTED, type Answer, cborAnswer } from './answer.ts';
import { type Effective, openCanisterRequest } from './canister-request.ts';
import type { Context } from './context.ts';

function openCall(context: Context, effective: Effective, body: Uint8Array): Ingress {
  const opened = openCanisterRequest(context, 'call', effective, body);
  const { request, requestId, ingressExpiry, nonce, authentication } = opened;
  return { ...request, requestId, ingressExpiry, envelopeBytes: envelopeBytes(request, { nonce, ...authentication }) };
}

/** Takes the call up and answers 202 at once; the client polls `read_state`. */
export async function asynchronousCall(context: Context, effective: Effective, body: Uint8Array): Promise<Answer> {
  const reject = await context.core.submit(openCall(context, effective, body));
  return reject ? cborAnswer(rejection(reject)) : ACCEPTED;
}

/** Waits for the call to end and answers with a certificate of its status; 202 where that takes too long. */
export async function synchronousCall(context: Context, effective: Effective, body: Uint8Array): Promise<Answer> {
  const { core, certifier } = context;
  const ingress = openCall(context, effective, body);
  const { requestId } = ingress;
  const reject = await core.submit(ingress);
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
