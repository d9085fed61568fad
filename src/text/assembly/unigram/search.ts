// The best way to cut a normalised text into pieces: SentencePiece's search, with the same float32 scores and the same
// choice between equal ones. Source: SentencePiece 0.2.2 and later, EncodeOptimized (versions before it compare before
// they round, and differ in 1 of 444 of T5's goldens).
import { characterBytes } from '../utf8';
import { cuts, scores, units, unkId, unkScore } from './tables';
import { best, count, last, text } from './window';

/** Up to this far from zero, scores are precise enough for certain pieces (certain-pieces.ts). */
const PRECISE: f32 = 8192;
/** SentencePiece's: further from zero, scores begin at zero anew, lest float32 lose what tells two paths apart. */
const RESET: f32 = 100_000;

// @ts-ignore: AssemblyScript's decorator
@inline
function scoreAt(place: u32): f32 {
  return load<f32>(best + (<usize>place << 2));
}

// @ts-ignore: AssemblyScript's decorator
@inline
function setScore(place: u32, score: f32): void {
  store<f32>(best + (<usize>place << 2), score);
}

// @ts-ignore: AssemblyScript's decorator
@inline
function setLast(place: u32, id: u32): void {
  store<u32>(last + (<usize>place << 2), id);
}

/** The unit that `byte` leads to. */
// @ts-ignore: AssemblyScript's decorator
@inline
function child(unit: u32, byte: u32): u32 {
  return load<u32>(units + (<usize>((unit >> 10) ^ byte) << 2));
}

// @ts-ignore: AssemblyScript's decorator
@inline
function idOf(unit: u32): u32 {
  return load<u32>(units + (<usize>(unit >> 10) << 2)) >> 8;
}

// @ts-ignore: AssemblyScript's decorator
@inline
function scoreOf(id: u32): f32 {
  return load<f32>(scores + (<usize>id << 2));
}

/** Whether every path has a boundary before byte `at` of the window. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function isCut(at: u32): bool {
  return load<u8>(cuts + ((<usize>load<u8>(text + at - 1) << 8) | <usize>load<u8>(text + at))) == 1;
}

/**
 * Finds the paths to every byte of the window up to `size`, where every path has a boundary, as at its beginning; they
 * are in `last`.
 * @param score of the best path to the beginning @returns that of the best path to the end
 */
export function search(size: u32, score: f32): f32 {
  setScore(0, score);
  const root = load<u32>(units);
  let made: u32 = 0;
  let atCut = true;
  // the furthest byte that a path leads to: what is behind it was never written
  let reach: u32 = 0;
  let start: u32 = 0;
  while (start < size) {
    let here = scoreAt(start);
    const isPrecise = here < PRECISE && here > -PRECISE;
    if (!isPrecise && (here < -RESET || here > RESET)) {
      for (let end = start; end <= reach; end++) setScore(end, scoreAt(end) - here); // what is not reached stays at -Infinity
      here = 0;
    }
    const first: u32 = load<u8>(text + start);
    if (atCut && isPrecise) {
      let at = start;
      let byte = first;
      let unit = root;
      let next = child(unit, byte);
      while ((next & 0xff) == byte) {
        unit = next;
        byte = load<u8>(text + ++at);
        next = child(unit, byte);
      }
      made += at - start + 1;
      if ((unit & 0x200) != 0 && isCut(at)) {
        const id = idOf(unit);
        setScore(at, <f32>(<f64>here + <f64>scoreOf(id)));
        setLast(at, id);
        reach = at;
        start = at;
        continue;
      }
    }
    let at = start;
    let byte = first;
    let unit = child(root, byte);
    while ((unit & 0xff) == byte) {
      at++;
      if ((unit & 0x100) != 0) {
        const id = idOf(unit);
        reach = reached(reach, at);
        take(at, <f64>here + <f64>scoreOf(id), id);
      }
      byte = load<u8>(text + at);
      unit = child(unit, byte);
    }
    made += at - start + 1;
    // The character as unknown: SentencePiece does not try where the character is a piece, and it could not win there.
    start += characterBytes(first);
    reach = reached(reach, start);
    take(start, <f64>here + <f64>unkScore, unkId);
    atCut = isCut(start);
  }
  count(made);
  return scoreAt(size);
}

/** Makes what is up to byte `at` of the window known as not reached yet, if it is new. */
// @ts-ignore: AssemblyScript's decorator
@inline
function reached(reach: u32, at: u32): u32 {
  for (; reach < at; reach++) setScore(reach + 1, -Infinity);
  return reach;
}

/** SentencePiece compares after rounding to float32: what rounds to the same score does not win. */
// @ts-ignore: AssemblyScript's decorator
@inline
function take(at: u32, score: f64, id: u32): void {
  const before = scoreAt(at);
  if (score <= <f64>before) return;
  const rounded = <f32>score;
  setScore(at, rounded);
  if (rounded > before) setLast(at, id);
}
