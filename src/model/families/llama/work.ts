/** How many multiply-adds a decoder-only model's prompt and tokens take. */
import type { LlamaConfig } from './config.ts';

/**
 * Of a prompt but for its last token, which makes the first of the answer; of the last of `tokens`. Windows are left
 * out of account.
 */
export function llamaWork(
  config: LlamaConfig,
  promptTokens: number,
  tokens: number,
): { prompt: number; token: number } {
  const {
    hiddenSize: D,
    numHeads: H,
    numKvHeads: G,
    headDim: K,
    intermediateSize: F,
    layers,
    vocabularySize: V,
  } = config;
  const matrices = layers.length * (D * K * (2 * H + 2 * G) + 3 * D * F);
  const attention = (keys: number): number => layers.length * 2 * H * K * keys;
  const rows = Math.max(0, promptTokens - 1);
  return {
    prompt: rows * (matrices + attention(promptTokens / 2)),
    token: matrices + attention(promptTokens + tokens) + D * V,
  };
}
