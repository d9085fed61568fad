/**
 * The merges of a SentencePiece BPE model, which has scores alone: whatever two pieces make a third is a merge, the
 * highest score first. Source: SentencePiece, bpe_model.cc; transformers, convert_slow_tokenizer.py (generate_merges).
 */
import { type BpeToken, MAX_MERGES, TokenType } from './vocabulary.ts';

/** SentencePiece's limit on a piece, here in UTF-16 units: every place where one may be cut is looked at. */
const MAX_PIECE = 8000;

/**
 * @throws Error for unused pieces that others make up: SentencePiece parts them again, which is not built in; for a
 * score that is no number; RangeError for more than can be looked at
 */
export function mergesOfScores(
  tokens: readonly BpeToken[],
  scores: readonly number[],
  where: string,
): [string, string][] {
  const ids = new Map<string, number>();
  const lengths = new Set<number>();
  for (const [id, { text, type }] of tokens.entries()) {
    if (type !== TokenType.NORMAL && type !== TokenType.UNUSED) continue;
    if (text.length >= MAX_PIECE)
      throw new RangeError(`${where}: token ${id}: expected fewer than ${MAX_PIECE} characters, got ${text.length}`);
    if (type === TokenType.UNUSED) continue;
    if (!Number.isFinite(scores[id]))
      throw new Error(`${where}: token ${id}: expected a finite score, got ${scores[id]}`);
    if (!ids.has(text)) ids.set(text, id);
    lengths.add(text.length);
  }
  const cuts = [...lengths].sort((a, b) => a - b);
  const found: { score: number; left: string; right: string }[] = [];
  for (const [id, { text, type }] of tokens.entries()) {
    if (type !== TokenType.NORMAL && type !== TokenType.UNUSED) continue;
    const pairs = pairsOf(text, ids, cuts);
    if (found.length + pairs.length > MAX_MERGES)
      throw new RangeError(`${where}: expected scores that come to at most ${MAX_MERGES} merges, got more`);
    if (type === TokenType.UNUSED && pairs.length > 0)
      throw new Error(
        `${where}: token ${id}: expected no unused piece that others make up (not built in), got ${JSON.stringify(text)}`,
      );
    for (const [left, right] of pairs) found.push({ score: scores[id]!, left, right });
  }
  // sorting is stable: of equal scores, the piece with the lower id comes first
  return found.sort((a, b) => b.score - a.score).map(({ left, right }) => [left, right]);
}

/**
 * The ways to cut a text into two pieces, by the ids of these.
 * @param cuts lengths that pieces have, ascending
 */
function pairsOf(text: string, ids: ReadonlyMap<string, number>, cuts: readonly number[]): [string, string][] {
  const pairs: { left: number; right: number; at: number }[] = [];
  for (const at of cuts) {
    if (at >= text.length) break;
    const left = ids.get(text.slice(0, at));
    const right = left === undefined ? undefined : ids.get(text.slice(at));
    if (right !== undefined) pairs.push({ left: left!, right, at });
  }
  pairs.sort((a, b) => a.left - b.left || a.right - b.right);
  return pairs.map(({ at }) => [text.slice(0, at), text.slice(at)]);
}
