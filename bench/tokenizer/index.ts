/** The tokenizer in a canister of its own, so that it can be counted alone. */
import { certifiedDataSet, IDL, performanceCounter, update } from 'azle';
import { decodeTokenizer, type Unigram } from '../../src/model/tokenizer/unigram/tokenizer.ts';
import { Unit } from '../../src/tensor/unit.ts';

let tokenizer: Unigram;

export default class {
  @update([IDL.Vec(IDL.Nat8)])
  load(tables: Uint8Array): void {
    tokenizer = decodeTokenizer(tables, new Unit(certifiedDataSet));
  }

  /** Tokens of a text, no more than so many, and the instructions that they took, those of reading the text apart. */
  @update([IDL.Text, IDL.Nat32], IDL.Vec(IDL.Nat64))
  encode(text: string, most: number): bigint[] {
    const before = performanceCounter(0);
    const ids = tokenizer.encodeUpTo(text, most);
    return [BigInt(ids?.length ?? 0), performanceCounter(0) - before];
  }
}
