// The types that a message brings, as words in the page: where each begins, then what it is: [kind, of], [kind, fields,
// (hash, type) …]. Of functions, services and types of a later Candid the kind alone.
import {
  BAD_TYPE, KIND_EMPTY, KIND_FUNC, KIND_FUTURE, KIND_OPT, KIND_PRINCIPAL, KIND_RECORD, KIND_SERVICE, KIND_VARIANT,
  KIND_VEC, MANY_FIELDS, MANY_TYPES, MAX_FIELDS, MAX_TYPES, UNORDERED,
} from '../arguments-protocol';
import { fail, failure, page, position, skip, typeNumber, unsigned } from './bytes';

/** Where these words begin in the page: 3 * MAX_TYPES + 2 * MAX_FIELDS, and types of arguments behind. */
const MESSAGE_TYPES: usize = 16448;

let typeCount: u32 = 0;
let fieldCount: u32 = 0;
/** Where the next word goes. */
export let typesEnd: usize = 0;

// @ts-ignore: AssemblyScript's decorator
@inline
export function put(word: u32): void {
  store<u32>(typesEnd, word);
  typesEnd += 4;
}

export function readTypes(): void {
  const count = unsigned();
  if (count > <u64>MAX_TYPES) return fail(MANY_TYPES, MAX_TYPES, count > 0xffffffff ? 0xffffffff : <u32>count);
  typeCount = <u32>count;
  fieldCount = 0;
  typesEnd = page + MESSAGE_TYPES + 4 * MAX_TYPES;
  for (let i: u32 = 0; i < typeCount; i++) {
    store<u32>(page + MESSAGE_TYPES + (<usize>i << 2), <u32>typesEnd);
    readType();
    if (failure) return;
  }
}

/** Counts the fields of a type, and gives how many they are. */
function fields(): u32 {
  const count = unsigned();
  if (count > <u64>(MAX_FIELDS - fieldCount)) {
    fail(MANY_FIELDS, MAX_FIELDS, count > 0xffffffff ? 0xffffffff : <u32>count + fieldCount);
    return 0;
  }
  fieldCount += <u32>count;
  return <u32>count;
}

function readType(): void {
  const number = typeNumber();
  if (failure) return;
  if (number == -KIND_OPT || number == -KIND_VEC) {
    put(<u32>-number);
    put(<u32>typeNumber());
  } else if (number == -KIND_RECORD || number == -KIND_VARIANT) readFields(-number);
  else if (number == -KIND_FUNC) {
    put(KIND_FUNC);
    for (let i = fields(); i > 0 && !failure; i--) typeNumber();
    for (let i = fields(); i > 0 && !failure; i--) typeNumber();
    skip(unsigned());
  } else if (number == -KIND_SERVICE) {
    put(KIND_SERVICE);
    for (let i = fields(); i > 0 && !failure; i--) {
      skip(unsigned());
      typeNumber();
    }
  } else if (number < -KIND_PRINCIPAL) {
    put(KIND_FUTURE);
    skip(unsigned());
  } else fail(BAD_TYPE, 0, <u32>number);
}

function readFields(kind: i32): void {
  const count = fields();
  put(kind);
  put(count);
  let before: i64 = -1;
  for (let i: u32 = 0; i < count && !failure; i++) {
    const hash = unsigned();
    if (<i64>hash <= before || hash > 0xffffffff) return fail(UNORDERED, 0, position());
    before = <i64>hash;
    put(<u32>hash);
    put(<u32>typeNumber());
  }
}

/** Words of a type of the table, or 0 after a failure. */
export function wordsOf(type: i32): usize {
  if (type >= 0 && <u32>type < typeCount) return load<u32>(page + MESSAGE_TYPES + (<usize>type << 2));
  fail(BAD_TYPE, 0, <u32>type);
  return 0;
}

/** What a type is, a ready-made one or one of the table. */
export function kindOf(type: i32): i32 {
  if (type < 0) {
    const kind = -type;
    if (kind <= KIND_EMPTY || kind == KIND_PRINCIPAL) return kind;
    fail(BAD_TYPE, 0, <u32>type);
    return 0;
  }
  const words = wordsOf(type);
  return words == 0 ? 0 : load<i32>(words);
}
