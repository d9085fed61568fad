/**
 * Stands in for the model's canister in tests: it has the methods that the caller asks, and what they answer is in the
 * prompt. A language model is nothing for a test of one's own canister: it is large, and what it says changes with its
 * weights.
 */
import { IDL, msgCyclesAccept, msgCyclesAvailable, query, update } from 'azle';
import { GenerateOptions, GenerateResult, Quote } from '../model.ts';

const PRICE = 5_000_000_000n;

export default class {
  /** `say TEXT` is answered with TEXT; `charge TEXT` too, for cycles; `busy` and `break` are refused. */
  @update([IDL.Text, GenerateOptions], GenerateResult)
  generate_with(prompt: string, _: GenerateOptions): GenerateResult {
    const [what, ...rest] = prompt.split(' ');
    const text = rest.join(' ');
    if (what === 'busy') return { Err: { Unavailable: 'generate: expected room in the queue; try again later' } };
    if (what === 'break') return { Err: { Failed: { session: text, message: 'generate: a step failed' } } };
    if (what === 'trap') throw new Error('the model is no more');
    if (what === 'charge') {
      const message = `generate: expected ${PRICE} cycles`;
      if (msgCyclesAvailable() < PRICE) return { Err: { PaymentRequired: { cycles: PRICE, message } } };
      // less than the price: what an answer took, not what it might have taken
      msgCyclesAccept(PRICE / 2n);
    }
    return { Ok: { text } };
  }

  @update([IDL.Text], GenerateResult)
  resume(session: string): GenerateResult {
    return { Ok: { text: `${session}, gone on with` } };
  }

  @query([IDL.Nat32, IDL.Nat32], Quote)
  quote(promptTokens: number, maxNewTokens: number): Quote {
    return { cycles: BigInt(promptTokens + maxNewTokens) } as Quote;
  }
}
