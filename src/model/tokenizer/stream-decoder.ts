// Ids to text, one at a time: each push gives the text that is certain by now, in whole characters.
// Source: SentencePiece, sentencepiece_processor.cc (Decode); one U+FFFD for each byte that is no part of a character.
import type { TokenizerData } from './tokenizer-data.ts';
import { asciiString, characterBytes, codePointAt, decodeUtf8 } from './utf8.ts';
import { PieceType, SPACE_SYMBOL } from './vocabulary.ts';

/**
 * @example
 * const stream = tokenizer.stream();
 * for (const id of ids) process.stdout.write(stream.push(id));
 * process.stdout.write(stream.end());
 */
export class StreamDecoder {
  /** Bytes of byte pieces that do not make a whole character yet. */
  private pending: number[] = [];
  /** Whether no text has come yet: a leading space is the dummy prefix, or one too many. */
  private atStart = true;

  constructor(private readonly data: TokenizerData) {}

  /** Takes the next id. @returns the text that follows what was given before; often empty within a character. */
  push(id: number): string {
    const { types } = this.data;
    const type = types[id];
    if (type === PieceType.BYTE) {
      this.pending.push(this.byteOf(id));
      return this.takeCharacters(false);
    }
    const before = this.takeCharacters(true);
    if (type === undefined || type === PieceType.CONTROL) return before;
    if (type === PieceType.UNKNOWN) {
      const { unkSurface } = this.data;
      if (unkSurface.length > 0) this.atStart = false;
      return before + decodeUtf8(unkSurface);
    }
    return before + this.textOf(id);
  }

  /** Ends the text. @returns what was held back: U+FFFD for each byte of a character that never came to its end. */
  end(): string {
    return this.takeCharacters(true);
  }

  private textOf(id: number): string {
    const { pieceOffsets, pieceBytes, addDummyPrefix, removeExtraWhitespaces } = this.data;
    let from = pieceOffsets[id]!;
    const to = pieceOffsets[id + 1]!;
    if (this.atStart && (addDummyPrefix || removeExtraWhitespaces) && isSpaceSymbol(pieceBytes, from, to)) {
      from += 3;
      // Only the dummy prefix is dropped, unless no text begins with spaces.
      if (!removeExtraWhitespaces) this.atStart = false;
    }
    let text = '';
    if (isSpaceSymbol(pieceBytes, from, to)) {
      text = ' ';
      from += 3;
    }
    text += asciiString(pieceBytes, from, to) ?? decodeUtf8(pieceBytes, from, to).replaceAll(SPACE_SYMBOL, ' ');
    if (text !== '') this.atStart = false;
    return text;
  }

  /** The characters at the front of `pending`; at the end (`all`) also those that are broken off. */
  private takeCharacters(all: boolean): string {
    const { pending } = this;
    let text = '';
    let at = 0;
    while (at < pending.length) {
      const code = codePointAt(pending, at, pending.length);
      if (code === -2 && !all) break;
      text += code < 0 ? '\ufffd' : String.fromCodePoint(code);
      at += code < 0 ? 1 : characterBytes(pending[at]!);
    }
    if (at > 0) {
      pending.splice(0, at);
      this.atStart = false;
    }
    return text;
  }

  /** The byte of a byte piece, which is written `<0x0A>`. */
  private byteOf(id: number): number {
    const { pieceOffsets, pieceBytes } = this.data;
    const from = pieceOffsets[id]! + 3;
    return (hexDigit(pieceBytes[from]!) << 4) | hexDigit(pieceBytes[from + 1]!);
  }
}

/** U+2581 is E2 96 81. */
function isSpaceSymbol(bytes: Uint8Array, at: number, end: number): boolean {
  return at + 3 <= end && bytes[at] === 0xe2 && bytes[at + 1] === 0x96 && bytes[at + 2] === 0x81;
}

function hexDigit(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x37;
}
