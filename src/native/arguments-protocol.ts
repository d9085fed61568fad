// What the TypeScript face of the reader of arguments (../argument-reader.ts) and its AssemblyScript (arguments/) agree
// on: commands in a mailbox (src/tensor/assembly/protocol.ts has its frame), how a method's types are told, and what
// becomes of a message's bytes. Plain integer constants only, so that both compilers read this one file.
//
// A type is words: its kind, which is the number that Candid's binary format has for it, without the sign, and what it
// is made of as pointers to words:
//
//   opt, vec           [kind, of]
//   record, variant    [kind, fields, (hash of the name, type) …], ascending by hash
//   a method           [most bytes, parameters, type …]
//
// A value is slots of 8 bytes: a number as float64, one of 64 bits as an integer; text as the number of its characters
// of UTF-16 (they come as one, in their order, some at a time); `vec nat8` as two numbers, where its bytes begin among
// the arguments and how many there are; `opt` as 0, or 1 and its value; `vec` as its length and its elements; a variant
// as the place of the case among the expected ones, and its value; a principal as its length and four slots of bytes;
// `nat` and `int` as two integers, low and high; a record as its fields in order; null and reserved as nothing.

export const FIRST_ARGUMENTS_COMMAND = 128;
/**
 * types(-, bytes of payload): the types of all methods, as words -> result: where they are, which pointers in them have
 * to know before
 */
export const COMMAND_TYPES = 128;
/**
 * decode(pointer of the method, bytes of payload) -> result: VALUES, or what is wrong, with two words about it; the
 * slots are the payload
 */
export const COMMAND_DECODE = 129;
/**
 * texts(): the next texts of the arguments that were decoded last, one behind the other, are what `msg_method_name`
 * gives next
 */
export const COMMAND_TEXTS = 130;
/** bytes(-, bytes of payload, first byte): these arguments -> payload */
export const COMMAND_BYTES = 131;
/**
 * utf8(-, bytes of payload): the text that is given to `msg_reject` next is no reject; its bytes go to the payload, and
 * how many they are to the result
 */
export const COMMAND_UTF8 = 132;
/** noUtf8(): none is */
export const COMMAND_NO_UTF8 = 133;
/**
 * json(first byte, bytes) -> result: whether these arguments are UTF-8, which `msg_method_name` gives next then, if
 * there are any. EXPECTED: values that they may have as JSON, GOT: levels of lists and objects
 */
export const COMMAND_JSON = 134;
/** Words of the mailbox, beside RESULT, where `decode` says more. */
export const EXPECTED = 12;
export const GOT = 13;
/** Hash of the field that it was in, and the argument's number. */
export const FIELD = 14;
export const ARGUMENT = 11;

export const VALUES = 0;
/** More bytes than the method takes. */
export const TOO_LONG = 1;
export const NOT_CANDID = 2;
/** The bytes end before their time; GOT is where. */
export const CUT_OFF = 3;
/** EXPECTED is a kind, GOT one too. */
export const OTHER_TYPE = 4;
/** A number that the kind EXPECTED has no room for. */
export const OUT_OF_RANGE = 5;
/** A number of more bytes than it needs or than we read. */
export const LONG_NUMBER = 6;
/** More than EXPECTED values, types, fields, levels, bytes of text. */
export const MANY_VALUES = 7;
export const MANY_TYPES = 8;
export const MANY_FIELDS = 9;
export const MANY_LEVELS = 10;
export const LONG_TEXT = 11;
/** A required field or argument is not there. */
export const MISSING = 12;
/** A variant's case, a type's number, a flag that is none. */
export const BAD_CASE = 13;
export const BAD_TYPE = 14;
export const BAD_FLAG = 15;
export const BAD_TEXT = 16;
/** Fields that are not in ascending order. */
export const UNORDERED = 17;

export const MAX_TYPES = 500;
/** Of all records, variants and services of a message. */
export const MAX_FIELDS = 1500;
export const MAX_LEVELS = 100;
export const MAX_TEXT_BYTES = 100000;
/** Values that are skipped or read: so many, and one more for each byte. */
export const FREE_VALUES = 10000;
/**
 * Slots that a message's arguments may come to: 200 messages of a conversation take 1,000 of them, and options the
 * rest.
 */
export const MAX_SLOTS = 1088;
/** Bytes of all methods' types. */
export const TYPES_BYTES = 24576;

// Kinds that both sides name.
export const KIND_NULL = 1;
export const KIND_BOOL = 2;
export const KIND_NAT = 3;
export const KIND_INT = 4;
export const KIND_NAT8 = 5;
export const KIND_NAT64 = 8;
export const KIND_INT8 = 9;
export const KIND_INT64 = 12;
export const KIND_FLOAT32 = 13;
export const KIND_FLOAT64 = 14;
export const KIND_TEXT = 15;
export const KIND_RESERVED = 16;
export const KIND_EMPTY = 17;
export const KIND_OPT = 18;
export const KIND_VEC = 19;
export const KIND_RECORD = 20;
export const KIND_VARIANT = 21;
export const KIND_FUNC = 22;
export const KIND_SERVICE = 23;
export const KIND_PRINCIPAL = 24;
/** A type of a later version of Candid. */
export const KIND_FUTURE = 25;
