/** Base64 with padding, RFC 4648: Azle has no atob. */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const three = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += LETTERS[three >> 18]! + LETTERS[(three >> 12) & 63] + LETTERS[(three >> 6) & 63] + LETTERS[three & 63];
  }
  const missing = (3 - (bytes.length % 3)) % 3;
  return text.slice(0, text.length - missing) + '='.repeat(missing);
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const values = new Uint8Array(128);
  for (let i = 0; i < 64; i++) values[LETTERS.charCodeAt(i)] = i;
  const end = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - end);
  for (let i = 0, at = 0; i < text.length; i += 4, at += 3) {
    const [a, b, c, d] = [0, 1, 2, 3].map((k) => values[text.charCodeAt(i + k)]!) as [number, number, number, number];
    const three = (a << 18) | (b << 12) | (c << 6) | d;
    bytes[at] = three >> 16;
    // past the end nothing is written
    bytes[at + 1] = three >> 8;
    bytes[at + 2] = three;
  }
  return bytes;
}
