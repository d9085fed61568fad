/**
 * What the canister certifies, as one hash tree whose root is its certified data:
 *
 *   root ─┬─ http_expr ── the pages, as the HTTP Gateway Protocol wants them; worked out by the build
 *         └─┬─ model ──── SHA-256 of the pack that answers, 32 bytes; empty where there is none
 *           └─ receipts ─ receipts of answers, by their places (receipts.ts)
 *
 * Each of the three is shown with the others pruned. Source: interface specification, "Certification".
 */
import { certifiedDataSet } from 'azle';
import { sha256 } from '../runtime/unit.ts';
import { join, unpack, utf8 } from '../storage/bytes.ts';
import { httpExpr } from './page-data.js';

const httpExprHash = unpack(httpExpr.hash);
const httpWitnessHead = unpack(httpExpr.witness);
const modelLabel = utf8('model');
export const receiptsLabel = utf8('receipts');

/** What the hash of each kind of node begins with: the domain, behind its length. */
const domainOf = (kind: string): Uint8Array => {
  const name = utf8(`ic-hashtree-${kind}`);
  return join(Uint8Array.of(name.length), name);
};
export const DOMAINS = {
  empty: domainOf('empty'),
  fork: domainOf('fork'),
  labeled: domainOf('labeled'),
  leaf: domainOf('leaf'),
};

let model: Uint8Array = new Uint8Array(0);
let modelHash: Uint8Array = new Uint8Array(0);
let receiptsHash: Uint8Array = new Uint8Array(0);

/** Certifies this model beside the rest. @param sha256OfPack 32 bytes; none: there is no model */
export function certifyModelOf(sha256OfPack: Uint8Array): void {
  model = sha256OfPack;
  modelHash = hash('labeled', modelLabel, hash('leaf', model));
  certifyAll();
}

/** Certifies the tree of receipts beside the rest. @param root its hash */
export function certifyReceipts(root: Uint8Array): void {
  receiptsHash = hash('labeled', receiptsLabel, root);
  certifyAll();
}

/**
 * The same where native code has worked out what follows.
 * @param labeled the hash of the labelled tree
 * @param all the root
 */
export function certifyReceiptsBy(labeled: Uint8Array, all: Uint8Array): void {
  receiptsHash = labeled;
  certifiedDataSet(all);
}

/** What stands beside the receipts on the way to the root, from below. */
export const besideReceipts = (): Uint8Array[] => [modelHash, httpExprHash];

/** What is certified behind the pages. */
const besidePages = (): Uint8Array => hash('fork', modelHash, receiptsHash);

/** While the program begins, one of the two is not there yet. */
function certifyAll(): void {
  if (modelHash.length > 0 && receiptsHash.length > 0) certifiedDataSet(hash('fork', httpExprHash, besidePages()));
}

/** CBOR that says of itself that it is. */
const SELF_DESCRIBED = Uint8Array.of(0xd9, 0xd9, 0xf7);
export const pruned = (of: Uint8Array): Uint8Array => join(Uint8Array.of(0x82, 4, 0x58, 32), of);
export const fork = (left: Uint8Array, right: Uint8Array): Uint8Array => join(Uint8Array.of(0x83, 1), left, right);
export const labeled = (label: Uint8Array, tree: Uint8Array): Uint8Array =>
  join(Uint8Array.of(0x83, 2, 0x40 | label.length), label, tree);
/** @param value nothing, or 24 to 255 bytes */
export const leaf = (value: Uint8Array): Uint8Array =>
  join(Uint8Array.of(0x82, 3, ...(value.length === 0 ? [0x40] : [0x58, value.length])), value);

/** The tree that shows `http_expr`, in CBOR. */
export const httpWitness = (): Uint8Array => join(httpWitnessHead, besidePages());

/** The tree that shows `model`, in CBOR: [1, [4, hash], [1, [2, "model", [3, sha256]], [4, hash]]]. */
export function modelWitness(): Uint8Array {
  const shown = labeled(modelLabel, leaf(model));
  return join(SELF_DESCRIBED, fork(pruned(httpExprHash), fork(shown, pruned(receiptsHash))));
}

/** The same for `receipts`. @param tree what is shown below it, in CBOR */
export const receiptsWitness = (tree: Uint8Array): Uint8Array =>
  join(SELF_DESCRIBED, fork(pruned(httpExprHash), fork(pruned(modelHash), labeled(receiptsLabel, tree))));

/** The hash of a node. */
export const hash = (kind: keyof typeof DOMAINS, ...parts: Uint8Array[]): Uint8Array =>
  sha256().digest(sha256().begin(), join(DOMAINS[kind], ...parts));
