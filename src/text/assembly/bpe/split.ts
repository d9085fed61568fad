// Parts a text into the words that are merged, as the pre-tokenizers' patterns do (src/text/bpe/pre-tokenizers.ts has
// them as they are written). Each function gives where the word that begins at `at` ends; `end` is where the text does,
// for them. Linear: what is looked at and not taken is one character, or a run of spaces that the next takes.
import { CLASS_BLOCKS, KINDS, LETTER, NUMBER, PRE_GPT2, PRE_LLAMA3, PRE_SMOLLM, SPACE } from '../protocol';
import { characterBytes } from '../utf8';
import { classes, kind } from './tables';

const APOSTROPHE: u32 = 0x27;

/** Letter, number, space or 0, of the character at `at`. */
function classAt(at: usize): u32 {
  return classOf(at) & KINDS;
}

/** All bits of the class of the character at `at`. */
export function classOf(at: usize): u32 {
  const lead: u32 = load<u8>(at);
  let code = lead;
  if (lead >= 0x80) {
    const bytes = characterBytes(lead);
    code = lead & (0xff >> (bytes + 1));
    for (let i: u32 = 1; i < bytes; i++) code = (code << 6) | (load<u8>(at + i) & 63);
  }
  const block: u32 = load<u16>(classes + ((code >> 8) << 1));
  return load<u8>(classes + CLASS_BLOCKS * 2 + (block << 8) + (code & 255));
}

// @ts-ignore: AssemblyScript's decorator
@inline
function after(at: usize): usize {
  return at + characterBytes(load<u8>(at));
}

/** Where a run of this class ends. */
function runOf(wanted: u32, at: usize, end: usize): usize {
  while (at < end && classAt(at) == wanted) at = after(at);
  return at;
}

function isNewline(at: usize): bool {
  const byte = load<u8>(at);
  return byte == 0x0a || byte == 0x0d;
}

/** Where numbers part the text before its pattern is looked for, in the kinds that have them one by one. */
export function part(at: usize, end: usize): usize {
  if (kind != PRE_SMOLLM || at >= end) return end;
  if (classAt(at) == NUMBER) return after(at);
  while (at < end && classAt(at) != NUMBER) at = after(at);
  return at;
}

export function word(at: usize, end: usize): usize {
  return kind == PRE_GPT2 || kind == PRE_SMOLLM ? gpt2(at, end) : llama3(at, end);
}

/** Bytes of 's, 't, 're, 've, 'm, 'll, 'd at an apostrophe; 0 for none. In any case, U+017F is an s. */
function contraction(at: usize, end: usize, anyCase: bool): u32 {
  if (at + 1 >= end) return 0;
  const fold = anyCase ? 0x20 : 0;
  const first = load<u8>(at, 1) | fold;
  if (first == 0x73 || first == 0x74 || first == 0x6d || first == 0x64) return 2;
  if (at + 2 >= end) return 0;
  const second: u32 = load<u8>(at, 2);
  if (anyCase && load<u8>(at, 1) == 0xc5 && second == 0xbf) return 3;
  const folded = second | fold;
  if ((first == 0x72 || first == 0x76) && folded == 0x65) return 3;
  return first == 0x6c && folded == 0x6c ? 3 : 0;
}

function gpt2(at: usize, end: usize): usize {
  const first: u32 = load<u8>(at);
  if (first == APOSTROPHE) {
    const bytes = contraction(at, end, false);
    if (bytes > 0) return at + bytes;
  }
  const from = first == 0x20 && at + 1 < end ? at + 1 : at;
  const klass = classAt(from);
  return klass == SPACE ? spaces(at, end) : runOf(klass, after(from), end);
}

/** A run of spaces without its last one, if something follows that is none. */
function spaces(at: usize, end: usize): usize {
  let last = at;
  let to = at;
  while (to < end && classAt(to) == SPACE) {
    last = to;
    to = after(to);
  }
  return to == end || last == at ? to : last;
}

function llama3(at: usize, end: usize): usize {
  const first: u32 = load<u8>(at);
  if (first == APOSTROPHE) {
    const bytes = contraction(at, end, true);
    if (bytes > 0) return at + bytes;
  }
  const klass = classAt(at);
  const next = after(at);
  if (klass == LETTER) return runOf(LETTER, next, end);
  if (klass == NUMBER) return kind == PRE_LLAMA3 ? upToThree(at, end) : next;
  if (!isNewline(at) && next < end && classAt(next) == LETTER) return runOf(LETTER, next, end);
  const from = first == 0x20 ? next : at;
  if (from < end && classAt(from) == 0) {
    let to = runOf(0, from, end);
    while (to < end && isNewline(to)) to++;
    return to;
  }
  // spaces up to the last newline among them, if there is one
  let newline: usize = 0;
  for (let to = at; to < end && classAt(to) == SPACE; to = after(to)) if (isNewline(to)) newline = to;
  return newline != 0 ? newline + 1 : spaces(at, end);
}

function upToThree(at: usize, end: usize): usize {
  for (let i = 0; i < 3 && at < end && classAt(at) == NUMBER; i++) at = after(at);
  return at;
}
