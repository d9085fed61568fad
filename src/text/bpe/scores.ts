/**
 * The merges of a SentencePiece BPE model, which has scores alone: whatever two pieces make a third is a merge, the
 * highest score first. Source: SentencePiece, bpe_model.cc; transformers, convert_slow_tokenizer.py (generate_merges).
 */
import { type BpeToken, TokenType } from './vocabulary.ts';

/** @throws Error for unused pieces that others make up: SentencePiece parts them again, which is not built in */
export function mergesOfScores(tokens: readonly BpeToken[], scores: readonly number[]): [string, string][] {
  const ids = new Map<string, number>();
  for (const [id, { text, type }] of tokens.entries())
    if (type === TokenType.NORMAL && !ids.has(text)) ids.set(text, id);
  const found: { score: number; left: string; right: string }[] = [];
  for (const [id, { text, type }] of tokens.entries()) {
    if (type !== TokenType.NORMAL && type !== TokenType.UNUSED) continue;
    const pairs = pairsOf(text, ids);
    if (type === TokenType.UNUSED && pairs.length > 0)
      throw new Error(
        `token ${id}: expected no unused piece that others make up (not built in), got ${JSON.stringify(text)}`,
      );
    for (const [left, right] of pairs) found.push({ score: scores[id]!, left, right });
  }
  // sorting is stable: of equal scores, the piece with the lower id comes first
  return found.sort((a, b) => b.score - a.score).map(({ left, right }) => [left, right]);
}

/** The ways to cut a text into two pieces, by the ids of these. */
function pairsOf(text: string, ids: ReadonlyMap<string, number>): [string, string][] {
  const pairs: { left: number; right: number; at: number }[] = [];
  for (let at = 1; at < text.length; at++) {
    const left = ids.get(text.slice(0, at));
    const right = left === undefined ? undefined : ids.get(text.slice(at));
    if (right !== undefined) pairs.push({ left: left!, right, at });
  }
  pairs.sort((a, b) => a.left - b.left || a.right - b.right);
  return pairs.map(({ at }) => [text.slice(0, at), text.slice(at)]);
}
