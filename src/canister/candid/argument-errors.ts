/** What is wrong with arguments, in words: `<method>: expected <what>, got <value>`. */
import { IDL } from '@dfinity/candid';
import {
  ARGUMENT,
  BAD_CASE,
  BAD_FLAG,
  BAD_TEXT,
  BAD_TYPE,
  CUT_OFF,
  EXPECTED,
  FIELD,
  GOT,
  LONG_NUMBER,
  LONG_TEXT,
  MANY_FIELDS,
  MANY_LEVELS,
  MANY_TYPES,
  MANY_VALUES,
  MISSING,
  NOT_CANDID,
  OTHER_TYPE,
  OUT_OF_RANGE,
  TOO_LONG,
  UNORDERED,
} from '../../native/arguments-protocol.ts';
import { RESULT } from '../../tensor/assembly/protocol.ts';
import { fieldsOf } from './candid-types.ts';

/** By kind. */
const kinds =
  'nothing null bool nat int nat8 nat16 nat32 nat64 int8 int16 int32 int64 float32 float64 text reserved empty opt vec record variant func service principal unknown'.split(
    ' ',
  );
const article = (kind: number): string => kinds[kind] ?? `type ${kind}`;

/** By what `decode` answers: what was expected and what came. */
const words: Record<number, (expected: number, got: number) => string> = {
  [CUT_OFF]: (_, got) => `expected more bytes at ${got}, got the end`,
  [OTHER_TYPE]: (expected, got) => `expected ${article(expected)}, got ${article(got)}`,
  [OUT_OF_RANGE]: (expected, got) => `expected ${article(expected)}, got a ${article(got)} that is none`,
  [LONG_NUMBER]: (expected, got) => `expected a number of at most ${expected} bits, got a longer one at ${got}`,
  [MANY_VALUES]: (expected) => `expected at most ${expected} values, got more`,
  [MANY_TYPES]: (expected, got) => `expected at most ${expected} types, got ${got}`,
  [MANY_FIELDS]: (expected, got) => `expected at most ${expected} fields, got ${got}`,
  [MANY_LEVELS]: (expected) => `expected at most ${expected} values within one another, got more`,
  [LONG_TEXT]: (expected, got) => `expected at most ${expected} bytes, got ${got}`,
  [MISSING]: (expected) => `expected ${article(expected)}, got nothing`,
  [BAD_CASE]: (expected, got) => `expected one of ${expected} cases, got ${got}`,
  [BAD_TYPE]: (_, got) => `expected a type, got number ${got | 0}`,
  [BAD_FLAG]: (_, got) => `expected a flag of 0 or 1, got ${got}`,
  [BAD_TEXT]: (_, got) => `expected UTF-8, got other bytes at ${got}`,
  [UNORDERED]: (_, got) => `expected fields in ascending order, got others at ${got}`,
};

/** As Candid writes it, but for what records are made of. */
const shortly = ({ name }: IDL.Type): string => name.replace(/\{.*/, '{…}');

/** @param header the mailbox's, after `decode` has found something wrong */
export function whatIsWrong(
  method: string,
  params: readonly IDL.Type[],
  shown: readonly IDL.Type[],
  header: Uint32Array,
): string {
  const [code, expected, got] = [header[RESULT]!, header[EXPECTED]!, header[GOT]!];
  if (code === TOO_LONG) return `${method}: expected at most ${expected} bytes of arguments, got ${got}`;
  const wanted = `${method}: expected (${shown.map(shortly).join(', ')})`;
  if (code === NOT_CANDID) return `${wanted}, got something else: arguments: expected Candid, got ${got} other bytes`;
  const where =
    header[ARGUMENT] === 0 ? 'arguments' : (nameOf(header[FIELD]!, params) ?? `argument ${header[ARGUMENT]}`);
  return `${wanted}, got something else: ${where}: ${words[code]!(expected, got)}`;
}

/** The name of the field that has this hash, wherever it is in these types. */
function nameOf(hash: number, types: readonly IDL.Type[]): string | undefined {
  for (const type of types) {
    if (type instanceof IDL.OptClass || type instanceof IDL.VecClass) {
      const inner = nameOf(hash, [type._type]);
      if (inner !== undefined) return inner;
    }
    if (!(type instanceof IDL.RecordClass || type instanceof IDL.VariantClass)) continue;
    const fields = fieldsOf(type);
    const found =
      fields.find((field) => field.hash === hash)?.name ??
      nameOf(
        hash,
        fields.map((field) => field.type),
      );
    if (found !== undefined) return found;
  }
  return undefined;
}
