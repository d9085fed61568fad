import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GGML_FORMATS, type GgmlFormat, ggmlToFloat32 } from '../../../src/model/checkpoint/ggml-formats.ts';
import { Gguf } from '../../../src/model/checkpoint/gguf.ts';
import { fixture, memorySource } from './memory.ts';

const { blocks }: { blocks: { format: GgmlFormat; bytes: string; floats: string }[] } = JSON.parse(
  readFileSync('test/fixtures/gguf/blocks.json', 'utf8'),
);
const decode = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
const tiny = () => Uint8Array.from(fixture('gguf/tiny.gguf'));
const open = (bytes: Uint8Array) => Gguf.open(memorySource(bytes), 'tiny.gguf');
/** A copy with other bytes from `at` on. */
const changed = (at: number, ...values: number[]) => {
  const bytes = tiny();
  bytes.set(values, at);
  return bytes;
};
/** Where a text stands in the file. */
const find = (text: string) => Buffer.from(tiny()).indexOf(text);

it('knows every format that the fixtures have', () => {
  expect(blocks.map(({ format }) => format).sort()).toEqual(Object.keys(GGML_FORMATS).sort());
});

it.each(blocks)(
  '$format becomes the float32 numbers that ggml makes of it, to the bit',
  ({ format, bytes, floats }) => {
    const made = ggmlToFloat32(decode(bytes), format);
    expect(Buffer.from(made.buffer).toString('base64')).toBe(floats);
  },
);

describe('a file', () => {
  it('gives its metadata as plain values', async () => {
    const { metadata } = await open(tiny());
    expect(Object.fromEntries(metadata)).toMatchObject({
      'general.architecture': 'llama',
      'general.name': 'tiny',
      'a.whole': 7,
      'a.long': 2 ** 40,
      'a.float': 0.5,
      'a.truth': true,
      'a.texts': ['', 'Ġa', '中'],
      'a.numbers': [1, -2, 3],
    });
  });

  it.each(blocks)('gives its tensor of $format, outermost size first', async ({ format, floats }) => {
    const file = await open(tiny());
    const numbers = decode(floats).length / 4;
    expect(file.tensors.get(`tensor.${format}`)).toMatchObject({ dtype: format, shape: [2, numbers / 2] });
    expect(Buffer.from((await file.read(`tensor.${format}`)).buffer).toString('base64')).toBe(floats);
  });

  it('is read head first and then a tensor, no more', async () => {
    const source = memorySource(Uint8Array.from([...tiny(), ...new Uint8Array(3_000_000)]));
    const file = await Gguf.open(source, 'tiny.gguf');
    const before = source.bytesRead;
    expect(before).toBeLessThan(2_100_000);
    await file.read('tensor.Q8_0');
    expect(source.bytesRead - before).toBe(6 * 34);
  });
});

describe('is refused', () => {
  const firstTensor = find('tensor.F32');
  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'tiny.gguf: expected at least 24 bytes, got 0'],
    ['another file', new TextEncoder().encode('PK and so on, at some length'), 'which begins with GGUF, got "PK a"'],
    ['another version', changed(4, 1), 'expected GGUF version 2 or 3, got 1; convert it anew'],
    ['a big-endian file', changed(4, 0, 0, 0, 3), 'expected a little-endian file, got a big-endian one'],
    ['a file cut in its data', tiny().slice(0, 4000), 'got 4000; the file is cut short'],
    ['a file cut in its head', tiny().slice(0, 400), 'got 400; the file is cut short'],
    ['more tensors than there are', changed(8, 40), 'tiny.gguf: expected'],
    ['an unknown type', changed(firstTensor + 10 + 4 + 16, 99), 'tensor "tensor.F32": expected type F32, F16'],
    ['a type that is not read', changed(firstTensor + 10 + 4 + 16, 10), 'got number 10'],
    ['no sizes', changed(firstTensor + 10, 0), 'tiny.gguf: '],
    ['a tensor behind the end', changed(firstTensor + 10 + 4 + 16 + 4, 0, 0, 1), 'the file is cut short'],
  ])('%s', async (_, bytes, message) => {
    await expect(open(bytes)).rejects.toThrow(message);
  });

  it('a tensor that it does not have', async () => {
    const file = await open(tiny());
    await expect(file.read('other')).rejects.toThrow('tiny.gguf: expected a tensor "other", got none of that name');
  });

  it('or read, whatever bytes are wrong: never anything but an error in words', async () => {
    const end = find('tensor.Q6_K') + 60;
    await fc.assert(
      fc.asyncProperty(fc.nat(end), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const bytes = tiny();
        bytes[at] = bytes[at]! ^ by;
        const failure: unknown = await open(bytes).then(
          () => undefined,
          (error) => error,
        );
        if (failure !== undefined) expect(failure).toMatchObject({ message: expect.stringMatching(/^tiny\.gguf: /) });
      }),
      { numRuns: 300, verbose: true },
    );
  });
});
