/**
 * A T5 at work on a machine. A sequence goes from its prompt to its first logits by three programs: `encode`, `cross`,
 * and `forward`, which all further tokens take too, a batch of rows at a time.
 */
import type { Arena } from '../../../tensor/arena.ts';
import type { Machine } from '../../../tensor/machine.ts';
import { BatchedModel, checkLength } from '../../batched-model.ts';
import { type KvLayout, kvBytes } from '../../kv-layout.ts';
import type { Limits, Outcome } from '../../language-model.ts';
import { MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH } from '../../limits.ts';
import type { Sequence } from '../../sequence.ts';
import { type Streaming, WeightPlaces } from '../../weight-places.ts';
import { CROSS, decoderKv, promptWords, rowOf, SELF } from './kv-caches.ts';
import { recordT5, type T5Programs } from './programs.ts';
import { layerOf, packTensors, type T5Shape } from './tensors.ts';

export class T5 extends BatchedModel<T5Programs> {
  readonly shape: T5Shape;
  readonly vocabularySize: number;
  readonly limits: Limits = { promptTokens: MAX_SOURCE_LENGTH, newTokens: MAX_TARGET_LENGTH };
  readonly hasEncoder = true;
  protected readonly ownKv: KvLayout;
  /** The sequence whose prompt's encoding stands in `programs.encoded`. */
  private encodedFor: Sequence | undefined;

  /**
   * Takes room for everything but sequences. The weights are to be put in their places before the first sequence runs.
   */
  constructor(machine: Machine, arena: Arena, shape: T5Shape, streaming?: Streaming) {
    super(
      machine,
      arena,
      (allocate) => new WeightPlaces(packTensors(shape), layerOf, allocate, streaming),
      (weights, allocate) => recordT5(shape, weights, allocate),
    );
    this.shape = shape;
    this.vocabularySize = shape.config.vocabularySize;
    this.ownKv = decoderKv(shape);
  }

  open(sourceIds: readonly number[], capacity: number, targetIds?: readonly number[]): Sequence {
    const target = [...(targetIds ?? [this.shape.config.decoderStartTokenId])];
    checkLength('prompt tokens', sourceIds.length, MAX_SOURCE_LENGTH);
    checkLength('new tokens', capacity, MAX_TARGET_LENGTH);
    checkLength('target tokens', target.length, capacity);
    this.checkIds(sourceIds);
    this.checkIds(target);
    const cross = this.arena.allocate(kvBytes(this.ownKv, sourceIds.length));
    const self = this.allocateSelf(cross, capacity);
    const row = rowOf(this.shape, sourceIds.length, self, cross);
    const caches = [self, cross];
    return {
      sourceIds: [...sourceIds],
      targetIds: target,
      given: 1,
      capacity,
      caches,
      row,
      phase: 'encode',
      cached: 0,
    };
  }

  private allocateSelf(cross: number, capacity: number): number {
    try {
      return this.arena.allocate(kvBytes(this.ownKv, capacity));
    } catch (error) {
      this.arena.release(cross);
      throw error;
    }
  }

  fork(first: Sequence): Sequence {
    const self = this.arena.allocate(kvBytes(this.ownKv, first.capacity));
    const caches = [self, first.caches[CROSS]!];
    const row = rowOf(this.shape, first.sourceIds.length, self, first.caches[CROSS]!);
    return { ...first, targetIds: [...first.targetIds], caches, row, forkOf: first, phase: 'decode', cached: 0 };
  }

  close(sequence: Sequence): void {
    this.arena.release(sequence.caches[SELF]!);
    if (!sequence.forkOf) this.arena.release(sequence.caches[CROSS]!);
    this.interrupt(sequence);
    if (this.encodedFor === sequence) this.encodedFor = undefined;
  }

  encode(sequence: Sequence, budget?: bigint): Outcome {
    if (sequence.phase !== 'encode') return 'done';
    if (!this.mayRun([sequence])) return 'busy';
    if (!this.running) {
      this.encodedFor = undefined;
      this.writePrompt(sequence);
    }
    const outcome = this.runOwn(sequence, this.programs.encode, sequence.sourceIds.length, budget);
    if (outcome === 'done') {
      sequence.phase = 'cross';
      this.encodedFor = sequence;
    }
    return outcome;
  }

  /** float32 [S, D padded] of the sequence that was encoded last. */
  encoding(sequence: Sequence): Uint8Array {
    if (this.encodedFor !== sequence)
      throw new Error('encoding: expected the sequence that was encoded last, got another');
    return this.machine.read(this.encodedAt, this.encodingBytes(sequence));
  }

  encodingBytes(sequence: Sequence): number {
    return sequence.sourceIds.length * this.programs.encoded.cols * 4;
  }

  useEncoding(sequence: Sequence, encoding: Uint8Array): Outcome {
    if (!this.mayRun([sequence])) return 'busy';
    if (encoding.length !== this.encodingBytes(sequence)) {
      throw new RangeError(`useEncoding: expected ${this.encodingBytes(sequence)} bytes, got ${encoding.length}`);
    }
    this.machine.write(this.encodedAt, encoding);
    this.writePrompt(sequence);
    sequence.phase = 'cross';
    this.encodedFor = sequence;
    return 'done';
  }

  /** One whose encoding another has overwritten meanwhile goes back to `encode`. */
  protected prepare(sequence: Sequence, budget?: bigint): Outcome {
    if (sequence.phase === 'decode') return 'done';
    if (sequence.phase === 'cross' && this.encodedFor !== sequence) sequence.phase = 'encode';
    const outcome = this.encode(sequence, budget);
    if (outcome !== 'done') return outcome;
    const crossed = this.runOwn(sequence, this.programs.cross, sequence.sourceIds.length, budget);
    if (crossed === 'done') sequence.phase = 'decode';
    return crossed;
  }

  private get encodedAt(): number {
    return this.programs.encoded.at as number;
  }

  private writePrompt(sequence: Sequence): void {
    const { prompt, encoderCache } = this.programs;
    this.machine.write(prompt, new Uint8Array(promptWords(this.shape, encoderCache, sequence).buffer));
  }
}
