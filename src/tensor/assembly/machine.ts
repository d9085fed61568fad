// Runs a program of ops (picture in protocol.ts). It trusts its caller: the recorder checks every size.
import {
  FRAME, OP_ACTIVATE, OP_ARGMAX, OP_ATTENTION, OP_ATTENTION_Q16, OP_BEST, OP_COPY, OP_DRAW, OP_GATHER_F32, OP_GATHER_Q8, OP_KEEP, OP_LINEAR_F32, OP_LINEAR_INT4,
  OP_LINEAR_Q8,   OP_LOG_SOFTMAX, OP_MASK, OP_PENALIZE, OP_QUANTIZE, OP_RMS_NORM, OP_SCALE, OP_SOFTMAX, OP_TOP_K, OP_TOP_P, REGISTERS,
} from './protocol';
import { activate } from './ops/activate';
import { argmax } from './ops/argmax';
import { attention } from './ops/attention';
import { attentionQ16 } from './ops/attention-q16';
import { draw } from './ops/draw';
import { gatherF32, gatherQ8 } from './ops/gather';
import { keep } from './ops/keep';
import { linearF32 } from './ops/linear-f32';
import { linearInt4 } from './ops/linear-int4';
import { linearQ8 } from './ops/linear-q8';
import { mask, penalize } from './ops/penalize';
import { quantize } from './ops/quantize';
import { rmsNorm } from './ops/rms-norm';
import { scale } from './ops/scale';
import { logSoftmax, softmax } from './ops/softmax';
import { best, topK } from './ops/top-k';
import { topP } from './ops/top-p';

// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'performance_counter')
export declare function performanceCounter(kind: i32): u64;

/** Argument `i` of the op whose frame stands at `frame`. */
// @ts-ignore: AssemblyScript's decorator
@inline
function arg(frame: usize, i: usize): u32 {
  return load<u32>(frame + (i << 2));
}
// @ts-ignore: AssemblyScript's decorator
@inline
function argF32(frame: usize, i: usize): f32 {
  return load<f32>(frame + (i << 2));
}

/** Copies the op's arguments into the frame, adds what its patches say; returns the word after the op. */
function resolve(program: usize, at: usize): usize {
  const head = load<u32>(at);
  const frame = program + FRAME * 4;
  const args = ((head >> 8) & 0xff) << 2;
  let patches = head >> 16;
  memory.copy(frame, at + 4, args);
  let next = at + 4 + args;
  while (patches > 0) {
    const which = load<u32>(next);
    const slot = frame + ((which & 0xff) << 2);
    const register = load<u32>(program + ((which >> 8) << 2));
    store<u32>(slot, load<u32>(slot) + register * load<u32>(next, 4));
    next += 8;
    patches -= 1;
  }
  return next;
}

/**
 * Runs the ops at words [from, end) of the program, at least one, and stops before an op once the instruction counter has passed
 * `budget`. Returns the word to go on from.
 */
export function run(program: usize, from: u32, end: u32, budget: u64, registers: usize): u32 {
  memory.copy(program, registers, REGISTERS * 4);
  const f = program + FRAME * 4;
  const last = program + (<usize>end << 2);
  let at = program + (<usize>from << 2);
  while (at < last) {
    const opcode = load<u32>(at) & 0xff;
    at = resolve(program, at);
    switch (opcode) {
      case OP_GATHER_Q8: gatherQ8(arg(f, 0), arg(f, 1), arg(f, 2), arg(f, 3), arg(f, 4), arg(f, 5), arg(f, 6)); break;
      case OP_GATHER_F32: gatherF32(arg(f, 0), arg(f, 1), arg(f, 2), arg(f, 3), arg(f, 4)); break;
      case OP_RMS_NORM: rmsNorm(arg(f, 0), arg(f, 1), arg(f, 2), arg(f, 3), arg(f, 4), arg(f, 5), argF32(f, 6)); break;
      case OP_QUANTIZE: quantize(arg(f, 0), arg(f, 1), arg(f, 2), arg(f, 3), arg(f, 4)); break;
      case OP_LINEAR_Q8: linearQ8(arg(f, 0), arg(f, 1), arg(f, 2), arg(f, 3), arg(f, 4), arg(f, 5), arg(f, 6), arg(f, 7), arg(f, 8), arg(f, 9)); break;
      case OP_LINEAR_F32: linearF32(arg(f, 0), arg(f, 1), arg(f, 2), arg(f, 3), arg(f, 4), arg(f, 5), arg(f, 6)); break;
      case OP_LINEAR_INT4: linearInt4(arg(f, 0), arg(f, 1), arg(f, 2), arg(f, 3), arg(f, 4), arg(f, 5), arg(f, 6), arg(f, 7), arg(f, 8), arg(f, 9), arg(f, 10), arg(f, 11)); break;
      case OP_ATTENTION: attention(arg(f, 0), arg(f, 1), arg(f, 2), arg(f, 3), arg(f, 4), arg(f, 5), arg(f, 6), arg(f, 7), arg(f, 8), arg(f, 9), arg(f, 10), arg(f, 11), arg(f, 12), arg(f, 13)); break;
      case OP_ACTIVATE: activate(arg(f, 0), arg(f, 1), arg(f, 2), arg(f, 3), arg(f, 4)); break;
      case OP_SCALE: scale(arg(f, 0), arg(f, 1), arg(f, 2), argF32(f, 3)); break;
      case OP_ARGMAX: argmax(arg(f, 0), arg(f, 1), arg(f, 2)); break;
      case OP_PENALIZE: penalize(arg(f, 0), arg(f, 1), arg(f, 2), argF32(f, 3)); break;
      case OP_MASK: mask(arg(f, 0), arg(f, 1), arg(f, 2)); break;
      case OP_SOFTMAX: softmax(arg(f, 0), arg(f, 1)); break;
      case OP_LOG_SOFTMAX: logSoftmax(arg(f, 0), arg(f, 1)); break;
      case OP_TOP_K: topK(arg(f, 0), arg(f, 1), arg(f, 2)); break;
      case OP_TOP_P: topP(arg(f, 0), arg(f, 1), argF32(f, 2)); break;
      case OP_DRAW: draw(arg(f, 0), arg(f, 1), arg(f, 2), arg(f, 3)); break;
      case OP_BEST: best(arg(f, 0), arg(f, 1), arg(f, 2), arg(f, 3)); break;
      case OP_COPY: memory.copy(arg(f, 0), arg(f, 1), arg(f, 2)); break;
      case OP_KEEP: keep(arg(f, 0), arg(f, 1), arg(f, 2), arg(f, 3), arg(f, 4), arg(f, 5), arg(f, 6), arg(f, 7), arg(f, 8), arg(f, 9)); break;
      case OP_ATTENTION_Q16: attentionQ16(arg(f, 0), arg(f, 1), arg(f, 2), arg(f, 3), arg(f, 4), arg(f, 5), arg(f, 6), arg(f, 7), arg(f, 8), arg(f, 9), arg(f, 10), arg(f, 11), arg(f, 12), arg(f, 13), arg(f, 14), arg(f, 15), arg(f, 16)); break;
      default: unreachable();
    }
    if (performanceCounter(0) > budget) break;
  }
  return <u32>((at - program) >> 2);
}
