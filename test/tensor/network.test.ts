/**
 * Nets as layers, against the same in plain numbers: PyTorch's order of weights, padded sizes, batches, and what a
 * linker leaves out.
 */
import { describe, expect, it } from 'vitest';
import { keepOps } from '../../src/node/build/keep-ops.ts';
import { buildTensorKernels } from '../../src/node/build/kernels.ts';
import { type Feature, Network, type RunningNetwork } from '../../src/tensor/network.ts';
import { opEntries } from '../../src/tensor/ops.ts';
import type { Rows } from '../../src/tensor/recorder.ts';
import { Reference } from '../../src/tensor/reference/reference.ts';
import { kernelsInNode, Unit } from '../../src/tensor/unit.ts';
import { newUnit, noise } from './machines.ts';

const SIZE = { height: 6, width: 6, channels: 3 };
const weights = {
  conv1: { weight: noise(5 * 3 * 3 * 2, 1), bias: noise(5, 2) },
  conv2: { weight: noise(20 * 5 * 2 * 2, 3), bias: noise(20, 4) },
  fc: { weight: noise(7 * 20 * 2 * 2, 5), bias: noise(7, 6) },
};

/** Channels that are no multiples of 16 all the way, a pool that leaves a column out, padding. */
function record(net: Network): RunningNetwork {
  const x = net.image(SIZE.height, SIZE.width, SIZE.channels);
  const a = net.relu(net.conv2d('conv1', x, weights.conv1.weight, weights.conv1.bias, { kernel: [3, 2], padding: 1 }));
  const b = net.maxPool(a, 2);
  const c = net.conv2d('conv2', b, weights.conv2.weight, weights.conv2.bias, { kernel: [2, 2], stride: 1 });
  return net.finish(net.softmax(net.linear('fc', net.activate(c, 'silu'), weights.fc.weight, weights.fc.bias)));
}

type Planes = number[][][];

/** PyTorch's conv2d over planes [channels][rows][columns]. */
function conv(x: Planes, { weight, bias }: typeof weights.conv1, [kh, kw]: [number, number], padding: number): Planes {
  const [h, w] = [x[0]!.length, x[0]![0]!.length];
  const at = (c: number, y: number, i: number): number => x[c]![y]?.[i] ?? 0;
  return Array.from(bias, (b, f) =>
    Array.from({ length: h + 2 * padding - kh + 1 }, (_, y) =>
      Array.from({ length: w + 2 * padding - kw + 1 }, (_, i) => {
        let sum = b;
        for (let c = 0; c < x.length; c++)
          for (let ky = 0; ky < kh; ky++)
            for (let kx = 0; kx < kw; kx++)
              sum += at(c, y - padding + ky, i - padding + kx) * weight[((f * x.length + c) * kh + ky) * kw + kx]!;
        return sum;
      }),
    ),
  );
}

const each = (x: Planes, f: (v: number) => number): Planes => x.map((p) => p.map((row) => row.map(f)));

function plainly(pixels: Uint8Array): number[] {
  const { height, width, channels } = SIZE;
  const x = Array.from({ length: channels }, (_, c) =>
    Array.from({ length: height }, (_, y) =>
      Array.from({ length: width }, (_, i) => pixels[(y * width + i) * channels + c]! / 255),
    ),
  );
  const a = each(conv(x, weights.conv1, [3, 2], 1), (v) => Math.max(0, v));
  const b = a.map((p) =>
    Array.from({ length: Math.floor(p.length / 2) }, (_, y) =>
      Array.from({ length: Math.floor(p[0]!.length / 2) }, (_, i) =>
        Math.max(p[2 * y]![2 * i]!, p[2 * y]![2 * i + 1]!, p[2 * y + 1]![2 * i]!, p[2 * y + 1]![2 * i + 1]!),
      ),
    ),
  );
  const c = each(conv(b, weights.conv2, [2, 2], 0), (v) => v / (1 + Math.exp(-v))).flat(2);
  const logits = Array.from(weights.fc.bias, (bias, f) =>
    c.reduce((sum, v, i) => sum + v * weights.fc.weight[f * c.length + i]!, bias),
  );
  const powers = logits.map((l) => Math.exp(l - Math.max(...logits)));
  return powers.map((p) => p / powers.reduce((s, v) => s + v, 0));
}

const pixelsOf = (seed: number): Uint8Array =>
  Uint8Array.from({ length: 108 }, (_, i) => (Math.imul(i + seed * 97, 2654435761) >>> 20) & 255);

describe.each(['int8', 'float32'] as const)('a net of convolutions with %s weights', (kind) => {
  it('comes to what PyTorch defines', () => {
    const [made, reference] = [newUnit(), new Reference()].map((machine) =>
      record(new Network(machine, { weights: kind })).run(pixelsOf(1)),
    );
    const exact = plainly(pixelsOf(1));
    expect(exact.length).toBe(7);
    for (const p of [made!, reference!])
      exact.forEach((wanted, i) => {
        expect(Math.abs(p[i]! - wanted)).toBeLessThan(kind === 'int8' ? 0.03 : 1e-5);
      });
  });

  it('comes to the same again, and in a batch', () => {
    const one = record(new Network(newUnit(), { weights: kind }));
    const inputs = [1, 2, 3].map(pixelsOf);
    const alone = inputs.flatMap((x) => [...one.run(x)]);
    expect([...one.run(inputs[0]!)]).toEqual(alone.slice(0, 7));
    const batch = record(new Network(newUnit(), { weights: kind, batch: 3 }));
    expect([...batch.run(Uint8Array.from(inputs.flatMap((x) => [...x])))]).toEqual(alone);
  });
});

describe('a net of numbers', () => {
  const mlp = (net: Network): RunningNetwork => {
    const x = net.floats(5);
    const hidden = net.relu(net.linear('a', x, noise(20 * 5, 1), noise(20, 2)));
    const more = net.add(net.linear('b', hidden, noise(20 * 20, 3)), hidden);
    return net.finish(net.linear('c', more, noise(2 * 20, 4), noise(2, 5)));
  };

  it.each([1, 3, 70])('takes float32 rows, %i at a time', (batch) => {
    const net = mlp(new Network(newUnit(), { batch, weights: 'float32' }));
    const input = noise(5 * batch, 9);
    const made = net.run(input);
    expect(made.length).toBe(2 * batch);
    const dense = (x: number[], w: Float32Array, b?: Float32Array): number[] =>
      Array.from({ length: w.length / x.length }, (_, f) =>
        x.reduce((s, v, i) => s + v * w[f * x.length + i]!, b?.[f] ?? 0),
      );
    const last = [...input.subarray(5 * (batch - 1))];
    const hidden = dense(last, noise(100, 1), noise(20, 2)).map((v) => Math.max(0, v));
    const more = dense(hidden, noise(400, 3)).map((v, i) => v + hidden[i]!);
    dense(more, noise(40, 4), noise(2, 5)).forEach((wanted, i) => {
      expect(made[2 * (batch - 1) + i]).toBeCloseTo(wanted, 3);
    });
  });
});

describe('what does not fit is refused in words', () => {
  const net = (): Network => new Network(newUnit());
  const ones = (count: number): Float32Array => new Float32Array(count).fill(1);

  it.each<[string, () => unknown, string]>([
    ['a batch', () => new Network(newUnit(), { batch: 0 }), 'network: expected a batch of 1 or more, got 0'],
    [
      'weights of a matrix',
      () => ((n) => n.linear('fc', n.floats(5), ones(12)))(net()),
      'linear fc: expected weights of so many outputs x 5 inputs, got 12 numbers',
    ],
    [
      'a bias',
      () => ((n) => n.linear('fc', n.floats(5), ones(10), ones(3)))(net()),
      'linear fc: expected a bias of 2 numbers, got 3',
    ],
    [
      'weights of a convolution',
      () => ((n) => n.conv2d('c', n.image(4, 4, 3), ones(10), undefined, { kernel: [2, 2] }))(net()),
      'conv2d c: expected weights of so many outputs x 3 channels x 2 x 2, got 10 numbers',
    ],
    [
      'a weight',
      () => ((n) => n.linear('fc', n.floats(1), Float32Array.of(1, Number.NaN)))(net()),
      'linear fc: expected finite numbers, got NaN at 1',
    ],
    [
      'a kernel',
      () => ((n) => n.maxPool(n.image(4, 4, 16), 5))(net()),
      'maxPool: expected a kernel of at most 4 pixels, got 5',
    ],
    ['a second input', () => ((n) => [n.floats(5), n.floats(5)])(net()), 'network: expected one input, got a second'],
    ['no input', () => net().finish({} as Rows), 'network: expected an input (floats, bytes or image), got none'],
    [
      'a sum',
      () => ((n) => n.add(n.floats(5), { ...n.linear('a', { at: 0, rows: 1, cols: 16, width: 5 }, ones(30)) }))(net()),
      'add: expected layers of one size, got 5 and 6 numbers',
    ],
    ['an input', () => record(net()).run(new Uint8Array(107)), 'run: expected 108 bytes, got 107'],
    [
      'a kind of input',
      () => ((n) => n.finish(n.floats(5)))(net()).run(new Uint8Array(5)),
      'run: expected 5 float32 numbers, got a Uint8Array: use Float32Array.from(…)',
    ],
    [
      'images in place of rows',
      () => ((n) => n.finish(n.image(4, 4, 1) as unknown as Rows & Feature))(net()),
      'finish: expected rows, as floats, bytes and linear make them, got images',
    ],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});

/** What tsx lets pass, as it does not look at types. */
describe('what is of another kind is refused where it is given', () => {
  const any = (value: unknown) => value as never;
  const net = (): Network => new Network(newUnit());
  const ones = (count: number): Float32Array => new Float32Array(count).fill(1);
  const numbers = (): RunningNetwork => ((n) => n.finish(n.softmax(n.floats(3))))(net());
  const onImages = (make: (n: Network, x: Feature) => unknown) => () => ((n) => make(n, n.image(4, 4, 1)))(net());
  const onRows = (make: (n: Network, x: Rows) => unknown) => () => ((n) => make(n, n.floats(5)))(net());

  it.each([
    [{ weights: 'int4' }, "network: expected weights 'int8' or 'float32', got 'int4'"],
    [{ weights: 'q8' }, "network: expected weights 'int8' or 'float32', got 'q8'"],
    [{ weights: 'Int8' }, "network: expected weights 'int8' or 'float32', got 'Int8'"],
    [{ weights: null }, "network: expected weights 'int8' or 'float32', got null"],
    [{ batch: 0 }, 'network: expected a batch of 1 or more, got 0'],
    [{ batch: 1.5 }, 'network: expected a batch of 1 or more, got 1.5'],
    [{ batch: -1 }, 'network: expected a batch of 1 or more, got -1'],
    [{ batch: Number.NaN }, 'network: expected a batch of 1 or more, got NaN'],
    [{ batch: '8' }, "network: expected a batch of 1 or more, got '8'"],
    [{ weight: 'float32' }, 'network: expected the options weights and batch, got weight'],
    ['float32', "network: expected options as { weights, batch }, got 'float32'"],
    [8, 'network: expected options as { weights, batch }, got 8'],
  ])('options %j', (options, message) => {
    expect(() => new Network(newUnit(), any(options))).toThrow(message);
  });

  it('options that are left out, or undefined', () => {
    expect(() => new Network(newUnit(), any({ weights: undefined, batch: undefined })).floats(3)).not.toThrow();
  });

  it.each([
    [undefined, 'got undefined'],
    [() => 0, 'got a function'],
  ])('a machine: %s', (machine, got) => {
    expect(() => new Network(any(machine))).toThrow(
      `network: expected a machine, as new Unit(certifiedDataSet) or nodeUnit(), ${got}`,
    );
  });

  it.each(['tanh', 'sigmoid', 'gelu', 'Relu', 'toString', ''])('the activation %j, at once', (kind) => {
    const message = `activate: expected relu, silu, gelu_new or gelu_exact, got ${kind}`;
    expect(onRows((n, x) => n.activate(x, any(kind)))).toThrow(message);
    expect(onImages((n, x) => n.activate(x, any(kind)))).toThrow(message);
  });

  it.each([
    [[1, 2, 3], 'got an Array: use Float32Array.from(…)'],
    [Float64Array.of(1, 2, 3), 'got a Float64Array: use Float32Array.from(…)'],
    [Uint8Array.of(1, 2, 3), 'got a Uint8Array: use Float32Array.from(…)'],
    [new Uint8Array(12), 'got a Uint8Array: use Float32Array.from(…)'],
    [undefined, 'got undefined'],
    [3, 'got 3'],
    ['1, 2, 3', "got '1, 2, 3'"],
    [{ x: 1 }, 'got an Object'],
    [Float32Array.of(1, 2), 'got 2'],
    [new Float32Array(), 'got 0'],
  ])('the input of numbers %s', (input, got) => {
    expect(() => numbers().run(any(input))).toThrow(`run: expected 3 float32 numbers, ${got}`);
  });

  it.each([
    [[1, 2, 3], ' as a Uint8Array, got an Array'],
    [new Float32Array(3), ' as a Uint8Array, got a Float32Array'],
    [new Int8Array(3), ' as a Uint8Array, got an Int8Array'],
    [undefined, ' as a Uint8Array, got undefined'],
    [new Uint8Array(4), ', got 4'],
  ])('the input of bytes %s', (input, got) => {
    const bytes = ((n) => n.finish(n.softmax(n.bytes(3))))(net());
    expect(() => bytes.run(any(input))).toThrow(`run: expected 3 bytes${got}`);
  });

  it("but not a canvas's bytes, nor Node's", () => {
    const bytes = ((n) => n.finish(n.softmax(n.bytes(3))))(net());
    const wanted = bytes.run(Uint8Array.of(1, 2, 3));
    expect(bytes.run(any(Uint8ClampedArray.of(1, 2, 3)))).toEqual(wanted);
    expect(bytes.run(Buffer.from([1, 2, 3]))).toEqual(wanted);
  });

  it.each([
    [[1, Number.NaN, 2], 'NaN at 1'],
    [[1, 2, Number.POSITIVE_INFINITY], 'Infinity at 2'],
    [[Number.NEGATIVE_INFINITY, 1, 2], '-Infinity at 0'],
    [[1, 1e39, 2], 'Infinity at 1'],
  ])('the numbers %j', (input, got) => {
    expect(() => numbers().run(Float32Array.from(input))).toThrow(`run: expected finite numbers, got ${got}`);
  });

  it('but not the largest numbers of float32', () => {
    expect(numbers().run(Float32Array.of(3.4e38, -3.4e38, 0))[0]).toBeCloseTo(1);
  });

  it.each<[string, () => unknown, string]>([
    [
      "a misspelt weight's name",
      onRows((n, x) => n.linear('fc', x, any(undefined))),
      'linear fc: expected weights as a Float32Array, got undefined',
    ],
    [
      "a convolution's",
      onImages((n, x) => n.conv2d('c', x, any(undefined), undefined, { kernel: [2, 2] })),
      'conv2d c: expected weights as a Float32Array, got undefined',
    ],
    [
      'a list of weights',
      onRows((n, x) => n.linear('fc', x, any([1, 1, 1, 1, 1]))),
      'linear fc: expected weights as a Float32Array, got an Array: use Float32Array.from(…)',
    ],
    [
      'a list as bias',
      onRows((n, x) => n.linear('fc', x, ones(5), any([1]))),
      'linear fc: expected a bias as a Float32Array, got an Array: use Float32Array.from(…)',
    ],
    [
      'no bias but null',
      onRows((n, x) => n.linear('fc', x, ones(5), any(null))),
      'linear fc: expected a bias as a Float32Array, got null',
    ],
    [
      'no label',
      onRows((n, x) => n.linear(any(x), any(ones(5)), any(ones(1)))),
      "linear: expected a label first, as 'linear1', got an Object",
    ],
    [
      'no layer',
      () => net().linear('fc', any(undefined), ones(5)),
      'linear fc: expected a layer, as the methods of a network make them, got undefined',
    ],
    [
      'numbers as a layer',
      () => net().relu(any(ones(5))),
      'activate: expected a layer, as the methods of a network make them, got a Float32Array',
    ],
    ['no second layer', onRows((n, x) => n.add(x, any(undefined))), 'add: expected a layer, as the methods'],
    ['rows to pool', onRows((n, x) => n.maxPool(any(x), 2)), 'maxPool: expected images, as image, conv2d and maxPool'],
    [
      'rows to convolve',
      onRows((n, x) => n.conv2d('c', any(x), ones(4), undefined, { kernel: [2, 2] })),
      'conv2d c: expected images, as image, conv2d and maxPool make them, got rows',
    ],
    ['images as probabilities', onImages((n, x) => n.softmax(any(x))), 'softmax: expected rows, as floats, bytes and'],
    [
      'nothing to finish',
      onRows((n) => n.finish(any(undefined))),
      'finish: expected rows, as floats, bytes and linear make them, got undefined',
    ],
    ['no input', () => net().finish(any(undefined)), 'network: expected an input (floats, bytes or image), got none'],
    [
      'no shape',
      onImages((n, x) => n.conv2d('c', x, ones(4), undefined, any(undefined))),
      'conv2d c: expected { kernel: [height, width] }, got undefined',
    ],
    [
      'a kernel of one number',
      onImages((n, x) => n.conv2d('c', x, ones(4), undefined, any({ kernel: 2 }))),
      'conv2d c: expected { kernel: [height, width] }, got a kernel of 2',
    ],
    ['a width', () => net().floats(any(undefined)), 'floats: expected a width of 1 or more, got undefined'],
    ['a width of 0', () => net().bytes(0), 'bytes: expected a width of 1 or more, got 0'],
    ['channels', () => net().image(4, 4, any(undefined)), 'image: expected channels of 1 or more, got undefined'],
    ['a factor', () => net().image(4, 4, 1, Number.NaN), 'image: expected a factor, got NaN'],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});

describe('keepOps', () => {
  const linked = async (keep: Parameters<typeof keepOps>[1]) => {
    const wasm = await keepOps(await buildTensorKernels(), keep);
    return { wasm, unit: new Unit(kernelsInNode(wasm as Uint8Array<ArrayBuffer>)) };
  };

  it("leaves what a net has, which comes to the same, and nothing else's code", async () => {
    const { program } = record(new Network(newUnit()));
    const { wasm, unit } = await linked(program.ops.map(({ name }) => name));
    expect([...record(new Network(unit)).run(pixelsOf(4))]).toEqual([
      ...record(new Network(newUnit())).run(pixelsOf(4)),
    ]);
    expect(wasm.length).toBeLessThan((await buildTensorKernels()).length * 0.65);
    expect(WebAssembly.Module.exports(new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>))).toEqual([
      { name: 'certified_data_set', kind: 'function' },
    ]);
  });

  it('says which ops are not there, before they run', async () => {
    const { unit } = await linked(['linearQ8', 'quantize', 'addRow']);
    expect(() => record(new Network(unit))).toThrow(
      'network: expected kernels with all ops, got none for fromBytes, conv2dQ8, activate, maxPool, softmax',
    );
  });

  it('leaves out all others', async () => {
    const { unit } = await linked(['maxPool']);
    const ops = opEntries.map((op) => ({ name: op.name, label: '', from: 0, macs: 0 }));
    const others = opEntries.map((op) => op.name).filter((name) => name !== 'maxPool');
    expect(unit.missing({ words: new Uint32Array(), ops })).toEqual(others);
  });

  it('knows no other ops', async () => {
    await expect(linked(['conv3d' as never])).rejects.toThrow('keepOps: expected an op of the kernels, got has_conv3d');
  });
});
