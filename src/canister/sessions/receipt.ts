/** What the receipt of a session is made of (src/interface/receipt.ts). */
import type { ReceiptFields } from '../../interface/receipt.ts';
import { seedOf } from '../../model/generation/options.ts';
import type { SessionRecord } from './session-record.ts';

/** Of a session that is finished: what its answer follows from, and the answer. */
export function receiptFields({ model, sourceIds, options, tokenIds, choices }: SessionRecord): ReceiptFields {
  const { key: _, ...rest } = options;
  const names = Object.keys(rest).sort() as (keyof typeof rest)[];
  return {
    model,
    prompt_ids: sourceIds,
    options: JSON.stringify(Object.fromEntries(names.map((name) => [name, rest[name]]))),
    seed: options.doSample ? seedOf(options) : undefined,
    token_ids: tokenIds,
    choices: choices ? JSON.stringify(choices) : '',
  };
}
