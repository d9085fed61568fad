/**
 * Which code points are letters, numbers, spaces and parts of words, as this JavaScript's Unicode has them: made at
 * conversion, so that a canister needs no Unicode of its own.
 */
import { CLASS_BLOCKS, LETTER, NUMBER, SPACE, WORD } from '../assembly/protocol.ts';

const KINDS: [RegExp, number][] = [
  [/\p{L}/u, LETTER],
  [/\p{N}/u, NUMBER],
  [/\p{White_Space}/u, SPACE],
];

/** What Rust's regular expressions call \w. */
const IN_WORD = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]/u;

function classOf(code: number): number {
  if (code >= 0xd800 && code < 0xe000) return 0;
  const character = String.fromCodePoint(code);
  const kind = KINDS.find(([pattern]) => pattern.test(character))?.[1] ?? 0;
  return kind | (IN_WORD.test(character) ? WORD : 0);
}

let made: Uint8Array | undefined;

/**
 * [CLASS_BLOCKS] u16, then blocks of 256, as BpeData has them: a million code points, looked at once. Blocks that are
 * alike stand once.
 */
export function unicodeClasses(): Uint8Array {
  made ??= makeClasses();
  return made;
}

function makeClasses(): Uint8Array {
  const blocks: Uint8Array[] = [];
  const known = new Map<string, number>();
  const index = Uint16Array.from({ length: CLASS_BLOCKS }, (_, block) => {
    const classes = Uint8Array.from({ length: 256 }, (_, low) => classOf(block * 256 + low));
    const key = classes.join();
    if (!known.has(key)) known.set(key, blocks.push(classes) - 1);
    return known.get(key)!;
  });
  const out = new Uint8Array(CLASS_BLOCKS * 2 + blocks.length * 256);
  out.set(new Uint8Array(index.buffer));
  for (const [i, block] of blocks.entries()) out.set(block, CLASS_BLOCKS * 2 + i * 256);
  return out;
}
