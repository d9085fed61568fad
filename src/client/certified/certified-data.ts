/**
 * What a canister certifies: 32 bytes, the root of a hash tree of its own. Source: interface specification,
 * "Certification".
 */
import { type Certificate, type HashTree, lookup_path, lookupResultToBuffer } from '@dfinity/agent';
import type { Principal } from '@dfinity/principal';

/** The certified data of a canister; undefined where the certificate does not show it. */
export const certifiedDataOf = (certificate: Certificate, canisterId: Principal): Uint8Array | undefined =>
  lookupResultToBuffer(certificate.lookup_path(['canister', canisterId.toUint8Array(), 'certified_data']));

/** The leaf of a tree at a path; undefined where the tree does not show it. */
export const leafOf = (tree: HashTree, path: (string | Uint8Array)[]): Uint8Array | undefined =>
  lookupResultToBuffer(lookup_path(path, tree));
