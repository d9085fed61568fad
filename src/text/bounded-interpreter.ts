/**
 * Runs a template that may be anybody's. It counts what a template does: one that never ends, or grows without end, is
 * stopped. A list counts by its length, for a loop over it may do nothing else that is counted, and a text by a share
 * of its own. What one operation would make is looked at before it is made: it may be far more than what goes in.
 */
import { type Environment, Interpreter } from '@huggingface/jinja';

/** Of a text, and of all texts in a list or object, one that stands there twice counted twice. */
const MAX_TEXT = 1_000_000;
/**
 * Items of a list: a turn of a loop takes some 150,000 instructions in the canister, and does nothing else that is
 * counted.
 */
const MAX_LIST = 2_000;
/** A canister's stack has room for some 90 blocks or calls of macros. */
const MAX_DEPTH = 70;
/** Lists and objects within each other, which are written out and compared level by level. */
const MAX_LEVELS = 64;
/** A level in a number that has characters, too: two numbers would have to be an object, at each value. */
const LEVEL = 2 ** 40;
/** Steps from one question to the next whether rendering has taken too much. */
const STEPS_EACH = 16;
/** Characters of a text that count as a step, and places where one is cut or replaced. */
const TEXT_STEP = 256;
const PLACES_STEP = 16;
/** Spaces before a line. */
const MAX_INDENT = 100;

/** A template asked for what it may not have, or said with `raise_exception` that it does not take such messages. */
export class TemplateError extends Error {
  /** @param isBound whether it did more than it may, and may do so again */
  constructor(
    message: string,
    readonly isBound = false,
  ) {
    super(message);
  }
}

export function stop(expected: string): never {
  throw new TemplateError(`chat template: expected ${expected}`, true);
}

export function boundedRange(first: number, last?: number, step = 1): number[] {
  const [from, to] = last === undefined ? [0, first] : [first, last];
  const count = Math.ceil((to - from) / step);
  if (!(count <= MAX_LIST)) {
    stop(`a range of at most ${MAX_LIST} numbers, got ${count}`);
  }
  return Array.from({ length: Math.max(0, count) }, (_, i) => from + i * step);
}

interface Value {
  type: string;
  value: unknown;
}
type FunctionOf = (args: Value[], environment: Environment) => Value;
interface Node {
  type: string;
  [name: string]: unknown;
}

/** The library's interpreter, with what it keeps to itself. */
interface Open {
  evaluate(node: Node | undefined, environment: Environment): Value;
  evaluateArguments(args: unknown, environment: Environment): [Value[], Map<string, Value>];
  evaluateMemberExpression(node: Node, environment: Environment): Value;
  applyFilter(operand: Value, filter: Node, environment: Environment): Value;
  run(program: unknown): Value;
}
const OpenInterpreter = Interpreter as unknown as new (environment: Environment) => Open;

const KNOWN = 'Known';

/** A node that has been evaluated, in place of the one that it was. */
class Known implements Node {
  [name: string]: unknown;
  readonly type = KNOWN;
  constructor(readonly of: Value) {}
}

export class BoundedInterpreter extends OpenInterpreter {
  private steps = 0;
  private asked = 0;
  private depth = 0;
  private readonly sizes = new WeakMap<Value, number>();

  constructor(
    environment: Environment,
    private readonly maxSteps: number,
    private readonly isSpent: () => boolean,
  ) {
    super(environment);
  }

  override evaluate(node: Node | undefined, environment: Environment): Value {
    if (node?.type === KNOWN) return (node as Known).of;
    this.count(1);
    if (this.depth >= MAX_DEPTH) stop(`at most ${MAX_DEPTH} expressions within each other, got more`);
    this.depth += 1;
    const result = super.evaluate(node, environment);
    this.depth -= 1;
    const { value } = result;
    if (typeof value === 'string') {
      boundText(value.length);
      if (value.length >= TEXT_STEP) this.count(Math.floor(value.length / TEXT_STEP));
    } else if (Array.isArray(value)) this.countItems(value.length, result);
    else if (value instanceof Map) this.countItems(value.size, result);
    return result;
  }

  /** What a text's own functions make of it is bounded, by whatever name they are called. */
  override evaluateMemberExpression(node: Node, environment: Environment): Value {
    const { type, value: named } = node['property'] as Node;
    // most are no function's, as can be seen
    const isFunction =
      type === 'Identifier' && node['computed'] !== true ? named === 'replace' || named === 'split' : true;
    if (!isFunction || type === 'IntegerLiteral') return super.evaluateMemberExpression(node, environment);
    const object = this.evaluate(node['object'] as Node, environment);
    const found = super.evaluateMemberExpression({ ...node, object: new Known(object) }, environment);
    const { value: text, builtins } = object as { value: unknown; builtins?: Map<string, Value> };
    if (found.type !== 'FunctionValue' || typeof text !== 'string') return found;
    const name = ['replace', 'split'].find((known) => builtins?.get(known) === found);
    if (name === undefined) return found;
    const original = found.value as FunctionOf;
    const bounded: FunctionOf = (args, environment) => {
      this.boundGrowth(name, object, args);
      return original(args, environment);
    };
    return Object.assign(Object.create(Object.getPrototypeOf(found)), found, { value: bounded });
  }

  override applyFilter(operand: Value, filter: Node, environment: Environment): Value {
    const { callee, args } = filter as { callee?: { value: string }; args?: unknown };
    if (!callee || !['replace', 'indent', 'join', 'tojson'].includes(callee.value))
      return super.applyFilter(operand, filter, environment);
    const [given, named] = this.evaluateArguments(args, environment);
    this.boundGrowth(callee.value, operand, given, named);
    const known = [
      ...given.map((value) => new Known(value)),
      ...Array.from(named, ([key, value]) => ({
        type: 'KeywordArgumentExpression',
        key: { value: key },
        value: new Known(value),
      })),
    ];
    return super.applyFilter(operand, { ...filter, args: known }, environment);
  }

  /** @throws TemplateError where one operation would make more than a text or a list may be */
  private boundGrowth(name: string, { value }: Value, given: readonly Value[], named = new Map<string, Value>()): void {
    const texts = given.map((argument) => (typeof argument.value === 'string' ? argument.value : undefined));
    if (name === 'replace' && typeof value === 'string') {
      const [from = '', to = ''] = texts;
      const places = from === '' ? value.length + 1 : placesOf(value, from);
      boundText(value.length + places * Math.max(to.length - from.length, 0));
      this.count(Math.floor(places / PLACES_STEP));
    } else if (name === 'split' && typeof value === 'string') {
      const [separator] = texts;
      const parts = separator === undefined ? wordsOf(value, MAX_LIST) : placesOf(value, separator, MAX_LIST);
      if (parts >= MAX_LIST) stop(`lists of at most ${MAX_LIST} items, got more`);
    } else if (name === 'indent' && typeof value === 'string') {
      const width = Number((given[0] ?? named.get('width'))?.value ?? 4);
      boundText(value.length + (placesOf(value, '\n') + 1) * width);
    } else if (name === 'join') {
      const items = typeof value === 'string' || Array.isArray(value) ? value.length : 0;
      const separator = (given[0] ?? named.get('separator'))?.value;
      boundText(items * (typeof separator === 'string' ? separator.length : 0));
    } else if (name === 'tojson') {
      const indent = Number(named.get('indent')?.value ?? 0);
      if (indent > MAX_INDENT) stop(`an indent of at most ${MAX_INDENT}, got ${indent}`);
    }
  }

  private countItems(items: number, value: Value): void {
    if (items > MAX_LIST) stop(`lists of at most ${MAX_LIST} items, got ${items}`);
    this.count(items);
    // what has a size was looked at; only what a namespace has changes
    if (this.sizes.has(value) && value.type !== 'NamespaceValue') return;
    const size = this.sizeOf(value);
    boundText(size % LEVEL);
    const levels = Math.floor(size / LEVEL);
    if (levels > MAX_LEVELS) stop(`lists and objects of at most ${MAX_LEVELS} levels, got ${levels}`);
  }

  /**
   * Characters of all texts in a value, as often as they stand there, and LEVEL for each level of lists and objects.
   */
  private sizeOf(whole: Value): number {
    const { type, value } = whole;
    if (typeof value === 'string') return value.length + 1;
    if (!Array.isArray(value) && !(value instanceof Map)) return 1;
    const known = this.sizes.get(whole);
    if (known !== undefined && type !== 'NamespaceValue') return known;
    // one that stands in itself is found where it is written out
    this.sizes.set(whole, known ?? 1);
    let [size, deepest] = [1, 0];
    if (Array.isArray(value))
      for (const item of value as Value[]) {
        const of = this.sizeOf(item);
        if (of > deepest) deepest = of;
        size += of < LEVEL ? of : of % LEVEL;
      }
    else
      for (const [name, item] of value as Map<string, Value>) {
        const of = this.sizeOf(item);
        if (of > deepest) deepest = of;
        size += name.length + (of < LEVEL ? of : of % LEVEL);
      }
    size += (Math.floor(deepest / LEVEL) + 1) * LEVEL;
    this.sizes.set(whole, size);
    return size;
  }

  private count(steps: number): void {
    this.steps += steps;
    if (this.steps > this.maxSteps) stop(`an end within ${this.maxSteps} steps, got none`);
    if (this.steps - this.asked < STEPS_EACH) return;
    this.asked = this.steps;
    if (this.isSpent()) stop('an end within the instructions that a message may take, got none');
  }
}

function boundText(characters: number): void {
  if (characters > MAX_TEXT) stop(`at most ${MAX_TEXT} characters, got ${characters}`);
}

/** So many words has a text between white space, at most `most`. */
function wordsOf(text: string, most: number): number {
  let words = 0;
  for (const _ of text.matchAll(/\S+/g)) if (++words >= most) break;
  return words;
}

/** How often a text has another in it, at most `most`; never an empty one. */
function placesOf(text: string, part: string, most = Number.POSITIVE_INFINITY): number {
  let places = 0;
  if (part === '') return 0;
  for (let at = text.indexOf(part); at >= 0 && places < most; at = text.indexOf(part, at + part.length)) places += 1;
  return places;
}
