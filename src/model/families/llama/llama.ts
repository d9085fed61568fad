/**
 * A model of the Llama block at work on a machine. A prompt is the beginning of what is written: its rows go through
 * `forward` as an answer's do, as many at once as a batch holds.
 */
import type { Arena } from '../../../tensor/arena.ts';
import type { Machine } from '../../../tensor/machine.ts';
import type { BatchPrograms, StagePrograms } from '../../batch-programs.ts';
import { BatchedModel, checkLength } from '../../batched-model.ts';
import { type KvLayout, kvBytes } from '../../kv-layout.ts';
import type { Limits, Outcome } from '../../language-model.ts';
import type { Sequence } from '../../sequence.ts';
import { Errands } from '../../stages/errands.ts';
import { Stage } from '../../stages/stage.ts';
import { type Streaming, WeightPlaces } from '../../weight-places.ts';
import { contextOf, kvLayout, rowOf } from './kv-cache.ts';
import { recordLlama, recordLlamaStage } from './programs.ts';
import { type LlamaShape, layerOf, packTensors } from './tensors.ts';

/** The last token's keys are nobody's. */
const positionsOf = ({ given, capacity }: Pick<Sequence, 'given' | 'capacity'>): number => given + capacity - 1;

export class Llama extends BatchedModel<BatchPrograms> {
  readonly shape: LlamaShape;
  readonly vocabularySize: number;
  readonly limits: Limits;
  readonly hasEncoder = false;
  protected readonly ownKv: KvLayout;
  readonly stages: number;
  protected readonly errands: Errands | undefined;

  /**
   * Takes room for everything but sequences. The weights are to be put in their places before the first sequence runs.
   */
  constructor(machine: Machine, arena: Arena, shape: LlamaShape, streaming?: Streaming, epoch = 1) {
    super(
      machine,
      arena,
      (allocate) => new WeightPlaces(packTensors(shape), layerOf, allocate, streaming),
      (weights, allocate) => recordLlama(shape, weights, allocate),
    );
    this.shape = shape;
    this.vocabularySize = shape.config.vocabularySize;
    this.ownKv = kvLayout(shape);
    this.stages = shape.stage?.parts.length ?? 1;
    this.errands = shape.stage && new Errands(shape.stage.parts, epoch, false, positionsOf);
    const context = contextOf(shape.config);
    this.limits = { promptTokens: Math.max(1, context - 1), newTokens: Math.max(1, context - 1), context };
  }

  open(sourceIds: readonly number[], capacity: number, targetIds: readonly number[] = sourceIds): Sequence {
    const given = sourceIds.length;
    const { promptTokens, newTokens, context } = this.limits;
    checkLength('prompt tokens', given, promptTokens);
    checkLength('new tokens', capacity, Math.min(newTokens, context! - given));
    checkLength('target tokens', targetIds.length, given + capacity);
    this.checkIds(targetIds);
    if (targetIds.length < given || sourceIds.some((id, i) => targetIds[i] !== id)) {
      throw new RangeError('open: expected target ids that begin with the prompt, got others');
    }
    return this.sequence({ sourceIds: [...sourceIds], targetIds: [...targetIds], given, capacity });
  }

  fork(first: Sequence): Sequence {
    return { ...this.sequence({ ...first, targetIds: [...first.targetIds] }), forkOf: first };
  }

  private sequence(ids: Pick<Sequence, 'sourceIds' | 'targetIds' | 'given' | 'capacity'>): Sequence {
    const cache = this.arena.allocate(kvBytes(this.ownKv, positionsOf(ids)));
    const { sourceIds, targetIds, given, capacity } = ids;
    const row = rowOf(this.ownKv, cache);
    return { sourceIds, targetIds, given, capacity, caches: [cache], row, phase: 'decode', cached: 0 };
  }

  close(sequence: Sequence): void {
    this.arena.release(sequence.caches[0]!);
    this.interrupt(sequence);
    this.errands?.close(sequence);
  }

  encode(): Outcome {
    return 'done';
  }

  encoding(): Uint8Array {
    throw new Error('encoding: expected a model with an encoder, got a decoder-only one');
  }

  useEncoding(): Outcome {
    return 'done';
  }

  protected prepare(): Outcome {
    return 'done';
  }

  /** Nothing: a prompt has no programs of its own. */
  protected writePrompt(): void {}
}

/** A stage behind the first. */
export class LlamaStage extends Stage<StagePrograms> {
  protected readonly ownKv: KvLayout;
  protected readonly prompt = undefined;

  constructor(machine: Machine, arena: Arena, shape: LlamaShape, streaming?: Streaming) {
    super(
      machine,
      arena,
      (allocate) => new WeightPlaces(packTensors(shape), layerOf, allocate, streaming),
      (weights, allocate) => recordLlamaStage(shape, weights, allocate),
    );
    this.ownKv = kvLayout(shape);
  }

  protected rowOf(self: number): Uint32Array {
    return rowOf(this.ownKv, self);
  }
}
