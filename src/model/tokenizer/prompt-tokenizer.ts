// A unigram tokenizer with the tokens that were added to it: what prompts are encoded with, and answers decoded. Its
// pieces, and how a text without added tokens is cut up, are `tokenizer.ts`'s.

import type { AddedToken } from '../../text/added-token.ts';
import type { StreamDecoder } from '../../text/stream-decoder.ts';
import type { EncodeOptions, TextPart, TextStream, Tokenizer } from '../../text/tokenizer.ts';
import { type AddedTokenRow, type Part, TokenMatcher, tokenOf } from './added-tokens.ts';
import type { Unigram } from './unigram/tokenizer.ts';
import { SPACE_SYMBOL } from './unigram/vocabulary.ts';

/** Printable ASCII, which no map of SentencePiece's changes. */
const PLAIN = /^[ -~]*$/;
const PLAIN_WORD = /^[!-~]*$/;

interface Matchers {
  /** Of tokens that are sought in the text as it is, and in normalised text. */
  raw: TokenMatcher;
  normalized: TokenMatcher | undefined;
  /** Whether any of them is not special. */
  plain: boolean;
  /** Of special tokens, all in the text as it is. */
  special: TokenMatcher;
}

export class PromptTokenizer implements Tokenizer {
  private readonly tokens: readonly AddedToken[];
  private found: Matchers | undefined;
  private shown: ReadonlyMap<number, string> | undefined;

  /** @param rows the tokens that were added, special ones too; none for packs of versions that did not know of any */
  constructor(
    readonly pieces: Unigram,
    private readonly rows: readonly AddedTokenRow[] | undefined,
  ) {
    this.tokens = (rows ?? []).map(tokenOf);
  }

  get vocabularySize(): number {
    return this.pieces.vocabularySize;
  }

  get knowsSpecialTokens(): boolean {
    return this.rows !== undefined;
  }

  /**
   * The ids of a text, then `</s>`. Added tokens in it are one id each; special ones, such as `</s>` and
   * `<extra_id_0>`, only with `specialTokens`, and else ordinary text.
   */
  encode(text: string, options: EncodeOptions = {}): number[] {
    return this.encodeUpTo(text, Number.POSITIVE_INFINITY, options)!;
  }

  /**
   * As `encode`, if there are no more than `most` ids, `</s>` included, and no more than so many thousand steps along
   * tries for any part of the text; else undefined, and the rest is not looked at.
   */
  encodeUpTo(text: string, most: number, options: EncodeOptions): number[] | undefined {
    const { specialTokens = false, isPart = false, bare = isPart, thousandSteps = 0 } = options;
    const limit = bare ? most + 1 : most;
    const ids = this.encodeParts(this.split(text, specialTokens) ?? [{ text }], limit, thousandSteps);
    if (bare) ids?.pop();
    return ids;
  }

  splitSpecials(text: string): TextPart[] {
    const contents = new Map(this.tokens.map(({ id, content }) => [id, content]));
    const parts = this.matchers().special.split(text, () => false);
    return parts.map((part) => ('id' in part ? { ...part, special: contents.get(part.id)! } : part));
  }

  private encodeParts(parts: readonly Part[], most: number, thousandSteps: number): number[] | undefined {
    if (parts.length === 1 && 'text' in parts[0]!) return this.pieces.encodeUpTo(parts[0].text, most, thousandSteps);
    const ids: number[] = [];
    for (const part of parts) {
      if ('id' in part) ids.push(part.id);
      else {
        const found = this.pieces.encodeUpTo(part.text, most - ids.length, thousandSteps);
        if (found === undefined) return undefined;
        for (const id of found.slice(0, -1)) ids.push(id);
      }
      // one more is to come
      if (ids.length >= most) return undefined;
    }
    ids.push(this.pieces.eosId);
    return ids;
  }

  /** The text of `ids`; special tokens and ids that nothing has are left out. */
  decode(ids: Iterable<number>): string {
    if (this.shownTokens().size === 0) return this.pieces.decode(ids);
    const stream = this.stream();
    let text = '';
    for (const id of ids) text += stream.append(id) ?? '';
    return text + stream.end();
  }

  stream(): TextStream & { append(id: number): string | undefined } {
    return new PromptStream(this.pieces, this.shownTokens());
  }

  private shownTokens(): ReadonlyMap<number, string> {
    if (this.shown === undefined) {
      // one that is a piece besides is shown as that
      const shown = this.tokens.filter(({ id, special }) => !special && this.pieces.decode([id]) === '');
      this.shown = new Map(shown.map(({ id, content }) => [id, content]));
    }
    return this.shown;
  }

  /** Undefined where there is no token in the text. */
  private split(text: string, specialTokens: boolean): Part[] | undefined {
    const { raw, normalized, plain } = this.matchers();
    if (!plain && !specialTokens) return undefined;
    const ignored = ({ special }: AddedToken): boolean => special && !specialTokens;
    const parts = raw.split(text, ignored);
    if (normalized === undefined) return parts;
    return parts.flatMap((part) => {
      if ('id' in part) return [part];
      const inner = normalized.split(this.normalize(part.text), ignored);
      // where there is none, the text as it was is cut up: it is normalised then, and need not be twice
      return inner.some((piece) => 'id' in piece) ? inner : [part];
    });
  }

  /** A text by the map alone, its spaces plain; runs of them are one, unless all is printable ASCII. */
  private normalize(text: string): string {
    if (PLAIN.test(text)) return text;
    // a space symbol of the text itself is none of its spaces
    const parts = text.split(SPACE_SYMBOL).map((part) =>
      // space symbols alone would make thousands of parts that native code is called for
      PLAIN_WORD.test(part) ? part : this.pieces.normalize(part).replaceAll(SPACE_SYMBOL, ' ').trim(),
    );
    return parts.join(SPACE_SYMBOL);
  }

  private matchers(): Matchers {
    if (this.found === undefined) {
      const normalized = this.tokens.filter((token) => token.normalized);
      this.found = {
        raw: new TokenMatcher(this.tokens.filter((token) => !token.normalized)),
        normalized:
          normalized.length > 0 ? new TokenMatcher(normalized, ({ content }) => this.normalize(content)) : undefined,
        plain: this.tokens.some(({ special }) => !special),
        special: new TokenMatcher(this.tokens.filter(({ special }) => special)),
      };
    }
    return this.found;
  }
}

/**
 * The text between added tokens by the tokenizer's own streams; only the first of an answer drops its leading space.
 */
class PromptStream {
  private stream: StreamDecoder;
  private fresh = true;

  constructor(
    private readonly pieces: Unigram,
    private readonly shown: ReadonlyMap<number, string>,
  ) {
    this.stream = pieces.stream();
  }

  push(id: number): string {
    const content = this.shown.get(id);
    return content === undefined ? this.stream.push(id) : this.put(content);
  }

  /**
   * Takes the next id and holds its text back where that is cheaper.
   * @returns text of an added token, and what was held back before it
   */
  append(id: number): string | undefined {
    const content = this.shown.get(id);
    if (content !== undefined) return this.put(content);
    this.stream.append(id);
    return undefined;
  }

  end(): string {
    return this.stream.end();
  }

  private put(content: string): string {
    const before = this.stream.end();
    if (this.fresh) {
      // anything makes it forget that it is at its beginning
      this.stream = this.pieces.stream();
      this.stream.push(this.pieces.unkId);
      this.fresh = false;
    }
    return before + content;
  }
}
