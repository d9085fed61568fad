// Logits of listed ids changed in place, before a choice is made.

/**
 * repetition_penalty (Keskar et al. 2019, "CTRL", section 4.1): a positive logit is divided by it, a negative one
 * multiplied. Ids u32 [idCount], none twice.
 */
export function penalize(logits: usize, ids: usize, idCount: u32, penalty: f32): void {
  for (const end = ids + (<usize>idCount << 2); ids < end; ids += 4) {
    const at = logits + (<usize>load<u32>(ids) << 2);
    const x = load<f32>(at);
    store<f32>(at, x < 0 ? x * penalty : x / penalty);
  }
}

/** Ids u32 [idCount] that must not be chosen get the logit -infinity. */
export function mask(logits: usize, ids: usize, idCount: u32): void {
  for (const end = ids + (<usize>idCount << 2); ids < end; ids += 4) store<f32>(logits + (<usize>load<u32>(ids) << 2), -Infinity);
}
