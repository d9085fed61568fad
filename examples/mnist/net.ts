/** The net of training/train.py, as a program of the tensor unit. */
import { type Machine, Network, type RunningNetwork } from 'stepwise-tensor';
import { fromBase64 } from './base64.ts';
import { weights } from './weights.ts';

/** Pixels of an image, row after row: 0 is paper, 255 is ink. */
export const PIXELS = 28 * 28;

export const weightsOf = (name: keyof typeof weights): Float32Array =>
  new Float32Array(fromBase64(weights[name]).buffer);

/** Takes 784 bytes, gives ten probabilities. Trained weights are float32; `kind` says how the unit holds them. */
export function digits(machine: Machine, kind: 'int8' | 'float32' = 'int8'): RunningNetwork {
  const net = new Network(machine, { weights: kind });
  const image = net.image(28, 28, 1);
  const conv1 = net.conv2d('conv1', image, weightsOf('conv1.weight'), weightsOf('conv1.bias'), { kernel: [5, 5] });
  const pool1 = net.maxPool(net.relu(conv1), 2);
  const conv2 = net.conv2d('conv2', pool1, weightsOf('conv2.weight'), weightsOf('conv2.bias'), { kernel: [3, 3] });
  const pool2 = net.maxPool(net.relu(conv2), 2);
  const logits = net.linear('fc', pool2, weightsOf('fc.weight'), weightsOf('fc.bias'));
  return net.finish(net.softmax(logits));
}
