/**
 * What a multiply-add costs in plain TypeScript in an Azle canister: the loop that a model without a tensor unit would
 * be made of.
 */
import { IDL, update } from 'azle';

export default class {
  /** The inner product of two vectors of `count` elements, with float32 weights and activations. */
  @update([IDL.Nat32], IDL.Float64)
  dot(count: number): number {
    const x = new Float32Array(count).fill(0.5);
    const w = new Float32Array(count).fill(2);
    let sum = 0;
    for (let i = 0; i < count; i++) sum += x[i]! * w[i]!;
    return sum;
  }
}
