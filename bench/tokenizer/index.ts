/** The tokenizer in a canister of its own, so that it can be counted alone. */
import { IDL, update } from 'azle';
import { decodeTokenizer, type Tokenizer } from '../../src/model/tokenizer/tokenizer.ts';

let tokenizer: Tokenizer;

export default class {
  @update([IDL.Vec(IDL.Nat8)])
  load(tables: Uint8Array): void {
    tokenizer = decodeTokenizer(tables.slice());
  }

  /** Tokens of a text, made so many times over. */
  @update([IDL.Text, IDL.Nat32], IDL.Nat32)
  encode(text: string, times: number): number {
    let tokens = 0;
    for (let i = 0; i < times; i++) tokens = tokenizer.encode(text).length;
    return tokens;
  }
}
