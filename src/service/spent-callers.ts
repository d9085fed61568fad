/**
 * What callers had spent when it was written down, JSON of `{"who":[tokens,day,cycles],…}`: ten thousand callers are a
 * megabyte, so it is read in pieces, and written down again with what is not read yet as it stands.
 */
import { decodeUtf8, utf8Of } from '../text/utf8.ts';
import type { SpentOnDay } from './quotas.ts';

/** Of the text that is read at once, and somewhat more. */
const PIECE_BYTES = 8192;
const QUOTE = 0x22;
const COMMA = 0x2c;
const CLOSES = 0x5d;

export class SpentCallers {
  private readonly json: Uint8Array;
  /** Behind the brace or comma before what is read next. */
  private at = 1;

  constructor(json: Uint8Array = utf8Of('{}')) {
    this.json = json;
  }

  get isRead(): boolean {
    return this.at >= this.json.length - 1;
  }

  /** The callers of the next piece. */
  next(): [string, SpentOnDay][] {
    const end = this.endOfPiece();
    const piece = decodeUtf8(this.json, this.at, end);
    this.at = end + 1;
    return Object.entries(JSON.parse(`{${piece}}`));
  }

  /** JSON of callers, and of those that are not read yet. A caller may stand in it twice. */
  withUnread(callers: readonly (readonly [string, SpentOnDay])[]): Uint8Array {
    const known = callers.map(([who, [tokens, day, cycles]]) => `${JSON.stringify(who)}:[${tokens},${day},${cycles}]`);
    const text = utf8Of(`{${known.join()}`);
    const unread = this.isRead ? this.json.subarray(-1) : this.json.subarray(this.at);
    const bytes = new Uint8Array(text.length + 1 + unread.length);
    bytes.set(text);
    let at = text.length;
    if (known.length > 0 && !this.isRead) bytes[at++] = COMMA;
    bytes.set(unread, at);
    return bytes.subarray(0, at + unread.length);
  }

  /** Where an entry ends: no name has a quote that nothing escapes. */
  private endOfPiece(): number {
    const { json } = this;
    const last = json.length - 1;
    for (let at = this.at + PIECE_BYTES; at < last; at++) {
      at = json.indexOf(CLOSES, at);
      if (at < 0) break;
      if (json[at + 1] === COMMA && json[at + 2] === QUOTE) return at + 1;
    }
    return last;
  }
}
