/**
 * TextEncoder and TextDecoder for UTF-8, for QuickJS, which has none. Azle takes them from @sinonjs/text-encoding: 600
 * kB of tables, which every canister parses at each install and upgrade, and 14,000 instructions a character. Names and
 * behaviour are those of the WHATWG Encoding Standard, UTF-8 only.
 */

const MAX_ARGUMENTS = 8192;

export class TextEncoder {
  encoding = 'utf-8';

  /** A lone surrogate becomes U+FFFD. */
  encode(text = '') {
    const bytes = new Uint8Array(text.length * 3);
    let at = 0;
    for (let i = 0; i < text.length; i++) {
      let code = text.charCodeAt(i);
      if (code < 0x80) {
        bytes[at++] = code;
        continue;
      }
      if (code >= 0xd800) {
        const whole = text.codePointAt(i);
        if (whole > 0xffff) i++;
        code = whole >= 0xd800 && whole <= 0xdfff ? 0xfffd : whole;
      }
      if (code < 0x800) bytes[at++] = 0xc0 | (code >> 6);
      else {
        if (code < 0x10000) bytes[at++] = 0xe0 | (code >> 12);
        else {
          bytes[at++] = 0xf0 | (code >> 18);
          bytes[at++] = 0x80 | ((code >> 12) & 63);
        }
        bytes[at++] = 0x80 | ((code >> 6) & 63);
      }
      bytes[at++] = 0x80 | (code & 63);
    }
    return bytes.slice(0, at);
  }
}

export class TextDecoder {
  encoding = 'utf-8';

  constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
    if (!/^\s*utf-?8\s*$/i.test(label)) throw new RangeError(`TextDecoder: expected utf-8, got ${label}`);
    this.fatal = fatal;
    this.ignoreBOM = ignoreBOM;
  }

  /** @throws TypeError where `fatal` is set and the bytes are not UTF-8 */
  decode(input = new Uint8Array(0)) {
    const bytes = ArrayBuffer.isView(input)
      ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
      : new Uint8Array(input);
    const text = ascii(bytes) ?? decodeUtf8(bytes, this.fatal);
    return !this.ignoreBOM && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }
}

/** Mostly native code: a string that grows by a character at a time costs the square of its length. */
function stringOf(units) {
  let text = '';
  for (let at = 0; at < units.length; at += MAX_ARGUMENTS) {
    text += String.fromCharCode.apply(null, units.subarray(at, at + MAX_ARGUMENTS));
  }
  return text;
}

/** The text if all of it is ASCII: a seventh of what a loop costs. */
function ascii(bytes) {
  const text = stringOf(bytes);
  return /^[\0-\x7f]*$/.test(text) ? text : undefined;
}

/**
 * One U+FFFD for each longest run of bytes that begins a character and does not end it (Encoding Standard,
 * section 8.1.1).
 */
function decodeUtf8(bytes, fatal) {
  const units = new Uint16Array(bytes.length);
  let count = 0;
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at++];
    if (lead < 0x80) {
      units[count++] = lead;
      continue;
    }
    const trailing = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    let code = lead & (0x3f >> trailing);
    // the first trailing byte must not make an overlong form, a surrogate or a number past U+10FFFF
    let low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    let high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    let left = trailing;
    while (left > 0 && at < bytes.length && bytes[at] >= low && bytes[at] <= high) {
      code = (code << 6) | (bytes[at++] & 63);
      low = 0x80;
      high = 0xbf;
      left--;
    }
    if (trailing === 0 || left > 0) {
      if (fatal) throw new TypeError('TextDecoder: expected UTF-8, got bytes that are not');
      units[count++] = 0xfffd;
    } else if (code < 0x10000) units[count++] = code;
    else {
      units[count++] = 0xd7c0 + (code >> 10);
      units[count++] = 0xdc00 | (code & 0x3ff);
    }
  }
  return stringOf(units.subarray(0, count));
}
