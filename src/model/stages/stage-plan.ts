/**
 * How a model is cut into stages. A stage has some of the layers, and one after another they are the whole model. The
 * first has all that is not in a layer too: the embedding, the norms behind the layers, and the head. So ids and
 * logits are the first stage's alone, and the others see rows of numbers.
 */

/** Layers from `from` up to `to`, which is left out. */
export interface LayerRange {
  from: number;
  to: number;
}

/** The layers of a stage. */
export interface StagePart {
  /** Of the decoder: at least one, but that the first stage, which has the embedding and the head, may have none. */
  layers: LayerRange;
  /** Of the encoder, where a model has one; there may be none. */
  encoderLayers?: LayerRange;
}

/** Which stage this is, and what all of them have. */
export interface StageOf {
  index: number;
  parts: readonly StagePart[];
}

/** How many layers a model has. */
export interface LayerCounts {
  layers: number;
  /** 0 of a decoder-only model. */
  encoderLayers: number;
}

export const sizeOf = ({ from, to }: LayerRange): number => to - from;

/** The layers that are here: those of the stage, or all. */
export const rangeOf = (stage: StageOf | undefined, of: 'layers' | 'encoderLayers', all: number): LayerRange =>
  stage ? (stage.parts[stage.index]![of] ?? { from: 0, to: 0 }) : { from: 0, to: all };

/** Whether what is in no layer is here. */
export const isFirst = (stage: StageOf | undefined): boolean => stage === undefined || stage.index === 0;

export const isWithin = ({ from, to }: LayerRange, layer: number): boolean => layer >= from && layer < to;

/**
 * Cuts a model into stages with about as many bytes each.
 * @param bytesOf of a layer's weights
 * @param besides bytes of what the first stage has besides layers
 * @throws RangeError where there are more stages than layers, or only one
 */
export function planStages(
  { layers, encoderLayers }: LayerCounts,
  stages: number,
  bytesOf: (of: 'layers' | 'encoderLayers', layer: number) => number,
  besides: number,
): StagePart[] {
  if (!Number.isInteger(stages) || stages < 2 || stages > layers + 1)
    throw new RangeError(`stages: expected 2 to ${layers + 1} stages of a model of ${layers} layers, got ${stages}`);
  const decoder = cut(layers, stages, (layer) => bytesOf('layers', layer), besides, 1);
  if (encoderLayers === 0) return decoder.map((range) => ({ layers: range }));
  const encoder = cut(encoderLayers, stages, (layer) => bytesOf('encoderLayers', layer), besides, 0);
  return decoder.map((range, i) => ({ layers: range, encoderLayers: encoder[i]! }));
}

/**
 * Cuts a row of layers: each stage takes layers until it has its share of what is left, and leaves
 * enough to others.
 */
function cut(
  layers: number,
  stages: number,
  bytesOf: (layer: number) => number,
  besides: number,
  least: number,
): LayerRange[] {
  const bytes = Array.from({ length: layers }, (_, layer) => bytesOf(layer));
  let left = besides + bytes.reduce((sum, b) => sum + b, 0);
  let from = 0;
  return Array.from({ length: stages }, (_, stage) => {
    const others = stages - stage - 1;
    const share = left / (others + 1);
    let has = stage === 0 ? besides : 0;
    let to = from;
    const room = (): boolean => to < layers - least * others;
    // the middle of a layer decides whose it is
    const few = stage > 0 ? least : 0;
    while (room() && (to - from < few || others === 0 || has + bytes[to]! / 2 < share)) has += bytes[to++]!;
    left -= has;
    const range = { from, to };
    from = to;
    return range;
  });
}

/**
 * Reads a plan that somebody wrote down.
 * @throws Error naming what is wrong in it
 */
export function checkStage(stage: StageOf, { layers, encoderLayers }: LayerCounts, where: string): StageOf {
  const { index, parts } = stage ?? {};
  if (!Array.isArray(parts) || parts.length < 2 || parts.length > layers + 1)
    throw new Error(
      `${where}: expected 2 to ${layers + 1} parts, got ${Array.isArray(parts) ? parts.length : typeof parts}`,
    );
  if (!Number.isInteger(index) || index < 0 || index >= parts.length)
    throw new Error(`${where}: expected an index from 0 to ${parts.length - 1}, got ${index}`);
  const follow = (of: 'layers' | 'encoderLayers', all: number, least: number): void => {
    let next = 0;
    for (const [i, part] of parts.entries()) {
      const { from, to } = part?.[of] ?? {};
      if (from !== next || !Number.isInteger(to) || to < from + (i > 0 ? least : 0) || to > all)
        throw new Error(`${where}: expected ${of} from ${next} to at most ${all}, got ${from} to ${to}`);
      next = to;
    }
    if (next !== all) throw new Error(`${where}: expected ${of} up to ${all}, got up to ${next}`);
  };
  follow('layers', layers, 1);
  if (encoderLayers > 0) follow('encoderLayers', encoderLayers, 0);
  return { index, parts };
}
