/**
 * Which model answers, by the word of the subnet and not of the node that was asked: the canister's certified data is
 * the root of a hash tree that holds the pack's SHA-256 at `model`. Source: interface specification, "Certification".
 */
import { Actor, Cbor, Certificate, type HashTree, reconstruct } from '@dfinity/agent';
import { hex } from '../../interface/hex.ts';
import type { _SERVICE as Llm } from '../../interface/llm.did.ts';
import { certifiedDataOf, leafOf } from './certified-data.ts';

/**
 * The SHA-256 of the pack that answers, in hexadecimal; undefined where the canister has none.
 * @throws CertificateVerificationErrorCode and others of @dfinity/agent for a certificate that is not the network's;
 * Error where it certifies something else
 */
export async function certifiedModel(actor: Llm): Promise<string | undefined> {
  const {
    certificate: [encoded],
    tree: [encodedTree],
  } = await actor.model_certificate();
  if (!encoded || !encodedTree) throw new Error('model: expected a certificate and its tree, got none');
  const agent = Actor.agentOf(actor as unknown as Actor)!;
  const canisterId = Actor.canisterIdOf(actor as unknown as Actor);
  const certificate = await Certificate.create({
    certificate: Uint8Array.from(encoded),
    rootKey: agent.rootKey!,
    canisterId,
    agent,
  });
  const certified = certifiedDataOf(certificate, canisterId);
  const tree = Cbor.decode<HashTree>(Uint8Array.from(encodedTree));
  const root = await reconstruct(tree);
  if (!certified || hex(certified) !== hex(root)) {
    throw new Error(`model: expected a tree with the root ${certified ? hex(certified) : '?'}, got ${hex(root)}`);
  }
  const model = leafOf(tree, ['model']);
  if (!model) throw new Error('model: expected a tree that shows "model", got none');
  return model.length > 0 ? hex(model) : undefined;
}
