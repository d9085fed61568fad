/** What the receipt of a session is made of (src/interface/receipt.ts). */
import type { ReceiptFields } from '../../interface/receipt.ts';
import { type GenerationOptions, seedOf } from '../../model/generation/options.ts';
import type { SessionRecord } from './session-record.ts';

/** Canonical texts by the JSON that they are of: most answers are asked for alike, and sorting names is dear. */
const canonical = new Map<string, string>();
const MOST_KEPT = 8;
function optionsText(options: GenerationOptions): string {
  const json = JSON.stringify(options);
  const known = canonical.get(json);
  if (known !== undefined) return known;
  const { key: _, ...rest } = options;
  const names = Object.keys(rest).sort() as (keyof typeof rest)[];
  const text = JSON.stringify(Object.fromEntries(names.map((name) => [name, rest[name]])));
  if (canonical.size === MOST_KEPT) canonical.clear();
  canonical.set(json, text);
  return text;
}

/** Of a session that is finished: what its answer follows from, and the answer. */
export function receiptFields({ model, sourceIds, options, tokenIds, choices }: SessionRecord): ReceiptFields {
  return {
    model,
    prompt_ids: sourceIds,
    options: optionsText(options),
    seed: options.doSample ? seedOf(options) : undefined,
    token_ids: tokenIds,
    choices: choices ? JSON.stringify(choices) : '',
  };
}
