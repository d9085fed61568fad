/**
 * The same net in plain TypeScript, float32, with the loops that one would write: what the kernels are compared with.
 */
import { weightsOf } from './net.ts';

/** A channel's plane after another, as PyTorch has them. */
interface Planes {
  data: Float32Array;
  channels: number;
  size: number;
}

/** A convolution, then relu. */
function conv({ data, channels, size }: Planes, weight: Float32Array, bias: Float32Array, kernel: number): Planes {
  const out = size - kernel + 1;
  const made = new Float32Array(bias.length * out * out);
  for (let f = 0; f < bias.length; f++) {
    for (let y = 0; y < out; y++) {
      for (let x = 0; x < out; x++) {
        let sum = bias[f]!;
        let w = f * channels * kernel * kernel;
        for (let c = 0; c < channels; c++) {
          for (let ky = 0; ky < kernel; ky++) {
            const row = (c * size + y + ky) * size + x;
            for (let kx = 0; kx < kernel; kx++) sum += data[row + kx]! * weight[w++]!;
          }
        }
        made[(f * out + y) * out + x] = sum > 0 ? sum : 0;
      }
    }
  }
  return { data: made, channels: bias.length, size: out };
}

function pool({ data, channels, size }: Planes): Planes {
  const out = size / 2;
  const made = new Float32Array(channels * out * out);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < out; y++) {
      for (let x = 0; x < out; x++) {
        const at = (c * size + 2 * y) * size + 2 * x;
        made[(c * out + y) * out + x] = Math.max(data[at]!, data[at + 1]!, data[at + size]!, data[at + size + 1]!);
      }
    }
  }
  return { data: made, channels, size: out };
}

/** The weights, decoded once. */
export const plainDigits = (): ((pixels: Uint8Array) => number[]) => {
  const names = ['conv1.weight', 'conv1.bias', 'conv2.weight', 'conv2.bias', 'fc.weight', 'fc.bias'] as const;
  const [w1, b1, w2, b2, w, b] = names.map(weightsOf) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  return (pixels) => {
    const image = { data: Float32Array.from(pixels, (p) => p / 255), channels: 1, size: 28 };
    const { data } = pool(conv(pool(conv(image, w1, b1, 5)), w2, b2, 3));
    const logits = Array.from(b, (bias, f) => {
      let sum = bias;
      for (let i = 0; i < data.length; i++) sum += data[i]! * w[f * data.length + i]!;
      return sum;
    });
    const largest = Math.max(...logits);
    const powers = logits.map((l) => Math.exp(l - largest));
    const total = powers.reduce((sum, p) => sum + p, 0);
    return powers.map((p) => p / total);
  };
};
