import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Safetensors } from '../../../src/model/checkpoint/safetensors.ts';
import { filledTensors, fixture, memorySource, rawSafetensors } from './memory.ts';
import { writeSafetensors } from './write-safetensors.ts';

const open = (bytes: Uint8Array) => Safetensors.open(memorySource(bytes));
const tensor = (dtype: string, shape: number[], from: number, to: number) => ({
  dtype,
  shape,
  data_offsets: [from, to],
});

describe('safetensors', () => {
  it('gives back what was written, in every format', async () => {
    const tensors = filledTensors([
      { name: 'a.weight', shape: [3, 5] },
      { name: 'scalar', shape: [] },
      { name: 'empty', shape: [0, 4] },
      { name: 'b', shape: [2, 2, 2] },
    ]);
    for (const format of ['F32', 'F16', 'BF16'] as const) {
      const file = await open(writeSafetensors(tensors, format));
      expect([...file.tensors.keys()]).toEqual(['a.weight', 'scalar', 'empty', 'b']);
      for (const { name, shape, values } of tensors) {
        expect(file.tensors.get(name)).toMatchObject({ dtype: format, shape });
        expect(await file.read(name)).toEqual(values);
      }
    }
  });

  it('reads the header first and then one tensor, no more', async () => {
    const source = memorySource(fixture('t5/flan-a/model.safetensors'));
    const file = await Safetensors.open(source);
    const header = source.bytesRead;
    expect(header).toBeLessThan(8192);
    expect((await file.read('shared.weight')).length).toBe(384 * 64);
    expect(source.bytesRead).toBe(header + 384 * 64 * 4);
  });

  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'at least 10 bytes, got 0'],
    ['a header longer than the file', rawSafetensors({}, 0, 1000n), 'a header of 2 to 2 bytes, got 1000'],
    ['a header of 2^63 bytes', rawSafetensors({}, 0, 1n << 63n), 'a header of 2 to 2 bytes, got 9223372036854776000'],
    ['no JSON', rawSafetensors('{"a":', 4), 'model.safetensors: expected JSON, got 5 bytes'],
    ['a list', rawSafetensors('[1]', 4), 'model.safetensors: expected a JSON object, got [1]'],
    [
      'no dtype',
      rawSafetensors({ a: { shape: [1], data_offsets: [0, 4] } }, 4),
      'tensor "a": expected "dtype" to be a string, got nothing',
    ],
    ['an unknown dtype', rawSafetensors({ a: tensor('F12', [1], 0, 4) }, 4), 'expected "dtype" to be BOOL, U8'],
    [
      'a shape below zero',
      rawSafetensors({ a: tensor('F32', [-1], 0, 4) }, 4),
      'expected "shape[0]" to be an integer from 0',
    ],
    [
      'a fractional shape',
      rawSafetensors({ a: tensor('F32', [1.5], 0, 6) }, 6),
      'expected "shape[0]" to be an integer',
    ],
    [
      'a shape of 2^60',
      rawSafetensors({ a: tensor('F32', [2 ** 30, 2 ** 30], 0, 4) }, 4),
      'bytes apart, as F32 [1073741824,1073741824] takes',
    ],
    ['offsets outside', rawSafetensors({ a: tensor('F32', [2], 0, 8) }, 4), 'bytes, as the header says, got'],
    [
      'offsets the wrong way',
      rawSafetensors({ a: tensor('F32', [1], 4, 0) }, 4),
      'expected "data_offsets" to be a from and a to, got [4,0]',
    ],
    [
      'three offsets',
      rawSafetensors({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4, 4] } }, 4),
      'to be a from and a to',
    ],
    [
      'a shape that does not fit',
      rawSafetensors({ a: tensor('F16', [3], 0, 4) }, 4),
      'to be 6 bytes apart, as F16 [3] takes, got [0,4]',
    ],
    [
      'a hole',
      rawSafetensors({ a: tensor('F32', [1], 0, 4), b: tensor('F32', [1], 8, 12) }, 12),
      'tensor "b" to begin where the one before it ends, at 4, got 8',
    ],
    [
      'an overlap',
      rawSafetensors({ a: tensor('F32', [2], 0, 8), b: tensor('F32', [1], 4, 8) }, 8),
      'tensor "b" to begin where the one before it ends, at 8, got 4',
    ],
    ['data left over', rawSafetensors({ a: tensor('F32', [1], 0, 4) }, 9), 'bytes, as the header says, got'],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(open(bytes)).rejects.toThrow(message);
  });

  it('refuses a file that is cut short, whatever the place', async () => {
    const whole = fixture('t5/flan-a/model.safetensors');
    for (const bytes of [9, 100, 4000, whole.length - 1]) {
      await expect(open(whole.slice(0, bytes))).rejects.toThrow('model.safetensors: expected');
    }
  });

  it('refuses a tensor that is not there, holds no floats, or comes short', async () => {
    const file = await open(rawSafetensors({ a: tensor('I64', [1], 0, 8) }, 8));
    await expect(file.read('b')).rejects.toThrow('expected a tensor "b", got none');
    await expect(file.read('a')).rejects.toThrow('tensor "a": expected dtype F32, F16 or BF16, got I64');
    const short = memorySource(writeSafetensors([{ name: 'a', shape: [4], values: new Float32Array(4) }]));
    const opened = await Safetensors.open(short);
    short.read = () => new Uint8Array(15);
    await expect(opened.read('a')).rejects.toThrow('tensor "a": expected 16 bytes, got 15');
  });

  it('is refused or read, never more, when bytes are changed', async () => {
    const whole = writeSafetensors(
      filledTensors([
        { name: 'a', shape: [2, 3] },
        { name: 'b', shape: [4] },
      ]),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(whole.length),
        async (changes, length) => {
          const bytes = whole.slice(0, length === 0 ? whole.length : length);
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          const file = await open(bytes).catch((error: Error) => {
            expect(error.message).toMatch(/^model\.safetensors.*: expected .*, got /s);
          });
          if (!file) return;
          for (const name of file.tensors.keys()) {
            await file
              .read(name)
              .catch((error: Error) => expect(error.message).toMatch(/expected (dtype|finite numbers)/));
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('does not write what its shape does not fit', () => {
    expect(() => writeSafetensors([{ name: 'a', shape: [2], values: new Float32Array(3) }])).toThrow(
      'expected 2 numbers for [2], got 3',
    );
  });
});
