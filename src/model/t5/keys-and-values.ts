/**
 * Keys and values of attention: where they are kept and how they are attended to, float32 beside float32 weights, int16 beside integer ones
 * (tensor/assembly/ops/keep.ts). Programs write k and v, `keep` what came out, and `attend`; which of the two it is they do not know.
 *
 *               a session's block, self-attention:                                        a prompt's block, cross-attention:
 *   float32     position 0: | layer 0: k, v [H K] | layer 1 … |  position 1 …             layer 0: | k [S, H K] | v [S, H K] |  layer 1 …
 *   int16       positions 0 … 15: | layer 0: a chunk of 16 | layer 1 … |  16 … 31 …       layer 0: | a chunk of S, rounded up to 16s |  layer 1 …
 *
 * In a session all layers of a position lie together, so that a step touches few pages, and what two sessions have in common is one piece.
 */
import { KEPT_POSITIONS, keptPositionBytes, pad } from '../../tensor/layout.ts';
import type { DistanceBias, Kept, Recorder, Rows } from '../../tensor/recorder.ts';
import { plus, times, type Value } from '../../tensor/value.ts';
import { MAX_SOURCE_LENGTH, type PackShape, paddedSizes } from '../pack/tensors.ts';

/** Of one attention. */
export interface KeysAndValues {
  /** What the matrices write. */
  k: Rows;
  v: Rows;
  /** Puts k and v where they stay, unless they were written there. */
  keep(r: Recorder, label: string): void;
  /** a = softmax(q k^T + bias) v */
  attend(r: Recorder, label: string, a: Rows, q: Rows, bias?: DistanceBias): void;
}

/** Working rows that k and v may be written to first. */
type Working = { k: Rows; v: Rows };

export interface AttentionMemory {
  /** The encoder's, of the layer at hand. */
  encoder(working: Working): KeysAndValues;
  /** A decoder layer's, of the prompt. */
  cross(layer: number, working: Working): KeysAndValues;
  /** A decoder layer's own: position T is written, those up to T are attended to. */
  self(layer: number, working: Working): KeysAndValues;
}

/** Registers: position; source length, and that rounded up to KEPT_POSITIONS; a prompt's block, a session's block. */
export interface Places {
  T: Value;
  S: Value;
  PADDED_S: Value;
  CROSS: Value;
  SELF: Value;
}

/** Positions of a block are taken, and copied, by so many. */
const step = ({ weights }: PackShape): number => (weights === 'float32' ? 1 : KEPT_POSITIONS);

/** Bytes of a layer's key and value of one position. */
const layerBytes = ({ config, weights }: PackShape): number => {
  const { kv, inner } = paddedSizes(config);
  return weights === 'float32' ? 2 * inner * 4 : keptPositionBytes(config.numHeads, kv);
};

/** Bytes of a prompt's or session's block for so many positions. */
export const blockBytes = (shape: PackShape, positions: number): number =>
  pad(positions, step(shape)) * shape.config.numDecoderLayers * layerBytes(shape);

/** The piece of a session's block that has the positions from `from` to `to`; others in it are ones before `from`, or not written yet. */
export function pieceOf(shape: PackShape, from: number, to: number): { at: number; bytes: number } {
  const at = blockBytes(shape, Math.floor(from / step(shape)) * step(shape));
  return { at, bytes: blockBytes(shape, to) - at };
}

/** `allocate` gives room for what the encoder keeps. */
export function attentionMemory(
  shape: PackShape,
  places: Places,
  allocate: (bytes: number) => number,
): AttentionMemory {
  return shape.weights === 'float32' ? float32(shape, places) : int16(shape, places, allocate);
}

function float32(shape: PackShape, { T, S, CROSS, SELF }: Places): AttentionMemory {
  const { config } = shape;
  const { kv, inner } = paddedSizes(config);
  const rowBytes = inner * 4;
  /** At k and v stand the first keys and values, from `first` on new ones are written. */
  const at = (k: Value, v: Value, keyBytes: number, rows: Value, keys: Value, first: Value = 0): KeysAndValues => {
    const written = (base: Value): Rows => ({
      at: plus(base, times(first, keyBytes)),
      rows,
      cols: inner,
      width: inner,
    });
    return {
      k: written(k),
      v: written(v),
      keep: () => {},
      attend: (r, label, a, q, bias) =>
        r.attention(label, a, q, k, v, { heads: config.numHeads, dKv: kv, keys, keyBytes, first, bias }),
    };
  };
  return {
    encoder: ({ k, v }) => at(k.at, v.at, rowBytes, S, S),
    cross(layer) {
      const part = (i: 0 | 1): Value => plus(CROSS, times(S, (2 * layer + i) * rowBytes));
      return at(part(0), part(1), rowBytes, S, S);
    },
    self(layer) {
      const part = (i: 0 | 1): Value => plus(SELF, (2 * layer + i) * rowBytes);
      return at(part(0), part(1), blockBytes(shape, 1), 1, plus(T, 1), T);
    },
  };
}

function int16(
  shape: PackShape,
  { T, S, PADDED_S, CROSS, SELF }: Places,
  allocate: (bytes: number) => number,
): AttentionMemory {
  const { config } = shape;
  const sizes = { heads: config.numHeads, dKv: paddedSizes(config).kv };
  const perPosition = layerBytes(shape);
  const own = allocate(pad(MAX_SOURCE_LENGTH, KEPT_POSITIONS) * perPosition);
  const kept = (kept: Kept, { k, v }: Working, keys: Value, first: Value = 0): KeysAndValues => ({
    k,
    v,
    keep: (r, label) => r.keep(label, kept, k, v, first),
    attend: (r, label, a, q, bias) => r.attentionQ16(label, a, q, kept, { keys, first, bias }),
  });
  const ofPrompt = (at: Value): Kept => ({ ...sizes, at, chunk: PADDED_S, chunkBytes: 0 });
  return {
    encoder: (working) => kept(ofPrompt(own), working, S),
    cross: (layer, working) => kept(ofPrompt(plus(CROSS, times(PADDED_S, layer * perPosition))), working, S),
    self(layer, working) {
      const at = plus(SELF, layer * KEPT_POSITIONS * perPosition);
      const chunk = { chunk: KEPT_POSITIONS, chunkBytes: blockBytes(shape, KEPT_POSITIONS) };
      return kept({ ...sizes, at, ...chunk }, working, plus(T, 1), T);
    },
  };
}
