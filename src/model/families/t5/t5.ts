/**
 * A T5 at work on a machine. A sequence goes from its prompt to its first logits by three programs: `encode`, `cross`,
 * and `forward`, which all further tokens take too, a batch of rows at a time.
 */
import type { Arena } from '../../../tensor/arena.ts';
import type { Machine } from '../../../tensor/machine.ts';
import { BatchedModel, checkLength, type Leave } from '../../batched-model.ts';
import { type KvLayout, kvBytes } from '../../kv-layout.ts';
import type { Limits, Outcome } from '../../language-model.ts';
import { MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH } from '../../limits.ts';
import type { Sequence } from '../../sequence.ts';
import { Errands } from '../../stages/errands.ts';
import { type PromptPart, Stage } from '../../stages/stage.ts';
import { CROSS as CROSS_KEYS, ENCODE } from '../../stages/wire.ts';
import { type Streaming, WeightPlaces } from '../../weight-places.ts';
import { CROSS, decoderKv, promptWords, rowOf, SELF } from './kv-caches.ts';
import { recordT5, recordT5Stage, type T5Programs, type T5StagePrograms } from './programs.ts';
import { layerOf, packTensors, type T5Shape } from './tensors.ts';

export class T5 extends BatchedModel<T5Programs> {
  readonly shape: T5Shape;
  readonly vocabularySize: number;
  readonly limits: Limits = { promptTokens: MAX_SOURCE_LENGTH, newTokens: MAX_TARGET_LENGTH };
  readonly hasEncoder = true;
  protected readonly ownKv: KvLayout;
  readonly stages: number;
  protected readonly errands: Errands | undefined;
  /** The sequence whose prompt's encoding stands in `programs.encoded`. */
  private encodedFor: Sequence | undefined;

  /**
   * Takes room for everything but sequences. The weights are to be put in their places before the first sequence runs.
   */
  constructor(machine: Machine, arena: Arena, shape: T5Shape, streaming?: Streaming, epoch = 1) {
    super(
      machine,
      arena,
      (allocate) => new WeightPlaces(packTensors(shape), layerOf, allocate, streaming),
      (weights, allocate) => recordT5(shape, weights, allocate),
    );
    this.shape = shape;
    this.vocabularySize = shape.config.vocabularySize;
    this.ownKv = decoderKv(shape);
    this.stages = shape.stage?.parts.length ?? 1;
    this.errands = shape.stage && new Errands(shape.stage.parts, epoch, true, ({ capacity }) => capacity);
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
    this.errands?.close(sequence);
    if (this.encodedFor === sequence) this.encodedFor = undefined;
  }

  encode(sequence: Sequence, budget?: bigint): Outcome {
    if (sequence.phase !== 'encode') return 'done';
    const may = this.mayRun([sequence]);
    if (may !== 'done') return may;
    // where another's encoding is, that of this one will be
    this.encodedFor = undefined;
    const { encode, encodedFrom, promptHidden } = this.programs;
    const leave = this.errands?.encodesElsewhere
      ? this.leaveWith(sequence, ENCODE, { at: encodedFrom, area: promptHidden })
      : undefined;
    const outcome = this.runOwn(sequence, encode, sequence.sourceIds.length, budget, leave);
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
    // what its encoder may have under way is not needed, and would be taken for what comes next
    this.interrupt(sequence);
    const may = this.mayRun([sequence]);
    if (may !== 'done') return may;
    if (encoding.length !== this.encodingBytes(sequence)) {
      throw new RangeError(`useEncoding: expected ${this.encodingBytes(sequence)} bytes, got ${encoding.length}`);
    }
    this.machine.write(this.encodedAt, encoding);
    sequence.phase = 'cross';
    this.encodedFor = sequence;
    return 'done';
  }

  /** One whose encoding another has overwritten meanwhile goes back to `encode`. */
  protected prepare(sequence: Sequence, budget?: bigint): Outcome {
    if (sequence.phase === 'decode') return 'done';
    const may = this.mayRun([sequence]);
    if (may !== 'done') return may;
    if (sequence.phase === 'cross' && !this.running && this.encodedFor !== sequence) sequence.phase = 'encode';
    const outcome = this.encode(sequence, budget);
    if (outcome !== 'done') return outcome;
    const { cross, encoded } = this.programs;
    const leave = this.errands && this.leaveWith(sequence, CROSS_KEYS, { at: cross.words.length, area: encoded });
    const crossed = this.runOwn(sequence, cross, sequence.sourceIds.length, budget, leave);
    if (crossed === 'done') sequence.phase = 'decode';
    return crossed;
  }

  /** How rows of a prompt go to the other stages: their keys and values are the sequence's there too. */
  private leaveWith(
    sequence: Sequence,
    kind: typeof ENCODE | typeof CROSS_KEYS,
    of: Pick<Leave, 'at' | 'area'>,
  ): Leave {
    const isCross = kind === CROSS_KEYS;
    const rows = sequence.sourceIds.map((_, i) => [isCross ? sequence : undefined, i] as const);
    const back = isCross ? 0 : rows.length;
    return {
      load: { kind, sequences: [sequence], rows, back, ...(isCross && { prompt: sequence }) },
      ...of,
      state: 'here',
    };
  }

  private get encodedAt(): number {
    return this.programs.encoded.at as number;
  }

  protected writePrompt(sequence: Sequence): void {
    const { prompt, encoderCache } = this.programs;
    this.machine.write(
      prompt,
      new Uint8Array(promptWords(this.shape, encoderCache, sequence.sourceIds, sequence.caches[CROSS]!).buffer),
    );
  }
}

/** A stage behind the first: layers of both stacks. */
export class T5Stage extends Stage<T5StagePrograms> {
  protected readonly ownKv: KvLayout;
  protected readonly prompt: PromptPart;
  private readonly shape: T5Shape;

  constructor(machine: Machine, arena: Arena, shape: T5Shape, streaming?: Streaming) {
    super(
      machine,
      arena,
      (allocate) => new WeightPlaces(packTensors(shape), layerOf, allocate, streaming),
      (weights, allocate) => recordT5Stage(shape, weights, allocate),
    );
    this.shape = shape;
    this.ownKv = decoderKv(shape);
    const { encodeLayers, cross, prompt, promptHidden, encoded, encoderCache } = this.programs;
    this.prompt = {
      encodeLayers,
      cross,
      table: prompt,
      hidden: promptHidden,
      encoded,
      most: MAX_SOURCE_LENGTH,
      wordsOf: (sourceLength, at) => promptWords(shape, encoderCache, new Uint32Array(sourceLength), at),
      crossBytes: (sourceLength) => kvBytes(this.ownKv, sourceLength),
    };
  }

  protected rowOf(self: number, cross: number, sourceLength: number): Uint32Array {
    return rowOf(this.shape, sourceLength, self, cross);
  }
}
