/**
 * What a family makes of a file's or a folder's tensors, once they were found to be what its configuration asks for.
 */
import type { Weights } from './weights.ts';

export interface CheckedWeights<C> {
  config: C;
  /** Whether the head is the embedding. */
  tiedHead: boolean;
  /** A tensor by Hugging Face's name, in its order of rows, as float32 in a fresh array. */
  tensor(name: string): Promise<Float32Array<ArrayBuffer>>;
}

/**
 * transformers saves the embedding under several names; were they to differ, one of them would be lost.
 * @throws Error
 */
export async function expectEqual(weights: Weights, name: string, copy: string): Promise<void> {
  const [a, b] = [await weights.read(name), await weights.read(copy)];
  const differs = a.findIndex((value, i) => !Object.is(value, b[i]));
  if (differs >= 0) {
    throw new Error(
      `${weights.where}: expected "${copy}" to equal "${name}", got ${b[differs]} for ${a[differs]} at number ${differs}`,
    );
  }
}
