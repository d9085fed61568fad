/**
 * What methods take, told to the native reader (src/native/arguments/), and values made of the slots that it gives.
 * Nothing of Azle, so that it runs in Node too. A message costs what the values that its method wants cost, whatever
 * else is in it.
 */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import {
  COMMAND_BYTES,
  COMMAND_DECODE,
  COMMAND_JSON,
  COMMAND_TEXTS,
  COMMAND_TYPES,
  EXPECTED,
  GOT,
  KIND_NAT8,
  MAX_SLOTS,
  TYPES_BYTES,
  VALUES,
} from '../../native/arguments-protocol.ts';
import { HEADER_BYTES, MAGIC, RESULT } from '../../tensor/assembly/protocol.ts';
import { whatIsWrong } from './argument-errors.ts';
import { fieldsOf, kindOf } from './candid-types.ts';

/** How the reader reaches its native half. */
export interface ArgumentPorts {
  /** Hands a mailbox over. */
  send(mailbox: Uint8Array): void;
  /** The next texts of the arguments, after COMMAND_TEXTS. */
  text(): string;
}

type Read = () => unknown;

/** What a method takes. */
export interface Taken {
  params: IDL.Type[];
  /** What is said of it where something else comes: callers need not know of arguments for older callers. */
  shown?: IDL.Type[];
  /** Of all arguments, as they come. */
  mostBytes: number;
}

/** A `vec nat8` that is looked at only where it is asked for, in the message that has it. */
export interface Blob {
  length: number;
  /**
   * As a text, with what its JSON may have: values, and levels of lists and objects. Undefined where it is not UTF-8.
   */
  json(): { text: string; values: number; depth: number } | undefined;
}

/** The type of a {@link Blob}. */
export class BlobClass extends IDL.VecClass<number | bigint> {
  /**
   * By this it is told apart: every `vec` is an instance of it, as Candid's library knows its classes by their names.
   */
  readonly isBlob = true;
  constructor() {
    super(IDL.Nat8);
  }
}

interface Method extends Taken {
  pointer: number;
  reads: Read[];
}

export class ArgumentReader {
  private readonly ports: ArgumentPorts;
  private readonly mailbox = new Uint8Array(HEADER_BYTES + 8 * MAX_SLOTS);
  private readonly header = new Uint32Array(this.mailbox.buffer, 0, HEADER_BYTES / 4);
  private readonly numbers = new Float64Array(this.mailbox.buffer, HEADER_BYTES);
  private readonly wide = new BigUint64Array(this.mailbox.buffer, HEADER_BYTES);
  private readonly signed = new BigInt64Array(this.mailbox.buffer, HEADER_BYTES);
  private readonly methods = new Map<string, Method>();
  /** The slot to read next. */
  private at = 0;
  /** Some of the message's texts as one, and where the next begins: at its end where it is not among them. */
  private texts = '';
  private textAt = 0;

  constructor(methods: ReadonlyMap<string, Taken>, ports: ArgumentPorts) {
    this.ports = ports;
    this.header[0] = MAGIC;
    const base = this.bulk(new Uint8Array(HEADER_BYTES), COMMAND_TYPES);
    const words: number[] = [];
    for (const [name, taken] of methods) {
      const { params, mostBytes } = taken;
      const types = params.map((type) => this.wordsOf(type, words, base));
      const pointer = base + 4 * words.length;
      words.push(mostBytes, types.length, ...types);
      this.methods.set(name, { ...taken, pointer, reads: params.map((type) => this.readerOf(type)) });
    }
    if (4 * words.length > TYPES_BYTES)
      throw new RangeError(`arguments: expected types of ${TYPES_BYTES} bytes, got more`);
    const mailbox = new Uint8Array(HEADER_BYTES + 4 * words.length);
    new Uint32Array(mailbox.buffer, HEADER_BYTES).set(words);
    this.bulk(mailbox, COMMAND_TYPES);
  }

  has(method: string): boolean {
    return this.methods.has(method);
  }

  /** The arguments of the call in hand, as `method` takes them. @throws RangeError for others, in words */
  read(method: string): unknown[] {
    this.check(method);
    this.at = 0;
    this.texts = '';
    this.textAt = 0;
    return this.methods.get(method)!.reads.map((read) => read());
  }

  /**
   * Whether the arguments of the call in hand are such as `method` takes.
   * @throws RangeError where they are not, in words
   */
  check(method: string): void {
    const { pointer, params, shown } = this.methods.get(method)!;
    const { header } = this;
    header[1] = COMMAND_DECODE;
    header[2] = pointer;
    header[3] = 8 * MAX_SLOTS;
    this.ports.send(this.mailbox);
    if (header[RESULT] !== VALUES) throw new RangeError(whatIsWrong(method, params, shown ?? params, header));
  }

  /** A type as words, after those that it refers to. @returns its pointer */
  private wordsOf(type: IDL.Type, words: number[], base: number): number {
    const kind = kindOf(type);
    let own = [kind];
    if (type instanceof IDL.OptClass || type instanceof IDL.VecClass) own.push(this.wordsOf(type._type, words, base));
    else if (type instanceof IDL.RecordClass || type instanceof IDL.VariantClass) {
      const fields = fieldsOf(type);
      own = [kind, fields.length, ...fields.flatMap(({ hash, type: of }) => [hash, this.wordsOf(of, words, base)])];
    }
    words.push(...own);
    return base + 4 * (words.length - own.length);
  }

  private bulk(mailbox: Uint8Array, command: number, from = 0): number {
    const words = new Uint32Array(mailbox.buffer, mailbox.byteOffset, HEADER_BYTES / 4);
    words[0] = MAGIC;
    words[1] = command;
    words[3] = mailbox.length - HEADER_BYTES;
    words[4] = from;
    this.ports.send(mailbox);
    return words[RESULT]!;
  }

  /** What makes a value of the slots from `at` on; made once a type. */
  private readerOf(type: IDL.Type): Read {
    const { numbers, wide, signed } = this;
    if (type instanceof IDL.TextClass) return this.text;
    if (type instanceof IDL.OptClass) {
      const inner = this.readerOf(type._type);
      return () => (numbers[this.at++] === 0 ? [] : [inner()]);
    }
    if ('isBlob' in type) return () => this.blob();
    if (type instanceof IDL.VecClass) return this.vecReader(type._type);
    if (type instanceof IDL.TupleClass) {
      const parts = fieldsOf(type).map((field) => this.readerOf(field.type));
      return () => parts.map((read) => read());
    }
    if (type instanceof IDL.RecordClass) return this.recordReader(type);
    if (type instanceof IDL.VariantClass) return this.variantReader(type);
    if (type instanceof IDL.PrincipalClass) return () => this.principal();
    if (type instanceof IDL.BoolClass) return () => numbers[this.at++] === 1;
    if (type instanceof IDL.NullClass || type instanceof IDL.ReservedClass) return () => null;
    if (type instanceof IDL.NatClass) return () => wide[this.at++]! | (wide[this.at++]! << 64n);
    if (type instanceof IDL.IntClass) return () => wide[this.at++]! | (signed[this.at++]! << 64n);
    const isWide = (type instanceof IDL.FixedNatClass || type instanceof IDL.FixedIntClass) && type._bits === 64;
    // shifts make integers of them, which the interpreter is quicker with
    if (!isWide && type instanceof IDL.FixedNatClass) return () => numbers[this.at++]! >>> 0;
    if (!isWide && type instanceof IDL.FixedIntClass) return () => numbers[this.at++]! | 0;
    if (!isWide) return () => numbers[this.at++];
    return type instanceof IDL.FixedNatClass ? () => wide[this.at++] : () => signed[this.at++];
  }

  private variantReader(type: IDL.VariantClass): Read {
    const { numbers } = this;
    const isPlain = (of: IDL.Type): boolean => of instanceof IDL.NullClass || of instanceof IDL.ReservedClass;
    const cases = fieldsOf(type).map((field) => ({
      name: field.name,
      read: this.readerOf(field.type),
      // the same for all that say no more: to make one takes the interpreter as long as to read a text
      ready: isPlain(field.type) ? Object.freeze({ [field.name]: null }) : undefined,
    }));
    return () => {
      const { name, read, ready } = cases[numbers[this.at++]! >>> 0]!;
      return ready ?? { [name]: read() };
    };
  }

  private recordReader(type: IDL.RecordClass): Read {
    const names = fieldsOf(type).map((field) => field.name);
    const reads = fieldsOf(type).map((field) => this.readerOf(field.type));
    return () => {
      const record: Record<string, unknown> = {};
      // an iterator and a pair for each field would take the interpreter longer than the field
      for (let i = 0; i < names.length; i++) record[names[i]!] = reads[i]!();
      return record;
    };
  }

  private vecReader(type: IDL.Type): Read {
    if (kindOf(type) === KIND_NAT8) return () => this.bytes();
    const { numbers } = this;
    if (type instanceof IDL.FixedNatClass && type._bits === 32) {
      return () => {
        const from = this.at + 1;
        this.at = from + (numbers[from - 1]! >>> 0);
        if (this.at === from + 1) return [numbers[from]! >>> 0];
        // native code, where a loop takes some thousand instructions for each; and integers, which the interpreter is
        // quicker with
        return Array.prototype.slice.call(new Uint32Array(numbers.subarray(from, this.at)));
      };
    }
    const inner = this.readerOf(type);
    return () => {
      const list: unknown[] = [];
      for (let left = numbers[this.at++]! >>> 0; left > 0; left--) list.push(inner());
      return list;
    };
  }

  private readonly text = (): string => {
    const units = this.numbers[this.at++]! >>> 0;
    if (units === 0) return '';
    if (this.textAt === this.texts.length) this.fetchTexts();
    const from = this.textAt;
    this.textAt = from + units;
    return this.texts.slice(from, this.textAt);
  };

  private blob(): Blob {
    const { numbers, header } = this;
    const [from, length] = [numbers[this.at]!, numbers[this.at + 1]!];
    this.at += 2;
    const json = () => {
      header[1] = COMMAND_JSON;
      header[2] = from;
      header[3] = length;
      this.ports.send(this.mailbox);
      const [isText, values, depth] = [header[RESULT] === 1, header[EXPECTED]!, header[GOT]!];
      return isText ? { text: length === 0 ? '' : this.ports.text(), values, depth } : undefined;
    };
    return { length, json };
  }

  private fetchTexts(): void {
    this.header[1] = COMMAND_TEXTS;
    this.ports.send(this.mailbox);
    this.texts = this.ports.text();
    this.textAt = 0;
  }

  /** Behind room for a mailbox's header: who sends the bytes on to native code has them where they belong. */
  private bytes(): Uint8Array {
    const [from, count] = [this.numbers[this.at]!, this.numbers[this.at + 1]!];
    this.at += 2;
    const mailbox = new Uint8Array(HEADER_BYTES + count);
    this.bulk(mailbox, COMMAND_BYTES, from);
    return mailbox.subarray(HEADER_BYTES);
  }

  private principal(): Principal {
    const from = HEADER_BYTES + 8 * (this.at + 1);
    const bytes = this.mailbox.slice(from, from + this.numbers[this.at]!);
    this.at += 5;
    return Principal.fromUint8Array(bytes);
  }
}
