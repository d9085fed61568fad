// The feed-forward activations that T5 checkpoints use, with the gate of T5 v1.1 (Shazeer 2020, "GLU Variants",
// equation 6).

import { ACTIVATION_GELU_NEW, ACTIVATION_RELU, ACTIVATION_SILU } from '../protocol';
import { exp, LOG2_E, quickExp2 } from '../lanes';

/** x / (1 + 2^t): x times the sigmoid of -t ln 2. */
// @ts-ignore: AssemblyScript's decorator
@inline
function timesSigmoid(x: v128, t: v128): v128 {
  return f32x4.div(x, f32x4.add(f32x4.splat(1), quickExp2(t)));
}

/** gelu_new: x/2 (1 + tanh(u)) with u = sqrt(2/pi) (x + 0.044715 x^3), which is x sigmoid(2u). */
// @ts-ignore: AssemblyScript's decorator
@inline
function geluTanh(x: v128): v128 {
  const cubic = f32x4.add(f32x4.splat(1), f32x4.mul(f32x4.splat(0.044715), f32x4.mul(x, x)));
  return timesSigmoid(x, f32x4.mul(f32x4.mul(x, f32x4.splat(-1.5957691216057308 * LOG2_E)), cubic));
}

// @ts-ignore: AssemblyScript's decorator
@inline
function silu(x: v128): v128 {
  return timesSigmoid(x, f32x4.mul(x, f32x4.splat(-LOG2_E)));
}

/**
 * erf by Abramowitz and Stegun 7.1.26, absolute error at most 1.5e-7; odd, so it is computed for |x| and given x's
 * sign.
 */
// @ts-ignore: AssemblyScript's decorator
@inline
function erf(x: v128): v128 {
  const a = f32x4.abs(x);
  const t = f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), f32x4.mul(a, f32x4.splat(0.3275911))));
  let p = f32x4.add(f32x4.mul(t, f32x4.splat(1.061405429)), f32x4.splat(-1.453152027));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(1.421413741));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-0.284496736));
  p = f32x4.mul(f32x4.add(f32x4.mul(p, t), f32x4.splat(0.254829592)), t);
  const y = f32x4.sub(f32x4.splat(1), f32x4.mul(p, exp(f32x4.neg(f32x4.mul(a, a)))));
  return v128.or(y, v128.and(x, i32x4.splat(0x80000000)));
}

// @ts-ignore: AssemblyScript's decorator
@inline
function geluErf(x: v128): v128 {
  return f32x4.mul(f32x4.mul(x, f32x4.splat(0.5)), f32x4.add(f32x4.splat(1), erf(f32x4.mul(x, f32x4.splat(0.7071067811865476)))));
}

/** out = y * gate, or y where gate is 0. */
// @ts-ignore: AssemblyScript's decorator
@inline
function put(out: usize, y: v128, gate: usize, at: usize): void {
  v128.store(out + at, gate ? f32x4.mul(y, v128.load(gate + at)) : y);
}

/**
 * x, gate f32 [count] -> out f32 [count] = activation(x) * gate, without the product where gate is 0; count a multiple
 * of 16; in place or fresh.
 */
export function activate(out: usize, x: usize, gate: usize, count: u32, kind: u32): void {
  const end = x + (<usize>count << 2);
  const step: usize = gate ? 32 : 0;
  // a loop for each, as asking for the kind at every turn takes a sixth of gelu_new's instructions
  if (kind == ACTIVATION_RELU) {
    for (; x < end; x += 32, out += 32, gate += step) {
      put(out, f32x4.pmax(f32x4.splat(0), v128.load(x)), gate, 0);
      put(out, f32x4.pmax(f32x4.splat(0), v128.load(x, 16)), gate, 16);
    }
  } else if (kind == ACTIVATION_GELU_NEW) {
    for (; x < end; x += 32, out += 32, gate += step) {
      put(out, geluTanh(v128.load(x)), gate, 0);
      put(out, geluTanh(v128.load(x, 16)), gate, 16);
    }
  } else if (kind == ACTIVATION_SILU) {
    for (; x < end; x += 32, out += 32, gate += step) {
      put(out, silu(v128.load(x)), gate, 0);
      put(out, silu(v128.load(x, 16)), gate, 16);
    }
  } else {
    for (; x < end; x += 32, out += 32, gate += step) {
      put(out, geluErf(v128.load(x)), gate, 0);
      put(out, geluErf(v128.load(x, 16)), gate, 16);
    }
  }
}
