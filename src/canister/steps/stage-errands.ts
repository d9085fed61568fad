/**
 * What the first canister of a model in stages asks the others: the rows of a step go there and come back
 * (src/model/stages). One errand is under way at a time. Where it comes to nothing, the step begins anew with the next
 * message: sessions stand at their last token, as after a message that trapped.
 */
import { call, type Principal } from 'azle';
import type { Errand } from '../../model/stages/errands.ts';
import { callFees } from '../../service/bill.ts';
import { blobInCandid, bytesOfBlob } from '../candid/blob.ts';
import { type Model, readyModel } from '../model/model.ts';
import { cutOf, stageCanisters } from '../model/stage-here.ts';
import { withCut } from '../model/stage-request.ts';
import { now } from '../runtime/time.ts';

/** Who has had no answer for so long asks again. */
const LATE_MS = 120_000;

/** Errands whose answers are not there yet, and when each was sent. */
const asked = new Map<Errand, number>();

/** What a stage is to be asked before anything else can be done. */
export const errandNow = (): Errand | undefined => readyModel()?.languageModel.errand;

/** Whether an answer may yet come. */
export const isAway = (): boolean => {
  const errand = errandNow();
  return errand !== undefined && (asked.get(errand) ?? 0) > now() - LATE_MS;
};

/** Errands that came to nothing, one after the other. */
let inVain = 0;
export const errandsInVain = (): number => inVain;

/** Errands that an upgrade must not come between. */
export const errandsUnderWay = (): number => asked.size;

/** What a call carries and costs. */
export const errandFees = (errand: Errand): number => callFees(errand.request.length + 600);

/** Why a stage has not done what it was asked, in the form of a call's error. */
export class StageError extends Error {
  readonly type: string | undefined;
  readonly rejectCode: number | undefined;
  readonly rejectMessage: string;

  constructor(where: string, error: { type?: string; rejectCode?: number; rejectMessage?: string; message?: string }) {
    const message = `${where}: ${error.rejectMessage ?? error.message ?? error.type ?? String(error)}`;
    super(message);
    this.rejectMessage = message;
    this.rejectCode = error.rejectCode;
    this.type = error.type;
  }
}

/**
 * Asks a stage, and takes what it answers.
 * @throws StageError that names it
 */
export async function ask(errand: Errand): Promise<void> {
  const model = readyModel()!;
  const canister = stageCanisters()[errand.stage];
  const where = `stage ${errand.stage + 1} of ${model.languageModel.stages} (${canister?.toText() ?? 'no canister'})`;
  if (!canister) throw new StageError(where, { message: 'expected set_stages to say which canister it is' });
  asked.set(errand, now());
  try {
    const reply = await send(canister, model, errand);
    model.languageModel.answerErrand(errand, bytesOfBlob(reply));
    inVain = 0;
  } catch (error) {
    // in the cleanup of a callback that trapped nothing else can be done
    if ((error as { type?: string }).type === 'CleanupCallback') throw error;
    inVain += 1;
    if (model.languageModel.errand === errand) model.languageModel.giveUpErrand();
    throw new StageError(where, error as Error);
  } finally {
    asked.delete(errand);
  }
}

const send = (canister: Principal, { head }: Model, { request }: Errand): Promise<Uint8Array> =>
  call<Uint8Array>(canister, 'stage_forward', { raw: true, args: blobInCandid(withCut(cutOf(head), request)) });
