// Ids to text, one at a time: each push gives the text that is certain by now, in whole characters; U+FFFD for bytes
// that are no part of one.
import { codePointAt, decodeUtf8 } from './utf8.ts';

/** The UTF-8 of ids; `atStart` while no text has come: a leading space is the dummy prefix, or one too many. */
type BytesOf = (ids: readonly number[], atStart: boolean) => { bytes: Uint8Array; atStart: boolean };

/**
 * @example
 * const stream = tokenizer.stream();
 * for (const id of ids) process.stdout.write(stream.push(id));
 * process.stdout.write(stream.end());
 */
export class StreamDecoder {
  /** Ids that were not made into UTF-8 yet. */
  private ids: number[] = [];
  /** Of a character that has not come to its end. */
  private rest = new Uint8Array(0);
  private atStart = true;

  /** @param textOf what broken bytes become is a tokenizer's own */
  constructor(
    private readonly bytesOf: BytesOf,
    private readonly textOf: typeof decodeUtf8 = decodeUtf8,
  ) {}

  /** Takes the next id. @returns the text that follows what was given before; often empty within a character. */
  push(id: number): string {
    this.append(id);
    const bytes = this.take();
    const whole = bytes.length - incompleteBytes(bytes);
    this.rest = bytes.slice(whole);
    return this.textOf(bytes, 0, whole);
  }

  /** Ends the text. @returns what was held back: U+FFFD for a character that never came to its end. */
  end(): string {
    const bytes = this.take();
    this.rest = new Uint8Array(0);
    return this.textOf(bytes);
  }

  /** Takes the next id and holds its text back, until the next `push` or `end`: cheaper for many at once. */
  append(id: number): void {
    this.ids.push(id);
  }

  /** All that was not given as text yet. */
  private take(): Uint8Array {
    const { bytes, atStart } = this.bytesOf(this.ids, this.atStart);
    this.atStart = atStart;
    this.ids = [];
    if (this.rest.length === 0) return bytes;
    const joined = new Uint8Array(this.rest.length + bytes.length);
    joined.set(this.rest);
    joined.set(bytes, this.rest.length);
    return joined;
  }
}

/** How many bytes at the end could be the beginning of a character, 0 to 3. */
function incompleteBytes(bytes: Uint8Array): number {
  const size = bytes.length;
  for (let count = Math.min(3, size); count > 0; count--) {
    if (bytes[size - count]! >= 0x80 && codePointAt(bytes, size - count, size) === -2) return count;
  }
  return 0;
}
