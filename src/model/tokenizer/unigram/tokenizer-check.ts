// Whether the tables of a tokenizer may be worked with: nothing in them leads out of them or round in a ring. Native,
// since it looks at all of them.
import {
  CHECK_WORK,
  COMMAND_UNIGRAM_CHECK,
  DONE,
  FAULT_BYTE,
  FAULT_CUT,
  FAULT_FLAGS,
  FAULT_LENGTH,
  FAULT_MAP_CYCLE,
  FAULT_MAP_RANGE,
  FAULT_MAP_TEXT,
  FAULT_NUMBER,
  FAULT_OFFSETS,
  FAULT_SPECIAL,
  FAULT_TEXT,
  FAULT_TRIE_COUNT,
  FAULT_TRIE_KEY,
  FAULT_TRIE_LOOSE,
  FAULT_TRIE_RANGE,
  FAULT_TRIE_SHARED,
  FAULT_TYPE,
} from '../../../text/assembly/protocol.ts';
import { type Native, NativeCall } from '../../../text/native.ts';
import { readTokenizerHead, type TokenizerHead } from './tokenizer-data.ts';

/** Bounds on what a check costs: five times mT5's 250,000 pieces, and the map of every tokenizer that there is. */
const MOST_BYTES = 32 << 20;
const MOST_MAP_BYTES = 1 << 20;

/** What is wrong, and of what the place is the number. */
const FAULTS: Record<number, [expected: string, of: 'piece' | 'unit' | '']> = {
  [FAULT_NUMBER]: ['a finite score', 'piece'],
  [FAULT_TYPE]: ['a type from 1 to 6', 'piece'],
  [FAULT_OFFSETS]: ['offsets that rise', 'piece'],
  [FAULT_TEXT]: ['UTF-8', 'piece'],
  [FAULT_LENGTH]: ['the length of its text', 'piece'],
  [FAULT_BYTE]: ['a byte written <0x00> to <0xFF>, and each byte once', 'piece'],
  [FAULT_SPECIAL]: ['one unknown piece, and a control piece to end texts with', ''],
  [FAULT_CUT]: ['no boundary within a piece', 'piece'],
  [FAULT_TRIE_RANGE]: ['a trie that leads nowhere past its end', 'unit'],
  [FAULT_TRIE_SHARED]: ['a trie whose units have children of their own', 'unit'],
  [FAULT_TRIE_KEY]: ['a trie whose keys are pieces', 'unit'],
  [FAULT_TRIE_LOOSE]: ['a trie whose units all lead to a piece', 'unit'],
  [FAULT_TRIE_COUNT]: ['a trie of all pieces', ''],
  [FAULT_MAP_RANGE]: ['a map that leads nowhere past its end', 'unit'],
  [FAULT_MAP_CYCLE]: ['a map without rings', 'unit'],
  [FAULT_MAP_TEXT]: ['a map that leads to texts in UTF-8', 'unit'],
  [FAULT_FLAGS]: ['flags that are true of the tables', ''],
};

/** Checks all of a tokenizer's bytes. @throws RangeError naming the first thing that is wrong. */
export function checkTokenizer(bytes: Uint8Array, native: Native): TokenizerHead {
  return checkTokenizerTables(bytes, bytes.length, (into) => into.set(bytes), native);
}

/**
 * The same for tables that lie elsewhere.
 * @param start what they begin with, TOKENIZER_HEAD_BYTES at least
 * @param read puts them where it is told
 */
export function checkTokenizerTables(
  start: Uint8Array,
  bytes: number,
  read: (into: Uint8Array) => void,
  native: Native,
): TokenizerHead {
  const fail = (what: string, got: number | string): never => {
    throw new RangeError(`tokenizer: expected ${what}, got ${got}; convert the model again`);
  };
  if (bytes > MOST_BYTES) fail(`at most ${MOST_BYTES} bytes`, bytes);
  const head = readTokenizerHead(start, bytes);
  const { units, userUnits, charsmapUnits: map } = head.sections;
  if (map.bytes > MOST_MAP_BYTES) fail(`a map of at most ${MOST_MAP_BYTES} bytes`, map.bytes);
  const call = new NativeCall(bytes, 0, 1, (Math.max(units.bytes, userUnits.bytes, map.bytes) / 4) * CHECK_WORK);
  read(call.input);
  const result = call.run(native, COMMAND_UNIGRAM_CHECK, 0);
  if (result !== DONE) {
    const [expected, of] = FAULTS[result]!;
    fail(expected, of === '' ? 'others' : `another at ${of} ${call.count}`);
  }
  return head;
}
