/**
 * A checkpoint's tensors as a pack holds them. What a program would compute anew for every token is multiplied in once:
 * the scale of attention into q, Gemma's 1 + w into its norms. For integer weights, columns are brought nearer to each
 * other.
 *
 * A row of integers has one scale, so a column that is large in all rows takes the room of the others. Each column of
 * the matrices that share an input is therefore divided by the square root of its root mean square, and that input's
 * column multiplied by it, by what makes the input: the norm before, the rows of `v` (for `o`) and of `up` (for
 * `down`), the scales of the embedding. In exact numbers nothing changes. Rows are taken relative to their largest
 * weight, as that is what a row's scale is.
 *
 * Why the square root: a column's rounding errors are multiplied by its scale too, and columns of large weights tend to
 * have large inputs. A row's largest weight is some four times its root mean square, so that a column a few times as
 * large as others takes no room from them, while equal columns would make its own errors larger by as much. int4 has no
 * such room, and its columns are made equal. Measured in docs/quantisation.md, not derived.
 */
import type { LlamaConfig } from './config.ts';
import { ropeFrequencies } from './rope.ts';
import {
  EMBEDDING,
  EMBEDDING_SCALES,
  equalised,
  FINAL_NORM,
  frequenciesName,
  HEAD,
  type LlamaShape,
  ropesOf,
} from './tensors.ts';

export type ReadTensor = (name: string) => Promise<Float32Array<ArrayBuffer>>;

/** What of a file the configuration does not say. */
export interface LlamaFile {
  /** Tensors by Hugging Face's names, in its order of rows. */
  tensor: ReadTensor;
  /** What the file divides the rotations' frequencies by, [K / 2], in place of a scaling by formula. */
  ropeFactors?: Float32Array | undefined;
}

/** Reads the tensors of {@link packTensors} by name. */
export function llamaSource(shape: LlamaShape, file: LlamaFile): ReadTensor {
  const conversion = new Conversion(shape, file);
  return (name) => conversion.tensor(name);
}

class Conversion {
  private readonly config: LlamaConfig;
  private readonly isEqualised: boolean;
  private readonly weights: LlamaShape['weights'];
  /** Column scales by what the columns are of, while they are needed. */
  private readonly scales = new Map<string, Float32Array>();
  private readonly own: ReadonlyMap<string, () => Promise<Float32Array<ArrayBuffer>>>;

  constructor(
    shape: LlamaShape,
    private readonly file: LlamaFile,
  ) {
    const { config, tiedHead } = shape;
    this.config = config;
    this.isEqualised = equalised(shape);
    this.weights = shape.weights;
    const head = tiedHead ? EMBEDDING : HEAD;
    this.own = new Map([
      ...ropesOf(config).ropes.map(
        (rope, i) =>
          [
            frequenciesName(i),
            async () => Float32Array.from(ropeFrequencies(rope, config.headDim, file.ropeFactors)),
          ] as const,
      ),
      [EMBEDDING_SCALES, async () => (await this.columns([EMBEDDING])).map((c) => c * config.embeddingScale)],
      [EMBEDDING, async () => this.matrix(EMBEDDING, [EMBEDDING])],
      [FINAL_NORM, async () => this.norm(FINAL_NORM, await this.columns([head]))],
      [HEAD, async () => this.matrix(HEAD, [HEAD])],
    ]);
  }

  async tensor(name: string): Promise<Float32Array<ArrayBuffer>> {
    const own = this.own.get(name);
    if (own) return await own();
    const [, layer, part] = /^(model\.layers\.\d+)\.(.*)$/.exec(name) ?? [];
    if (!layer || !part) throw new Error(`conversion: expected the name of a tensor of this model, got "${name}"`);
    return await this.ofLayer(layer, part);
  }

  private async ofLayer(layer: string, part: string): Promise<Float32Array<ArrayBuffer>> {
    const { qkNorm, postNorms, attentionScale } = this.config;
    const name = `${layer}.${part}`;
    const attentionIn = ['q', 'k', 'v'].map((which) => `${layer}.self_attn.${which}_proj.weight`);
    const feedForwardIn = ['gate', 'up'].map((which) => `${layer}.mlp.${which}_proj.weight`);
    switch (part) {
      case 'input_layernorm.weight':
        return this.norm(name, await this.columns(attentionIn));
      case 'self_attn.q_proj.weight':
        return scaled(await this.matrix(name, attentionIn), qkNorm ? 1 : attentionScale);
      case 'self_attn.q_proj.bias':
        return scaled(await this.file.tensor(name), qkNorm ? 1 : attentionScale);
      case 'self_attn.k_proj.weight':
        return await this.matrix(name, attentionIn);
      case 'self_attn.v_proj.weight':
        return rowsTimes(await this.matrix(name, attentionIn), await this.valueColumns(layer));
      case 'self_attn.v_proj.bias':
        return rowsTimes(await this.file.tensor(name), await this.valueColumns(layer));
      case 'self_attn.o_proj.weight':
        return columnsOver(await this.file.tensor(name), this.perQuery(await this.valueColumns(layer)));
      case 'self_attn.q_norm.weight':
        return scaled(await this.norm(name), attentionScale);
      case 'mlp.gate_proj.weight':
        return await this.matrix(name, feedForwardIn);
      case 'mlp.up_proj.weight':
        return rowsTimes(await this.matrix(name, feedForwardIn), await this.columns([`${layer}.mlp.down_proj.weight`]));
      case 'mlp.down_proj.weight':
        return await this.matrix(name, [name]);
      case postNorms ? 'pre_feedforward_layernorm.weight' : 'post_attention_layernorm.weight':
        return this.norm(name, await this.columns(feedForwardIn));
      case 'self_attn.k_norm.weight':
      case 'post_attention_layernorm.weight':
      case 'post_feedforward_layernorm.weight':
        return await this.norm(name);
      default:
        return await this.file.tensor(name);
    }
  }

  /** A norm's weight, times the scales of the columns that it makes. */
  private async norm(name: string, columns?: Float32Array): Promise<Float32Array<ArrayBuffer>> {
    const plus = this.config.normAddsOne ? 1 : 0;
    return (await this.file.tensor(name)).map((w, i) => (w + plus) * (columns?.[i] ?? 1));
  }

  /** A matrix, its columns over the scales that all of `sharing` have. */
  private async matrix(name: string, sharing: readonly string[]): Promise<Float32Array<ArrayBuffer>> {
    return columnsOver(await this.file.tensor(name), await this.columns(sharing));
  }

  /** Scales of the columns of matrices that share an input; all 1 where columns stay as they are. */
  private async columns(names: readonly string[]): Promise<Float32Array<ArrayBuffer>> {
    const { hiddenSize, intermediateSize } = this.config;
    const count = names[0]!.endsWith('down_proj.weight') ? intermediateSize : hiddenSize;
    return await this.kept(names.join(), count, async () => {
      const matrices: Float32Array[] = [];
      for (const name of names) matrices.push(await this.file.tensor(name));
      return columnScales(matrices, count, (column) => column, this.power(names[0]!));
    });
  }

  /** Scales of a value's columns, [G K]: heads of queries that share a value share its scales. */
  private async valueColumns(layer: string): Promise<Float32Array<ArrayBuffer>> {
    const { numHeads, numKvHeads, headDim } = this.config;
    const name = `${layer}.self_attn.o_proj.weight`;
    return await this.kept(name, numKvHeads * headDim, async () =>
      columnScales([await this.file.tensor(name)], numHeads * headDim, this.valueOf, this.power(name)),
    );
  }

  /** Beside int4 the embedding is int8. */
  private power(name: string): number {
    return this.weights === 'int4' && name !== EMBEDDING ? INT4_POWER : INT8_POWER;
  }

  /** Which column of the values a column of attention's output is made of. */
  private readonly valueOf = (column: number): number => {
    const { numHeads, numKvHeads, headDim } = this.config;
    const head = Math.floor(column / headDim);
    return Math.floor(head / (numHeads / numKvHeads)) * headDim + (column % headDim);
  };

  private perQuery(values: Float32Array): Float32Array<ArrayBuffer> {
    const { numHeads, headDim } = this.config;
    return Float32Array.from({ length: numHeads * headDim }, (_, column) => values[this.valueOf(column)]!);
  }

  private async kept(
    key: string,
    count: number,
    make: () => Promise<Float32Array<ArrayBuffer>>,
  ): Promise<Float32Array<ArrayBuffer>> {
    if (!this.isEqualised) return new Float32Array(count).fill(1);
    // a layer has four inputs, and its tensors come one after another
    if (!this.scales.has(key) && this.scales.size >= 8) this.scales.delete(this.scales.keys().next().value!);
    const found = (this.scales.get(key) as Float32Array<ArrayBuffer> | undefined) ?? (await make());
    this.scales.set(key, found);
    return found;
  }
}

/** Of a column's root mean square: see the head of this file. */
export const INT8_POWER = 0.5;
export const INT4_POWER = 1;

/**
 * A power of each column's root mean square, rows taken relative to their largest weight; 1 for a column of zeros.
 * @param matrices [any, columns] each @param into which scale a column counts for; columns that share one have it
 * together
 */
export function columnScales(
  matrices: readonly Float32Array[],
  columns: number,
  into: (column: number) => number,
  power: number,
): Float32Array<ArrayBuffer> {
  const places = Int32Array.from({ length: columns }, (_, column) => into(column));
  const count = Math.max(...places) + 1;
  const squares = new Float64Array(count);
  let rows = 0;
  for (const matrix of matrices) {
    for (let at = 0; at < matrix.length; at += columns) {
      let largest = 0;
      for (let c = 0; c < columns; c++) largest = Math.max(largest, Math.abs(matrix[at + c]!));
      if (largest === 0) continue;
      rows += 1;
      for (let c = 0; c < columns; c++) squares[places[c]!]! += (matrix[at + c]! / largest) ** 2;
    }
  }
  const each = (rows * columns) / count;
  return Float32Array.from(squares, (square) => (square > 0 ? (square / each) ** (power / 2) : 1));
}

function scaled(values: Float32Array<ArrayBuffer>, factor: number): Float32Array<ArrayBuffer> {
  return factor === 1 ? values : values.map((w) => w * factor);
}

/** Each row of [rows, any] times its factor. */
function rowsTimes(values: Float32Array<ArrayBuffer>, factors: Float32Array): Float32Array<ArrayBuffer> {
  const columns = values.length / factors.length;
  for (let r = 0, i = 0; r < factors.length; r++) for (let c = 0; c < columns; c++, i++) values[i]! *= factors[r]!;
  return values;
}

/** Each column of [any, columns] over its divisor. */
function columnsOver(values: Float32Array<ArrayBuffer>, divisors: Float32Array): Float32Array<ArrayBuffer> {
  const columns = divisors.length;
  for (let at = 0; at < values.length; at += columns) for (let c = 0; c < columns; c++) values[at + c]! /= divisors[c]!;
  return values;
}
