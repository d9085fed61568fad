/**
 * What the methods of a Network are given, held against what they take: whoever writes a first net meets an error at
 * the line that is wrong. Not the sizes of layers, which the methods themselves know.
 */
import type { ConvShape } from './images.ts';
import { ACTIVATIONS, type Activation } from './recorder.ts';

/**
 * The kind of a value by the engine's own name, `Float64Array` or `Undefined`; that of another realm's array is the
 * same.
 */
const kindOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/** A value in an error: itself where it is short, else its kind. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (value === null || ['undefined', 'number', 'bigint', 'boolean'].includes(typeof value)) return String(value);
  const kind = kindOf(value);
  return kind === 'Function' ? 'a function' : `${/^[AEIO]/.test(kind) ? 'an' : 'a'} ${kind}`;
}

const either = (names: readonly string[]): string => `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;

const KINDS = ['int8', 'float32'];

/** What `new Network` is given. @throws TypeError or RangeError for what it does not take, misspelt options too */
export function checkNetwork(machine: unknown, options: unknown): void {
  if (typeof (machine as { grow?: unknown } | undefined)?.grow !== 'function')
    throw new TypeError(
      `network: expected a machine, as new Unit(certifiedDataSet) or nodeUnit(), got ${shown(machine)}`,
    );
  if (kindOf(options) !== 'Object')
    throw new TypeError(`network: expected options as { weights, batch }, got ${shown(options)}`);
  const { weights = 'int8', batch = 1, ...others } = options as Record<string, unknown>;
  for (const name of Object.keys(others))
    throw new RangeError(`network: expected the options weights and batch, got ${name}`);
  if (!KINDS.includes(weights as string))
    throw new RangeError(`network: expected weights ${either(KINDS.map(shown))}, got ${shown(weights)}`);
  if (!isCount(batch)) throw new RangeError(`network: expected a batch of 1 or more, got ${shown(batch)}`);
}

const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 1;

/** @throws RangeError where a size is no whole number of 1 or more */
export function checkSizes(where: string, sizes: Record<string, unknown>): void {
  for (const [name, size] of Object.entries(sizes))
    if (!isCount(size)) throw new RangeError(`${where}: expected ${name} of 1 or more, got ${shown(size)}`);
}

export function checkFactor(where: string, factor: unknown): void {
  if (!Number.isFinite(factor)) throw new RangeError(`${where}: expected a factor, got ${shown(factor)}`);
}

export function checkLabel(method: string, label: unknown): void {
  if (typeof label !== 'string')
    throw new TypeError(`${method}: expected a label first, as '${method}1', got ${shown(label)}`);
}

export function checkActivation(kind: unknown): asserts kind is Activation {
  const kinds = Object.keys(ACTIVATIONS);
  if (!kinds.includes(kind as string))
    throw new RangeError(`activate: expected ${either(kinds)}, got ${typeof kind === 'string' ? kind : shown(kind)}`);
}

/** What a method may be given as a layer; `any` is either. */
const LAYERS = {
  rows: 'rows, as floats, bytes and linear make them',
  images: 'images, as image, conv2d and maxPool make them',
  any: 'a layer, as the methods of a network make them',
};

/** @throws TypeError where `x` is no layer, or one of the other kind */
export function checkLayer(where: string, x: unknown, wanted: keyof typeof LAYERS): void {
  const layer = kindOf(x) === 'Object' ? (x as object) : {};
  const got = 'channels' in layer ? 'images' : 'cols' in layer ? 'rows' : undefined;
  if (got === undefined || (wanted !== 'any' && got !== wanted))
    throw new TypeError(`${where}: expected ${LAYERS[wanted]}, got ${got ?? shown(x)}`);
}

/** The shape that `conv2d` is given; `fits` (images.ts) looks at the numbers in it. */
export function checkKernel(where: string, shape: ConvShape | undefined): void {
  const kernel: unknown = shape?.kernel;
  if (!Array.isArray(kernel) || kernel.length !== 2)
    throw new TypeError(
      `${where}: expected { kernel: [height, width] }, got ${shape ? `a kernel of ${shown(kernel)}` : shown(shape)}`,
    );
}

/** Weights or a bias. @throws TypeError for another kind of value @throws RangeError for a number that is not finite */
export function checkFloats(where: string, what: string, values: Float32Array): void {
  if (kindOf(values) !== 'Float32Array')
    throw new TypeError(`${where}: expected ${what} as a Float32Array, got ${shown(values)}${remedy(values)}`);
  checkFinite(where, values);
}

/** What turns a list of numbers into what is wanted; nothing for what is no list. */
const remedy = (values: unknown): string =>
  typeof (values as { length?: unknown } | undefined)?.length === 'number' && typeof values === 'object'
    ? ': use Float32Array.from(…)'
    : '';

/** What a net takes: so many bytes, or float32 numbers. */
export interface InputKind {
  of: 'bytes' | 'float32 numbers';
  count: number;
}

/**
 * The input of a run.
 * @throws TypeError for another kind of value
 * @throws RangeError for another size, or a number that is not finite
 */
export function checkInput({ of, count }: InputKind, input: Uint8Array | Float32Array): void {
  const kind = kindOf(input);
  // what a browser's canvas has is clamped
  const fits = of === 'bytes' ? kind === 'Uint8Array' || kind === 'Uint8ClampedArray' : kind === 'Float32Array';
  if (!fits || input.length !== count) {
    const wanted = `run: expected ${count} ${of}`;
    if (fits) throw new RangeError(`${wanted}, got ${input.length}`);
    if (of === 'bytes') throw new TypeError(`${wanted} as a Uint8Array, got ${shown(input)}`);
    throw new TypeError(`${wanted}, got ${shown(input)}${remedy(input)}`);
  }
  if (of !== 'bytes') checkFinite('run', input as Float32Array);
}

function checkFinite(where: string, values: Float32Array): void {
  // the engine searches natively: in the canister 1,000 numbers take 72 thousand instructions, and 1.6 million by a
  // function for each
  const { NaN: none, POSITIVE_INFINITY: most, NEGATIVE_INFINITY: least } = Number;
  if (!values.includes(none) && !values.includes(most) && !values.includes(least)) return;
  const wrong = values.findIndex((x) => !Number.isFinite(x));
  throw new RangeError(`${where}: expected finite numbers, got ${values[wrong]} at ${wrong}`);
}
