/** The tensor unit from outside: place weights, record a program, run it; in Azle canisters, in Node, in browsers. */
export { Arena } from '../../../src/tensor/arena.ts';
export type { ConvShape, Images } from '../../../src/tensor/images.ts';
export {
  inHeads,
  inOrder,
  type MatrixKind,
  type Placement,
  pad,
  placeFloat32,
  placeInt8,
  weightBytes,
} from '../../../src/tensor/layout.ts';
export { type Machine, type Program, type Registers, UNLIMITED } from '../../../src/tensor/machine.ts';
export {
  type Feature,
  type Layer,
  Network,
  type NetworkOptions,
  RunningNetwork,
} from '../../../src/tensor/network.ts';
export type { OpName } from '../../../src/tensor/ops.ts';
export {
  type Activation,
  matrixAt,
  Recorder,
  type Rows,
  type Scratch,
  type Vector,
  type Weights,
} from '../../../src/tensor/recorder.ts';
export { Reference } from '../../../src/tensor/reference/reference.ts';
export { type Host, kernelsInNode, type Send, Unit } from '../../../src/tensor/unit.ts';
export { plus, register, times, type Value } from '../../../src/tensor/value.ts';
