/**
 * Relative-position buckets, and the bias by distance that the arena holds.
 * Source: Raffel et al. 2020, section 2.1; Hugging Face transformers, T5Attention._relative_position_bucket.
 */

export interface BucketShape {
  /** B */
  buckets: number;
  maxDistance: number;
  /** The encoder gives half its buckets to keys after the query; the decoder looks back only. */
  bidirectional: boolean;
}

/** Bucket of a key `distance` positions after its query (negative: before it). */
export function relativePositionBucket(distance: number, shape: BucketShape): number {
  let buckets = shape.buckets;
  let offset = 0;
  let past: number;
  if (shape.bidirectional) {
    buckets = Math.floor(buckets / 2);
    if (distance > 0) offset = buckets;
    past = Math.abs(distance);
  } else {
    past = Math.max(0, -distance);
  }
  const exact = Math.floor(buckets / 2);
  if (past < exact) return offset + past;
  // float32, as torch computes it: a distance on the edge of a bucket falls where transformers puts it
  const { fround, log } = Math;
  const ratio = fround(fround(log(fround(past / exact))) / log(shape.maxDistance / exact));
  const far = exact + Math.trunc(fround(ratio * (buckets - exact)));
  return offset + Math.min(far, buckets - 1);
}

/**
 * relative_attention_bias float32 [B, H] -> float32 [H, 2 * reach + 1], the bias of each head at distances -reach …
 * reach: what attention adds without asking for buckets.
 */
export function biasByDistance(bias: Float32Array, heads: number, reach: number, shape: BucketShape): Float32Array {
  const width = 2 * reach + 1;
  const out = new Float32Array(heads * width);
  for (let distance = -reach; distance <= reach; distance++) {
    const bucket = relativePositionBucket(distance, shape);
    for (let h = 0; h < heads; h++) out[h * width + reach + distance] = bias[bucket * heads + h]!;
  }
  return out;
}
