/** Query calls, answered with the node's signature. Source: interface specification, "Request: Query call". */
import { type Hashable, hashOfMap } from '../certification/hash-of-map.ts';
import type { QueryResponse } from '../types.ts';
import { type Answer, cborAnswer } from './answer.ts';
import { rejection } from './call.ts';
import { type Effective, openCanisterRequest } from './canister-request.ts';
import type { Context } from './context.ts';

export async function query(context: Context, effective: Effective, body: Uint8Array): Promise<Answer> {
  const { core, authority } = context;
  const { request, requestId } = openCanisterRequest(context, 'query', effective, body);
  const fields = responseFields(await core.query(request));
  const timestamp = core.time();
  const hash = hashOfMap(new Map(Object.entries({ ...hashable(fields), timestamp, request_id: requestId })));
  const signature = authority.signResponse(hash);
  return cborAnswer({
    ...fields,
    signatures: [{ timestamp, signature, identity: authority.nodeId.toUint8Array() }],
  });
}

type ResponseFields = { status: 'replied'; reply: { arg: Uint8Array } } | ({ status: 'rejected' } & Rejection);
type Rejection = ReturnType<typeof rejection>;

function responseFields(response: QueryResponse): ResponseFields {
  if (response.status === 'replied') return { status: 'replied', reply: { arg: response.reply } };
  return { status: 'rejected', ...rejection(response) };
}

function hashable(fields: ResponseFields): Record<string, Hashable> {
  if (fields.status === 'rejected') return fields;
  return { status: fields.status, reply: new Map([['arg', fields.reply.arg]]) };
}
