/**
 * Receipts: what a contract or an auditor keeps of an answer, so that anybody can check later that this model gave it.
 */
import { dataCertificate } from 'azle';
import { fromHex, hex } from '../../interface/hex.ts';
import type { Receipt, ReceiptResult } from '../../interface/llm.did.ts';
import { receiptsWitness } from '../certification/certified.ts';
import { findReceipt, isKept, placeOf, receiptOf, receiptWitness } from '../certification/receipts.ts';
import { now } from '../runtime/time.ts';
import { receiptFields } from '../sessions/receipt.ts';
import { isSession, sessionForCaller } from '../sessions/sessions.ts';
import { settings } from '../storage/settings.ts';
import { candid } from './methods.ts';

const HASH = /^[0-9a-f]{64}$/;
/** No session's id and no receipt is longer. */
const MOST_DIGITS = 64;

export class ReceiptMethods {
  /**
   * The receipt of a session's answer, with what it is made of; or, by its own 64 digits, the proof that there was such
   * a receipt. Query; a session's owner, controllers, or anyone for an anonymous caller's; by its digits, everyone.
   */
  @candid()
  receipt(id: string): ReceiptResult {
    if (id.length > MOST_DIGITS) return none('a session, or a receipt of 64 digits', id);
    if (HASH.test(id)) return ofHash(id);
    const session = sessionForCaller('receipt', id);
    if (!isSession(session)) return { Err: session };
    const { receipt } = session;
    if (receipt === undefined || !isKept(receipt)) return none('a session that is finished and has its receipt', id);
    const fields = receiptFields(session);
    const { model, options, seed, choices } = fields;
    return {
      Ok: proven(receipt, receiptOf(fields), [
        {
          model,
          prompt_ids: Uint32Array.from(session.sourceIds),
          options,
          seed: seed === undefined ? [] : [seed],
          token_ids: Uint32Array.from(session.tokenIds),
          choices,
        },
      ]),
    };
  }
}

function ofHash(id: string): ReceiptResult {
  const receipt = fromHex(id);
  const found = findReceipt(receipt);
  const tooOld = found && found.seconds * 1000 + settings().receipt_seconds * 1000 < now();
  if (!found || tooOld) return none('a receipt of this canister that is not too old', id);
  return { Ok: proven(found.number, receipt, []) };
}

const none = (expected: string, id: string): ReceiptResult => ({
  Err: { NoSuchSession: `receipt: expected ${expected}, got ${JSON.stringify(id.slice(0, 64))}` },
});

function proven(number: number, receipt: Uint8Array, answer: Receipt['answer']): Receipt {
  const certificate = dataCertificate();
  return {
    sha256: hex(receipt),
    place: placeOf(number),
    answer,
    certificate: certificate ? [certificate] : [],
    tree: certificate ? [receiptsWitness(receiptWitness(number, receipt))] : [],
  };
}
