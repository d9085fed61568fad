// Reads a message's arguments before the interpreter does. Candid's cost has no bound in its length: twenty bytes claim
// a `vec null` of 2^31 elements, a record of two records of two records doubles with each level; and a step of the
// interpreter costs what ten bytes cost here. So the types and values are walked here, some ten instructions a byte,
// against the types that the method takes; what is left for the interpreter is slots (arguments-protocol.ts), at most
// MAX_SLOTS of them.
//
//   arguments  "DIDL" | types | arguments' types | values ...      a window of WINDOW_BYTES at a time, what is skipped is not read
//   a page     | window (bytes.ts) | the message's types as words (types.ts) | methods' types | where texts are (texts.ts) |
//
// Subtyping as in the Candid specification: fields and arguments that nobody asked for are skipped, those that are
// missing and `opt` are none, and so is an `opt` of a function, a service or a type of a later Candid. But an `opt` of
// an ordinary value of another type is refused, where the specification makes it none: nothing is dropped without a
// word. Numbers of other types are taken where they fit. Source: Candid specification, "Binary Format".
import { HEADER_BYTES, RESULT } from '../../tensor/assembly/protocol';
import {
  ARGUMENT, COMMAND_BYTES, COMMAND_DECODE, COMMAND_JSON, COMMAND_NO_UTF8, COMMAND_TEXTS,
  COMMAND_TYPES, COMMAND_UTF8, EXPECTED, FIELD, GOT, TYPES_BYTES,
} from '../arguments-protocol';
import {
  begin, bytes, copyArguments, expected, failure, got, openPage, page, typeNumber, unsigned,
} from './bytes';
import { depth, scanJson, values } from './json';
import { field, outsideFields, read, readNothing } from './read';
import { allowValues } from './skip';
import { beginSlots } from './slots';
import { expectText } from '../native-text';
import { beginTexts, textIsNext, textsAreNext } from './texts';
import { put, readTypes, typesEnd } from './types';

/** Types of arguments that are kept, behind the message's; no method has so many parameters. */
const MAX_PARAMETERS: u32 = 8;
/** Where the methods' types are in the page: behind those. */
const METHODS: usize = 34480;

/** Number of the argument that is being read, from 1 on. */
let argument: u32 = 0;

function decode(method: usize): void {
  const parameters = load<u32>(method, 4);
  argument = 0;
  outsideFields();
  begin(load<u32>(method));
  // who wants nothing reads nothing: all that is there is more than was asked for, and skipped
  if (failure || parameters == 0) return;
  allowValues();
  readTypes();
  const given = unsigned();
  if (failure) return;
  const types = typesEnd;
  for (let i: u64 = 0; i < given && !failure; i++) {
    const type = typeNumber();
    if (i < <u64>MAX_PARAMETERS) put(<u32>type);
  }
  for (let i: u32 = 0; i < parameters && !failure; i++) {
    const wanted: usize = load<u32>(method + 8 + (<usize>i << 2));
    argument = i + 1;
    if (<u64>i < given) read(wanted, load<i32>(types + (<usize>i << 2)), 0);
    else readNothing(wanted);
  }
}

/** A command of arguments-protocol.ts. */
export function argumentsCommand(mailbox: usize): void {
  openPage();
  const command = load<u32>(mailbox, 4);
  const payload = mailbox + HEADER_BYTES;
  const size = load<u32>(mailbox, 12);
  let result: u32 = 0;
  if (command == COMMAND_DECODE) {
    beginSlots(payload, size);
    beginTexts();
    decode(load<u32>(mailbox, 8));
    result = <u32>failure;
    store<u32>(mailbox + EXPECTED * 4, expected);
    store<u32>(mailbox + GOT * 4, got);
    store<u32>(mailbox + FIELD * 4, field);
    store<u32>(mailbox + ARGUMENT * 4, argument);
  } else if (command == COMMAND_TEXTS) textsAreNext();
  else if (command == COMMAND_JSON) {
    result = <u32>scanJson(load<u32>(mailbox, 8), size);
    if (result && size > 0) textIsNext(load<u32>(mailbox, 8), size);
    store<u32>(mailbox + EXPECTED * 4, values);
    store<u32>(mailbox + GOT * 4, depth);
  } else if (command == COMMAND_UTF8) return expectText(mailbox, size);
  else if (command == COMMAND_NO_UTF8) return expectText(0, 0);
  else if (command == COMMAND_BYTES) copyArguments(payload, load<u32>(mailbox, 16), size);
  else if (command == COMMAND_TYPES && size <= <u32>TYPES_BYTES) {
    memory.copy(page + METHODS, payload, size);
    result = <u32>(page + METHODS);
  } else unreachable();
  store<u32>(mailbox + RESULT * 4, result);
}
