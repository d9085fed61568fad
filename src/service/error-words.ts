/** The words of an error that the canister answers with. */
import type { GenerateError } from '../interface/llm.did.ts';

/** What it says, whatever else it has. */
export function wordsOf(error: GenerateError): string {
  const [value] = Object.values(error) as [string | { message: string }];
  return typeof value === 'string' ? value : value.message;
}
