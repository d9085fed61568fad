// Runs a program of ops (picture in protocol.ts). It trusts its caller: the recorder checks every size.
import { dispatch } from './generated/dispatch';
import { FRAME, REGISTERS } from './protocol';

// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'performance_counter')
export declare function performanceCounter(kind: i32): u64;

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
 * Runs the ops at words [from, end) of the program, at least one, and stops before an op once the instruction counter
 * has passed `budget`. Returns the word to go on from.
 */
export function run(program: usize, from: u32, end: u32, budget: u64, registers: usize): u32 {
  memory.copy(program, registers, REGISTERS * 4);
  const frame = program + FRAME * 4;
  const last = program + (<usize>end << 2);
  let at = program + (<usize>from << 2);
  while (at < last) {
    const code = load<u32>(at) & 0xff;
    at = resolve(program, at);
    dispatch(code, frame);
    if (performanceCounter(0) > budget) break;
  }
  return <u32>((at - program) >> 2);
}
