// UTF-8 where it lies in memory.

/** Bytes of the character whose first byte is `lead`; 1 for a byte that begins none. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function characterBytes(lead: u32): u32 {
  return lead < 0xc0 || lead > 0xf7 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** Whether `[at, end)` is UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF, nothing cut off. */
export function isUtf8(at: usize, end: usize): bool {
  while (at < end) {
    const lead = load<u8>(at);
    if (lead < 0x80) {
      at++;
      continue;
    }
    if (lead < 0xc2 || lead > 0xf4) return false;
    const bytes = characterBytes(lead);
    if (at + bytes > end) return false;
    const second = load<u8>(at, 1);
    if ((second & 0xc0) != 0x80) return false;
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return false;
    if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return false;
    if (bytes > 2 && (load<u8>(at, 2) & 0xc0) != 0x80) return false;
    if (bytes > 3 && (load<u8>(at, 3) & 0xc0) != 0x80) return false;
    at += bytes;
  }
  return true;
}
