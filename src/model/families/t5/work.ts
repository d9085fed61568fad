/** How many multiply-adds a T5's prompt and tokens take. */
import type { T5Config } from '../../checkpoint/config.ts';

/** Of a prompt, and of the last of `tokens`. */
export function t5Work(config: T5Config, promptTokens: number, tokens: number): { prompt: number; token: number } {
  const { dModel: D, numHeads, dKv, dFf: F, numLayers, numDecoderLayers, vocabularySize: V } = config;
  const inner = numHeads * dKv;
  const feedForward = 3 * D * F;
  const attention = (rows: number): number => 2 * inner * rows;
  const encoder = promptTokens * numLayers * (4 * D * inner + feedForward + attention(promptTokens));
  const cross = promptTokens * numDecoderLayers * 2 * D * inner;
  const token = numDecoderLayers * (6 * D * inner + feedForward + attention(promptTokens + tokens)) + D * V;
  return { prompt: encoder + cross, token };
}
