/**
 * Receipts: that a canister gave an answer, checked with nothing but the network's root key. The canister need not be
 * there any more; what the answer follows from is worked out again by `npm run verify-receipt`.
 */
import { Cbor, Certificate, type HashTree, lookupResultToBuffer, reconstruct } from '@dfinity/agent';
import { Principal } from '@dfinity/principal';
import { fromHex, hex } from '../../interface/hex.ts';
import type { _SERVICE as Llm } from '../../interface/llm.did.ts';
import { placeLabel, type ReceiptFields, receiptBytes } from '../../interface/receipt.ts';
import { generateError, unwrap } from '../errors.ts';
import { sha256Of } from '../sha256.ts';
import { certifiedDataOf, leafOf } from './certified-data.ts';

/** A receipt as it is kept: JSON can hold all of it. */
export interface Receipt {
  /** Text of the canister's principal. */
  canister: string;
  /** Of the receipt, in hexadecimal. */
  sha256: string;
  place: number;
  /** Absent where the canister has no more than the hash. */
  answer?: {
    model: string;
    prompt_ids: number[];
    options: string;
    /** In decimal digits. */
    seed?: string;
    token_ids: number[];
    choices: string;
  };
  /** In hexadecimal. */
  certificate: string;
  tree: string;
}

/** What a receipt that holds says. */
export interface VerifiedReceipt {
  /** When the subnet signed the certificate, in milliseconds since 1970: the answer was there by then. */
  certifiedBy: number;
  /**
   * SHA-256 of the model's pack, ids of prompt and answer are those of the receipt; undefined where there is but a
   * hash.
   */
  answer: Receipt['answer'];
}

/** @throws GenerateError where there is none */
export async function fetchReceipt(actor: Llm, canister: Principal, id: string): Promise<Receipt> {
  const { answer, certificate, tree, ...rest } = unwrap(await actor.receipt(id), generateError);
  if (!certificate[0] || !tree[0])
    throw new Error('receipt: expected a certificate and its tree, got none; call it as a query');
  const [given] = answer;
  return {
    canister: canister.toText(),
    ...rest,
    ...(given && {
      answer: {
        ...given,
        prompt_ids: Array.from(given.prompt_ids),
        token_ids: Array.from(given.token_ids),
        seed: given.seed[0]?.toString(),
      },
    }),
    certificate: hex(Uint8Array.from(certificate[0])),
    tree: hex(Uint8Array.from(tree[0])),
  };
}

/**
 * Checks a receipt.
 * @param rootKey the network's, DER; of the Internet Computer, @dfinity/agent's IC_ROOT_KEY in bytes
 * @throws Error that names what does not hold: the fields, the tree, the certificate
 */
export async function verifyReceipt(receipt: Receipt, rootKey: Uint8Array): Promise<VerifiedReceipt> {
  const { answer } = receipt;
  const canisterId = Principal.fromText(receipt.canister);
  if (answer) {
    if (answer.seed !== undefined && !/^(0|[1-9]\d*)$/.test(answer.seed))
      throw new Error(`receipt: expected a seed in decimal digits, got ${answer.seed}`);
    const made = hex(await sha256Of(receiptBytes(fieldsOf(answer), (text) => new TextEncoder().encode(text))));
    if (made !== receipt.sha256)
      throw new Error(
        `receipt: expected model, prompt, options, seed and answer with the hash ${receipt.sha256}, got ${made}`,
      );
  }
  if (!receipt.certificate.startsWith(SELF_DESCRIBED))
    throw new Error('receipt: expected a certificate in CBOR, got something else');
  const certificate = await Certificate.create({
    certificate: bytesOf('certificate', receipt.certificate),
    rootKey,
    canisterId,
    disableTimeVerification: true,
  }).catch((error: Error) => {
    throw new Error(
      `receipt: expected a certificate that the root key vouches for, got one that does not hold: ${error.message}`,
    );
  });
  const certified = certifiedDataOf(certificate, canisterId);
  if (!certified) throw new Error(`receipt: expected a certificate of canister ${receipt.canister}, got another one's`);
  const tree = readTree(receipt.tree);
  const root = hex(await reconstruct(tree));
  if (root !== hex(certified))
    throw new Error(`receipt: expected a tree with the certified root ${hex(certified)}, got ${root}`);
  const leaf = leafOf(tree, ['receipts', placeLabel(receipt.place)]);
  if (!leaf || hex(leaf) !== receipt.sha256) {
    const got = leaf ? hex(leaf) : 'none';
    throw new Error(`receipt: expected the tree to have ${receipt.sha256} at place ${receipt.place}, got ${got}`);
  }
  const time = lookupResultToBuffer(certificate.lookup_path(['time']));
  return { certifiedBy: Number(leb128(time ?? new Uint8Array(0)) / 1_000_000n), answer };
}

const fieldsOf = ({ seed, ...answer }: NonNullable<Receipt['answer']>): ReceiptFields => ({
  ...answer,
  seed: seed === undefined ? undefined : BigInt(seed),
});

/** Every CBOR that the network and the canister make begins so. */
const SELF_DESCRIBED = 'd9d9f7';

function readTree(encoded: string): HashTree {
  const bytes = bytesOf('tree', encoded);
  if (!encoded.startsWith(SELF_DESCRIBED)) throw new Error('receipt: expected a hash tree in CBOR, got something else');
  try {
    return Cbor.decode<HashTree>(bytes);
  } catch (error) {
    throw new Error(`receipt: expected a hash tree in CBOR, got something else: ${(error as Error).message}`);
  }
}

function bytesOf(what: string, text: string): Uint8Array {
  if (!/^([0-9a-f]{2})*$/.test(text))
    throw new Error(`receipt: expected ${what} in hexadecimal, got ${text.slice(0, 40)}`);
  return fromHex(text);
}

function leb128(bytes: Uint8Array): bigint {
  let value = 0n;
  bytes.forEach((byte, i) => {
    value |= BigInt(byte & 127) << BigInt(7 * i);
  });
  return value;
}
