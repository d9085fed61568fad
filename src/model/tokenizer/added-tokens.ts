// Tokens that were added to a tokenizer beside its pieces: found in a text before it is normalised and cut up, each one
// id. Where they come from is `folder-tokenizer.ts`. Source: tokenizers, added_vocabulary.rs (find_matches,
// extract_and_normalize): the leftmost and longest match counts, even one that is then discarded.

import type { AddedToken } from '../../text/added-token.ts';

/** A part of a text: one that is cut up into pieces, or a token. */
export type Part = { text: string } | { id: number };

/** A token as a pack's head has it: id, content, flags. */
export type AddedTokenRow = readonly [id: number, content: string, flags: number];
const FLAGS = ['special', 'normalized', 'lstrip', 'rstrip', 'singleWord'] as const;

export const rowOf = (token: AddedToken): AddedTokenRow => [
  token.id,
  token.content,
  FLAGS.reduce((bits, name, i) => bits | (token[name] ? 1 << i : 0), 0),
];

export function tokenOf([id, content, flags]: AddedTokenRow): AddedToken {
  const set = Object.fromEntries(FLAGS.map((name, i) => [name, ((flags >> i) & 1) === 1]));
  return { id, content, ...set } as unknown as AddedToken;
}

/** A pack's head has room for so many; they are looked at one by one when a model is loaded. */
export const MAX_ADDED_TOKENS = 4096;
const MAX_CONTENT = 256;

/** Reads rows that may lie. @throws Error saying where and what */
export function checkRows(rows: unknown, vocabularySize: number): AddedTokenRow[] {
  const fail = (where: string, expected: string, got: unknown): never => {
    throw new Error(`pack: expected ${where} to be ${expected}, got ${JSON.stringify(got)?.slice(0, 60)}`);
  };
  if (!Array.isArray(rows) || rows.length > MAX_ADDED_TOKENS) {
    return fail('addedTokens', `a list of at most ${MAX_ADDED_TOKENS}`, rows);
  }
  rows.forEach((row: unknown, i) => {
    const [id, content, flags] = Array.isArray(row) ? row : [];
    const where = `addedTokens[${i}]`;
    if (!Number.isInteger(id) || id < 0 || id >= vocabularySize) fail(where, `of an id below ${vocabularySize}`, row);
    if (typeof content !== 'string' || content === '' || content.length > MAX_CONTENT) {
      fail(where, `of a text of 1 to ${MAX_CONTENT} characters`, row);
    }
    if (!Number.isInteger(flags) || flags < 0 || flags >= 1 << FLAGS.length) fail(where, 'of flags below 32', row);
  });
  return rows as AddedTokenRow[];
}

/** The tokens that are sought together. */
export class TokenMatcher {
  private readonly byContent = new Map<string, AddedToken>();
  /** Lengths of the tokens that begin with a character, falling. */
  private readonly lengths = new Map<string, number[]>();
  /** Finds the next place at which a token may begin; undefined if there is no token. */
  private readonly begin: RegExp | undefined;

  /** @param contentOf what a token is in the text that is searched */
  constructor(tokens: readonly AddedToken[], contentOf: (token: AddedToken) => string = ({ content }) => content) {
    const beginnings = new Map<string, string>();
    for (const token of tokens) {
      const content = contentOf(token);
      if (content === '') continue;
      this.byContent.set(content, token);
      const first = content[0]!;
      const lengths = this.lengths.get(first) ?? [];
      if (!lengths.includes(content.length))
        this.lengths.set(
          first,
          [...lengths, content.length].sort((a, b) => b - a),
        );
      beginnings.set(first, commonStart(beginnings.get(first) ?? content, content));
    }
    // what all tokens of a first character begin with, so that a lone "<" costs nothing
    const source = [...beginnings.values()].map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|');
    if (source !== '') this.begin = new RegExp(source, 'g');
  }

  /** A text in its parts, in order. @param ignored tokens that are found and then left as text */
  split(text: string, ignored: (token: AddedToken) => boolean): Part[] {
    const parts: Part[] = [];
    let done = 0;
    for (let at = 0; at < text.length; ) {
      const found = this.next(text, at);
      if (found === undefined) break;
      let [from, to] = [found.at, found.at + found.length];
      at = to;
      const { token } = found;
      if (ignored(token)) continue;
      if (token.singleWord && isWithinWord(text, from, to)) continue;
      if (token.lstrip) while (from > done && isSpace(text, from - 1)) from--;
      if (token.rstrip) while (to < text.length && isSpace(text, to)) to++;
      if (from > done) parts.push({ text: text.slice(done, from) });
      parts.push({ id: token.id });
      done = to;
      // a match may lie within the spaces that were taken: then it begins behind what is done, and takes none of it
      // again
    }
    if (done < text.length) parts.push({ text: text.slice(done) });
    return parts;
  }

  /** The first place from `from` on at which a token stands, and the longest one there. */
  private next(text: string, from: number): { at: number; length: number; token: AddedToken } | undefined {
    const { begin } = this;
    if (begin === undefined) return undefined;
    begin.lastIndex = from;
    for (let match = begin.exec(text); match !== null; match = begin.exec(text)) {
      const at = match.index;
      for (const length of this.lengths.get(text[at]!)!) {
        const token = this.byContent.get(text.slice(at, at + length));
        if (token !== undefined && at + length <= text.length) return { at, length, token };
      }
      begin.lastIndex = at + 1;
    }
    return undefined;
  }
}

/** Whether a character that Rust's regular expressions call \w stands before `from` or at `to`. */
function isWithinWord(text: string, from: number, to: number): boolean {
  const word = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]/u;
  const isLow = from > 1 && (text.charCodeAt(from - 1) & 0xfc00) === 0xdc00;
  const before = text.slice(from - (isLow ? 2 : 1), from);
  const after = to < text.length ? String.fromCodePoint(text.codePointAt(to)!) : '';
  return (from > 0 && word.test(before)) || word.test(after);
}

const isSpace = (text: string, at: number): boolean => /\p{White_Space}/u.test(text[at]!);

function commonStart(a: string, b: string): string {
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  return a.slice(0, same);
}
