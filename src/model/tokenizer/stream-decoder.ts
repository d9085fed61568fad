// Ids to text, one at a time: each push gives the text that is certain by now, in whole characters.
// Source: SentencePiece, sentencepiece_processor.cc (Decode); one U+FFFD for each byte that is no part of a character.
import type { TokenizerData } from './tokenizer-data.ts';
import { codePointAt, decodeUtf8 } from './utf8.ts';
import { PieceType } from './vocabulary.ts';

/**
 * @example
 * const stream = tokenizer.stream();
 * for (const id of ids) process.stdout.write(stream.push(id));
 * process.stdout.write(stream.end());
 */
export class StreamDecoder {
  /** UTF-8 that was not given as text yet. */
  private bytes = new Uint8Array(256);
  private size = 0;
  /** Whether nothing has come yet: a leading space is the dummy prefix, or one too many. */
  private atStart = true;

  constructor(private readonly data: TokenizerData) {}

  /** Takes the next id. @returns the text that follows what was given before; often empty within a character. */
  push(id: number): string {
    this.append(id);
    return this.take(this.size - incompleteBytes(this.bytes, this.size));
  }

  /** Ends the text. @returns what was held back: U+FFFD for each byte of a character that never came to its end. */
  end(): string {
    return this.take(this.size);
  }

  /** Takes the next id and holds its text back, until the next `push` or `end`: cheaper for many at once. */
  append(id: number): void {
    const { types, pieceOffsets, pieceBytes, unkSurface } = this.data;
    const type = types[id];
    if (type === undefined || type === PieceType.CONTROL) return;
    if (type === PieceType.UNKNOWN) this.appendBytes(unkSurface, 0, unkSurface.length);
    else if (type === PieceType.BYTE) this.appendBytes(Uint8Array.of(this.byteOf(id)), 0, 1);
    else this.appendPiece(pieceOffsets[id]!, Math.min(pieceOffsets[id + 1]!, pieceBytes.length));
  }

  private appendPiece(from: number, to: number): void {
    const { pieceBytes, addDummyPrefix, removeExtraWhitespaces } = this.data;
    if (this.atStart && (addDummyPrefix || removeExtraWhitespaces) && isSpaceSymbol(pieceBytes, from)) {
      from += 3;
      // Only the dummy prefix is dropped, unless no text begins with spaces.
      if (!removeExtraWhitespaces) this.atStart = false;
    }
    this.appendBytes(pieceBytes, from, to, true);
  }

  /** Appends `source[from, to)`, with a space for each space symbol if it is a piece. */
  private appendBytes(source: Uint8Array, from: number, to: number, isPiece = false): void {
    if (from >= to) return;
    if (this.size + to - from > this.bytes.length) {
      const bytes = new Uint8Array(2 * (this.size + to - from));
      bytes.set(this.bytes);
      this.bytes = bytes;
    }
    const bytes = this.bytes;
    let size = this.size;
    while (from < to) {
      const byte = source[from]!;
      if (byte === 0xe2 && isPiece && isSpaceSymbol(source, from)) {
        bytes[size++] = 0x20;
        from += 3;
      } else {
        bytes[size++] = byte;
        from++;
      }
    }
    this.size = size;
    this.atStart = false;
  }

  private take(count: number): string {
    const text = decodeUtf8(this.bytes, 0, count);
    this.bytes.copyWithin(0, count, this.size);
    this.size -= count;
    return text;
  }

  /** The byte of a byte piece, which is written `<0x0A>`. */
  private byteOf(id: number): number {
    const { pieceOffsets, pieceBytes } = this.data;
    const from = pieceOffsets[id]! + 3;
    return (hexDigit(pieceBytes[from]!) << 4) | hexDigit(pieceBytes[from + 1]!);
  }
}

/** How many bytes at the end of `bytes[0, size)` could be the beginning of a character, 0 to 3. */
function incompleteBytes(bytes: Uint8Array, size: number): number {
  for (let count = Math.min(3, size); count > 0; count--) {
    if (bytes[size - count]! >= 0x80 && codePointAt(bytes, size - count, size) === -2) return count;
  }
  return 0;
}

/** U+2581 is E2 96 81. No piece ends within a character, so that what follows is of the same piece. */
function isSpaceSymbol(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xe2 && bytes[at + 1] === 0x96 && bytes[at + 2] === 0x81;
}

function hexDigit(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x37;
}
