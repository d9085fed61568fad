/** A fixture's model over several stages in one process: each on a machine of its own, asked as canisters are. */
import { createHash } from 'node:crypto';
import type { StagePrograms } from '../../../src/model/batch-programs.ts';
import { openModel, openStage, shapeOf } from '../../../src/model/families/registry.ts';
import type { LanguageModel } from '../../../src/model/language-model.ts';
import { convert } from '../../../src/model/pack/convert.ts';
import { cutStage } from '../../../src/model/pack/cut.ts';
import { decodePackHead, type OpenedHead, packHeadBytes } from '../../../src/model/pack/pack.ts';
import type { Errand } from '../../../src/model/stages/errands.ts';
import type { Stage } from '../../../src/model/stages/stage.ts';
import type { StagePart } from '../../../src/model/stages/stage-plan.ts';
import type { WeightsKind } from '../../../src/model/tensor-table.ts';
import { withCheckpoint } from '../../../src/node/model/model-folder.ts';
import { Arena } from '../../../src/tensor/arena.ts';
import type { Machine } from '../../../src/tensor/machine.ts';
import { FixtureModel, folder } from '../generation/models.ts';

/** Bytes that grow as they are written. */
export class Bytes {
  bytes = new Uint8Array(0);
  readonly write = (at: number, piece: Uint8Array): void => {
    if (at + piece.length > this.bytes.length) {
      const grown = new Uint8Array(at + piece.length);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes.set(piece, at);
  };
}

export const opened = ({ bytes }: Bytes): OpenedHead =>
  decodePackHead(bytes.subarray(0, packHeadBytes(bytes)), bytes.length);

/** A fixture's pack. */
export async function packOf(name: string, weights: WeightsKind, tokenizer = new Uint8Array(0)): Promise<Bytes> {
  const whole = new Bytes();
  await withCheckpoint(folder(name), (checkpoint) =>
    convert(checkpoint, weights, tokenizer, whole, createHash('sha256')),
  );
  return whole;
}

/** The packs of its stages. */
export async function cutPacks(whole: Bytes, parts: readonly StagePart[]): Promise<Bytes[]> {
  const read = (at: number, size: number): Uint8Array => whole.bytes.subarray(at, at + size);
  const packs = parts.map(() => new Bytes());
  for (const [i, pack] of packs.entries()) await cutStage(opened(whole), parts, i, read, pack, createHash('sha256'));
  return packs;
}

type AnyStage = Stage<StagePrograms>;

const loadInto = (model: LanguageModel | AnyStage, pack: Bytes, head: OpenedHead, machine: Machine): void =>
  model.weights.put(0, pack.bytes.subarray(head.weightsOffset, head.weightsOffset + head.weightsBytes), (at, piece) =>
    machine.write(at, piece),
  );

export class StagedModel extends FixtureModel {
  /** What went to a stage and came back, in bytes. */
  readonly asked: { stage: number; request: number; reply: number }[] = [];

  private constructor(
    lm: LanguageModel,
    head: OpenedHead,
    readonly others: AnyStage[],
    private readonly reopen: (stage: number) => AnyStage,
  ) {
    super(lm, head.config, head.generation);
  }

  static async cut(
    name: string,
    weights: WeightsKind,
    parts: readonly StagePart[],
    machine: () => Machine,
    whole?: Bytes,
  ): Promise<StagedModel> {
    const packs = await cutPacks(whole ?? (await packOf(name, weights)), parts);
    const heads = packs.map(opened);
    const openOne = (i: number): LanguageModel | AnyStage => {
      const [head, unit] = [heads[i]!, machine()];
      const shape = shapeOf(head, head.config);
      const arena = new Arena(unit);
      const model = i === 0 ? openModel(unit, arena, shape, undefined, 7) : openStage(unit, arena, shape);
      loadInto(model, packs[i]!, head, unit);
      return model;
    };
    const [first, ...others] = heads.map((_, i) => openOne(i));
    const reopen = (stage: number): AnyStage => openOne(stage) as AnyStage;
    return new StagedModel(first as LanguageModel, heads[0]!, others as AnyStage[], reopen);
  }

  /** A stage loses its memory, as by an upgrade. */
  restart(stage: number): void {
    this.others[stage - 1] = this.reopen(stage);
  }

  /** Bytes of rows that a call carries at most. */
  set mostBytes(bytes: number) {
    (this.lm as unknown as { errands: { mostBytes: number } }).errands.mostBytes = bytes;
  }

  /** What is asked and not answered, in the order in which it was. */
  readonly pending: Errand[] = [];

  /**
   * Has one errand done that is to be done, if there is one.
   * @param pick of so many stages that are asked, whose turn it is; requests to a stage keep their order
   */
  errand(budget?: bigint, pick = (_: number) => 0): boolean {
    const errand = this.nextErrand(pick);
    if (errand) this.doErrand(errand, budget);
    return errand !== undefined;
  }

  /** Takes one out of those that are pending. */
  nextErrand(pick = (_: number) => 0): Errand | undefined {
    for (let errand = this.lm.takeErrand(); errand; errand = this.lm.takeErrand()) this.pending.push(errand);
    const firsts = this.pending.filter(({ stage }, i) => this.pending.findIndex((one) => one.stage === stage) === i);
    const errand = firsts[pick(firsts.length)];
    if (errand) this.pending.splice(this.pending.indexOf(errand), 1);
    return errand;
  }

  doErrand(errand: Errand, budget?: bigint): void {
    const reply = this.others[errand.stage - 1]!.answer(errand.request, budget);
    this.asked.push({ stage: errand.stage, request: errand.request.length, reply: reply.length });
    this.lm.answerErrand(errand, reply);
  }
}
