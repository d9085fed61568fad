/** Certified reads of the state tree. Source: interface specification, "Request: Read state". */
import type { Path } from '../certification/hash-tree.ts';
import { type Answer, cborAnswer, RequestError } from './answer.ts';
import type { Effective } from './canister-request.ts';
import type { Context } from './context.ts';
import { openEnvelope } from './envelope.ts';
import { asArray, asBlob } from './fields.ts';
import { checkPath } from './readable-paths.ts';

const MAX_PATHS = 1_000;
const MAX_LABELS = 127;

export async function readState(context: Context, effective: Effective, body: Uint8Array): Promise<Answer> {
  const envelope = openEnvelope(body, 'read_state', context.core.time());
  const paths: Path[] = asArray(envelope.content.get('paths'), 'paths').map((path) =>
    asArray(path, 'path').map((label) => asBlob(label, 'label of a path')),
  );
  atMost(MAX_PATHS, 'paths', paths.length);
  for (const path of paths) {
    atMost(MAX_LABELS, 'path', path.length);
    checkPath(context, { ...envelope, effective }, path);
  }
  const requests = paths.filter(([first]) => Buffer.compare(first!, REQUEST_STATUS) === 0);
  const ids = new Set(requests.map(([, id]) => Buffer.from(id!).toString('hex')));
  if (ids.size > 1) throw new RequestError(400, `paths: expected one id below /request_status, got ${ids.size}`);
  return cborAnswer({ certificate: await context.certifier.certificate(paths) });
}

const REQUEST_STATUS = Buffer.from('request_status');

function atMost(max: number, what: string, length: number): void {
  if (length > max) throw new RequestError(400, `${what}: expected at most ${max} elements, got ${length}`);
}
