// The best way to cut a normalised text into pieces: SentencePiece's search, with the same float32 scores and the same
// choice between equal ones. Source: SentencePiece 0.2.2 and later, EncodeOptimized (versions before it compare before
// they round, and differ in 1 of 444 of T5's goldens). Written for an interpreter at 130 Wasm instructions a bytecode:
// typed arrays in locals, numbers for the constants of `double-array.ts`, no calls.
import type { TokenizerData } from './tokenizer-data.ts';

/** Up to this far from zero, scores are precise enough for `certain-pieces.ts`. */
const PRECISE = 8192;
/** SentencePiece's: further from zero, scores begin at zero anew, lest float32 lose what tells two paths apart. */
const RESET = 100_000;

export class Viterbi {
  /** [size + 1] score of the best path that ends at each byte. */
  private best = new Float32Array(0);
  /** [size + 1] id of that path's last piece. */
  last = new Int32Array(0);

  constructor(private readonly data: TokenizerData) {}

  /** Finds the paths to every byte of `text[0, size)`, after which END_BYTE stands; they are in `last`. */
  search(text: Uint8Array, size: number): void {
    if (this.best.length <= size) {
      this.best = new Float32Array(2 * size + 256);
      this.last = new Int32Array(2 * size + 256);
    }
    const { best, last } = this;
    const { units, scores, cuts, unkScore, unkId } = this.data;
    best.fill(Number.NEGATIVE_INFINITY, 1, size + 1);
    best[0] = 0;
    const root = units[0]!;
    let isCut = true; // whether every path has a boundary at `start`
    for (let start = 0; start < size; ) {
      let here = best[start]!;
      const first = text[start]!;
      const isPrecise = here < PRECISE && here > -PRECISE;
      if (!isPrecise && (here < -RESET || here > RESET)) {
        for (let end = start; end <= size; end++) best[end]! -= here; // what is not reached stays at -Infinity
        here = 0;
      }

      if (isCut && isPrecise) {
        let at = start;
        let byte = first;
        let unit = root;
        let child = units[(unit >> 10) ^ byte]!;
        while ((child & 255) === byte) {
          unit = child;
          byte = text[++at]!;
          child = units[(unit >> 10) ^ byte]!;
        }
        if ((unit & 512) !== 0 && cuts[(text[at - 1]! << 8) | byte] === 1) {
          const id = units[unit >> 10]! >> 8;
          best[at] = here + scores[id]!;
          last[at] = id;
          start = at;
          continue;
        }
      }

      let at = start;
      let byte = first;
      let unit = units[(root >> 10) ^ byte]!;
      while ((unit & 255) === byte) {
        at++;
        if ((unit & 256) !== 0) {
          const id = units[unit >> 10]! >> 8;
          const score = here + scores[id]!;
          const before = best[at]!;
          if (score > before) {
            best[at] = score;
            // SentencePiece compares after rounding to float32: what rounds to the same score does not win.
            if (best[at]! > before) last[at] = id;
          }
        }
        byte = text[at]!;
        unit = units[(unit >> 10) ^ byte]!;
      }
      // The character as unknown: SentencePiece does not try where the character is a piece, and it could not win there.
      start += first < 0xc0 || first > 0xf7 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
      const before = best[start]!;
      if (here + unkScore > before) {
        best[start] = here + unkScore;
        if (best[start]! > before) last[start] = unkId;
      }
      isCut = cuts[(text[start - 1]! << 8) | text[start]!] === 1;
    }
  }
}
