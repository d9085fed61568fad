// Takes apart SentencePiece's compiled normalisation rule: a darts-clone double array over UTF-8 and the texts it leads
// to. Checked here, once, so that looking up needs no checks. Source: normalizer.cc (DecodePrecompiledCharsMap),
// darts.h (unit).
//
//   trie bytes, a uint32 | the trie's units, a uint32 each | texts in UTF-8, each ended by a zero byte

export interface Charsmap {
  units: Int32Array;
  strings: Uint8Array;
  /** Whether printable ASCII is left as it is wherever ASCII follows. */
  plainAscii: boolean;
}

/** Steps from a unit: the child for `byte` is `offsetOf(unit) ^ byte` from where the unit itself led. */
export function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >> 6);
}

/** @param blob the file's bytes, empty for no rule. @throws Error saying what is broken. */
export function readCharsmap(blob: Uint8Array, where: string): Charsmap {
  const fail = (expected: string, got: number | string): never => {
    throw new Error(`${where}: precompiled_charsmap: expected ${expected}, got ${got}`);
  };
  if (blob.length === 0) {
    return { units: new Int32Array(0), strings: new Uint8Array(0), plainAscii: true };
  }
  if (blob.length < 8) fail('at least 8 bytes', blob.length);
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const trieBytes = view.getUint32(0, true);
  if (trieBytes % 4 !== 0 || trieBytes === 0 || trieBytes >= blob.length - 4) {
    fail(`a trie of a multiple of 4 bytes, below ${blob.length - 4}`, trieBytes);
  }
  const units = Int32Array.from({ length: trieBytes / 4 }, (_, i) => view.getInt32(4 + 4 * i, true));
  const strings = blob.slice(4 + trieBytes);
  if (strings.at(-1) !== 0) fail('its texts to end with a zero byte', strings.at(-1)!);

  /** The unit that `byte` leads to from `node`, and the node after it; undefined if there is none. */
  const child = (node: number, byte: number) => {
    const unit = units[node ^ byte];
    if (unit === undefined || (unit & 0x800000ff) !== byte) return undefined;
    const to = node ^ byte ^ offsetOf(unit);
    const isRule = (unit & 0x100) !== 0;
    if (isRule && ((units[to] ?? -1) & 0x7fffffff) >= strings.length) {
      fail(`its rules to lead below ${strings.length}`, (units[to] ?? -1) & 0x7fffffff);
    }
    return { node: to, isRule };
  };
  const startsRule: boolean[] = [];
  const continuesRule: boolean[] = [];
  const root = offsetOf(units[0]!);
  const seen = new Set<number>(); // ends that are alike share their units
  const stack: number[] = [];
  for (let byte = 1; byte < 256; byte++) {
    const first = child(root, byte);
    if (first === undefined) continue;
    startsRule[byte] = first.isRule;
    for (let second = 1; second < 128; second++) startsRule[byte] ||= child(first.node, second) !== undefined;
    stack.push(first.node);
  }
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (let byte = 1; byte < 256; byte++) {
      const next = child(node, byte);
      if (next === undefined) continue;
      continuesRule[byte] = true;
      stack.push(next.node);
    }
  }
  // A character is plain if it is no rule itself, begins none that goes on in ASCII, and is inside of none.
  let plainAscii = true;
  for (let code = 0x20; code < 0x7f; code++) plainAscii &&= !startsRule[code] && !continuesRule[code];
  return { units, strings, plainAscii };
}
