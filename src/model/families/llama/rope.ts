// Rotary positions: by how much each pair of a head's columns is turned from one position to the next. Column i goes
// with column i + K/2, as in Hugging Face's weights; GGUF files of architecture `llama` have q and k in another order.
// Source: Su et al. 2021, RoFormer, 3.2.2; transformers, modeling_rope_utils.py (default, linear, llama3).
import { Fields } from '../../json/json.ts';

/** Llama 3's scaling: slow turns are slowed down further, fast ones are left, between them there is a smooth way. */
export interface Llama3Scaling {
  kind: 'llama3';
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  /** Positions that the model was first trained with. */
  originalContextLength: number;
}

export type RopeScaling = { kind: 'none' } | { kind: 'linear'; factor: number } | Llama3Scaling;

export interface Rope {
  theta: number;
  scaling: RopeScaling;
}

/** Kinds that files name and that are not built. */
const NOT_BUILT = ['dynamic', 'yarn', 'longrope', 'su', 'mrope'];

interface Wanted {
  /** The kind of layer, by which transformers 5 has several. */
  type: string;
  /** Whether it is a local layer of Gemma 3. */
  local: boolean;
  /** Where the file is silent. */
  theta: number;
}

/**
 * The rotation of one kind of layer: from `rope_parameters` (transformers 5), or from `rope_theta`, `rope_scaling` and
 * `rope_local_base_freq` (transformers 4).
 * @throws Error, TypeError, RangeError naming the field
 */
export function readRope(fields: Fields, { type, local, theta }: Wanted): Rope {
  const parameters = fields.get('rope_parameters');
  if (parameters !== undefined) {
    const all = new Fields(`${fields.where}: rope_parameters`, parameters);
    const own = all.get(type) === undefined ? all : new Fields(`${all.where}: ${type}`, all.get(type));
    const fallback = local ? theta : fields.number('rope_theta', 1, 1e12, theta);
    return { theta: own.number('rope_theta', 1, 1e12, fallback), scaling: readScaling(own, fields) };
  }
  if (local) {
    return { theta: fields.number('rope_local_base_freq', 1, 1e12, theta), scaling: { kind: 'none' } };
  }
  const scaling = fields.get('rope_scaling');
  return {
    theta: fields.number('rope_theta', 1, 1e12, theta),
    scaling:
      scaling === undefined
        ? { kind: 'none' }
        : readScaling(new Fields(`${fields.where}: rope_scaling`, scaling), fields),
  };
}

/** @param model the fields around, which have the context's length */
function readScaling(fields: Fields, model: Fields): RopeScaling {
  const name = fields.get('rope_type') === undefined && fields.get('type') !== undefined ? 'type' : 'rope_type';
  const kind = fields.string(name, 'default');
  if (kind === 'default') return { kind: 'none' };
  if (kind === 'linear') return { kind, factor: fields.number('factor', 1, 1e6) };
  if (kind !== 'llama3') {
    const known = NOT_BUILT.includes(kind) ? `${kind} is not built in` : 'that is no kind of scaling known here';
    return fields.wrong(Error, name, `default, linear or llama3 (${known})`, kind);
  }
  const lowFreqFactor = fields.number('low_freq_factor', 1e-6, 1e6);
  const highFreqFactor = fields.number('high_freq_factor', 1e-6, 1e6);
  if (highFreqFactor <= lowFreqFactor) {
    fields.wrong(RangeError, 'high_freq_factor', `more than low_freq_factor, ${lowFreqFactor}`, highFreqFactor);
  }
  return {
    kind,
    factor: fields.number('factor', 1, 1e6),
    lowFreqFactor,
    highFreqFactor,
    originalContextLength:
      fields.get('original_max_position_embeddings') === undefined
        ? model.integer('max_position_embeddings', 1, 1 << 24)
        : fields.integer('original_max_position_embeddings', 1, 1 << 24),
  };
}

/**
 * Radians by which pair i of a head's columns is turned for each position, [K / 2].
 * @param factors what a GGUF file divides them by, in place of a scaling by formula
 */
export function ropeFrequencies({ theta, scaling }: Rope, headDim: number, factors?: Float32Array): Float64Array {
  return Float64Array.from({ length: headDim / 2 }, (_, i) => {
    const frequency = theta ** ((-2 * i) / headDim);
    return factors ? frequency / factors[i]! : scaled(frequency, scaling);
  });
}

function scaled(frequency: number, scaling: RopeScaling): number {
  if (scaling.kind === 'none') return frequency;
  if (scaling.kind === 'linear') return frequency / scaling.factor;
  const { factor, lowFreqFactor, highFreqFactor, originalContextLength } = scaling;
  const turns = (originalContextLength * frequency) / (2 * Math.PI);
  if (turns > highFreqFactor) return frequency;
  if (turns < lowFreqFactor) return frequency / factor;
  const smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}
