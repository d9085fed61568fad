/**
 * What happens around upgrades: before, what is under way is written down; after, stable memory is brought to this
 * program's layout, the model comes back and sessions go on, without anyone asking.
 */
import { init, postUpgrade, preUpgrade, setTimer, trap } from 'azle';
import { prepareArguments } from '../candid/arguments.ts';
import { certifyStoredReceipts } from '../certification/receipts.ts';
import { activeModel, activeStage, certifyModel } from '../model/model.ts';
import { prepareText } from '../runtime/native-text.ts';
import { MESSAGE_BUDGET } from '../runtime/unit.ts';
import { saveQuotas } from '../sessions/billing.ts';
import { saveLiveSessions } from '../sessions/sessions.ts';
import { awaitsAnswers, wake, watchOver } from '../steps/scheduler.ts';
import { allotBlocks, NoStableRoom, writeMailbox } from '../storage/blocks.ts';
import { migrate } from '../storage/migrations.ts';
import { beginSettings } from '../storage/settings.ts';
import { chunksOfLayout3, encodings, records, sessionRecords, usesOfLayout4 } from '../storage/stable.ts';

/** A message at a time, so that a large model does not hold up an upgrade, or the calls that come after it. */
function loadModel(): void {
  const model = activeModel() ?? activeStage();
  if (model && !model.load(Number(MESSAGE_BUDGET))) setTimer(0, loadModel);
  else wake();
}

const bringUpToDate = (): void =>
  migrate({
    records,
    sessions: sessionRecords,
    encodings,
    encodingUses: usesOfLayout4,
    chunks: chunksOfLayout3,
    allotBlocks,
    writeBlocks: writeMailbox,
  });

export class LifecycleMethods {
  @init([])
  begin(): void {
    prepareArguments();
    prepareText();
    bringUpToDate();
    beginSettings();
    certifyModel();
    certifyStoredReceipts();
  }

  /** Traps while calls wait for answers, which would come to a program that is no more: stop the canister first. */
  @preUpgrade
  beforeUpgrade(): void {
    const busy = awaitsAnswers();
    if (busy) trap(busy);
    saveLiveSessions();
    try {
      saveQuotas();
    } catch (error) {
      // an upgrade is not refused for want of room
      if (!(error instanceof NoStableRoom)) throw error;
      console.log(`what callers were given today could not be written down: ${error.message}`);
    }
  }

  @postUpgrade([])
  afterUpgrade(): void {
    prepareArguments();
    prepareText();
    bringUpToDate();
    certifyModel();
    certifyStoredReceipts();
    console.log('upgraded');
    setTimer(0, loadModel);
    watchOver();
  }
}
