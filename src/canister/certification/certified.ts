/**
 * What the canister certifies, as one hash tree whose root is its certified data:
 *
 *   root ─┬─ http_expr ── the pages, as the HTTP Gateway Protocol wants them; worked out by the build
 *         └─ model ────── SHA-256 of the pack that answers, 32 bytes; empty where there is none
 *
 * Each of the two is shown with the other one pruned. Source: interface specification, "Certification".
 */
import { certifiedDataSet } from 'azle';
import { sha256 } from '../runtime/unit.ts';
import { join, unpack, utf8 } from '../storage/bytes.ts';
import { httpExpr } from './page-data.js';

const httpExprHash = unpack(httpExpr.hash);
const httpWitnessHead = unpack(httpExpr.witness);
const modelLabel = utf8('model');

let model: Uint8Array = new Uint8Array(0);
let modelHash: Uint8Array = new Uint8Array(0);

/** Certifies the pages and this model. @param sha256OfPack 32 bytes; none: there is no model */
export function certify(sha256OfPack: Uint8Array): void {
  model = sha256OfPack;
  modelHash = hash('labeled', modelLabel, hash('leaf', model));
  certifiedDataSet(hash('fork', httpExprHash, modelHash));
}

/** The tree that shows `http_expr`, in CBOR. */
export const httpWitness = (): Uint8Array => join(httpWitnessHead, modelHash);

/** The tree that shows `model`, in CBOR: [1, [4, hash], [2, "model", [3, sha256]]]. */
export const modelWitness = (): Uint8Array =>
  join(
    Uint8Array.of(0xd9, 0xd9, 0xf7, 0x83, 1, 0x82, 4, 0x58, 32),
    httpExprHash,
    Uint8Array.of(0x83, 2, 0x40 | modelLabel.length),
    modelLabel,
    Uint8Array.of(0x82, 3, ...(model.length === 0 ? [0x40] : [0x58, model.length])),
    model,
  );

function hash(kind: 'fork' | 'labeled' | 'leaf', ...parts: Uint8Array[]): Uint8Array {
  const domain = utf8(`ic-hashtree-${kind}`);
  return sha256().digest(sha256().begin(), join(Uint8Array.of(domain.length), domain, ...parts));
}
