/** A canister as a stage of a model: whose it is, and what the first canister asks of it. */
import { canisterCycleBalance, canisterSelf, msgArgData, msgCaller, msgReject, type Principal } from 'azle';
import type { StageInfo, UploadResult } from '../../interface/llm.did.ts';
import { encodeReply, PAUSED, REPLY_INSTRUCTIONS_AT, REPLY_LOST_AT } from '../../model/stages/wire.ts';
import { declareArguments } from '../candid/arguments.ts';
import { blobInCandid, bytesOfBlob } from '../candid/blob.ts';
import type { Opt } from '../candid/opt.ts';
import { activeModel, activeStage } from '../model/model.ts';
import { cutOf, setStageCanisters, stageCanisters } from '../model/stage-here.ts';
import { requestFor } from '../model/stage-request.ts';
import { MESSAGE_BUDGET } from '../runtime/unit.ts';
import { charged, othersAccount, ownAccount } from '../sessions/billing.ts';
import { collect, settle } from '../sessions/settlement.ts';
import { notAdmin } from './access.ts';
import { belowFloor } from './admission.ts';
import { candid, declaring, typesOf } from './methods.ts';

declareArguments('stage_forward', typesOf('stage_forward').params);

/** Why the caller may not have rows worked on. */
export function notFirst(): string | undefined {
  const [first] = stageCanisters();
  if (!first) return 'stage_forward: expected a canister that is a stage, got one that set_stages was not called of';
  if (msgCaller().compareTo(first) === 'eq') return undefined;
  return `stage_forward: expected the first canister, ${first.toText()}, got ${msgCaller().toText()}`;
}

/** What was in the canister when the last request came, and what was on bills then. */
let atLast: { balance: bigint; charged: number } | undefined;

/**
 * Cycles that have gone since the last request and are on no bill: those of messages that trapped, which leave nothing
 * else behind. Storage is among them, so it means something only soon after.
 */
function lostSinceLast(): bigint {
  const now = { balance: canisterCycleBalance(), charged: charged() };
  const lost = atLast ? atLast.balance - now.balance - BigInt(Math.round(now.charged - atLast.charged)) : 0n;
  atLast = now;
  return lost > 0n ? lost : 0n;
}

export class StageMethods {
  /**
   * Rows through the layers that are here (src/model/stages/wire.ts). Update; the first canister. Traps, and changes
   * nothing, where the arena has no room for their keys and values.
   */
  @declaring('stage_forward')
  async stage_forward(): Promise<void> {
    collect();
    const lost = lostSinceLast();
    const refused = notFirst() ?? belowFloor('stage_forward');
    const answer = refused ?? forwarded();
    if (typeof answer === 'string') {
      msgReject(answer);
      settle(ownAccount);
      return;
    }
    // the first canister puts what this took on the bills of those whose rows it is about, and what was lost
    new DataView(answer.buffer, answer.byteOffset).setBigUint64(REPLY_LOST_AT, lost, true);
    const bytes = blobInCandid(answer);
    const instructionsAt = bytes.length - answer.length + REPLY_INSTRUCTIONS_AT;
    settle(othersAccount, () => ({ reply: { bytes, instructionsAt } }));
  }

  /**
   * Says which canisters have the stages of the active model, this one among them; none: it is one canister's. Update;
   * controllers and admins.
   */
  @candid()
  set_stages(canisters: Principal[]): UploadResult {
    const denied = notAdmin('set_stages');
    if (denied) return { Err: { NotController: denied } };
    const wrong = canisters.length > 0 ? wrongStages(canisters) : undefined;
    if (wrong) return { Err: { InvalidPack: `set_stages: ${wrong}` } };
    setStageCanisters(canisters);
    return { Ok: null };
  }

  /** Which stage of which model this canister is. Query; everyone. */
  @candid()
  stages(): Opt<StageInfo> {
    const stage = headHere()?.stage;
    if (!stage) return [];
    const { index, model, parts } = stage;
    const { layers, encoderLayers = { from: 0, to: 0 } } = parts[index]!;
    return [{ index, count: parts.length, model, layers, encoder_layers: encoderLayers, canisters: stageCanisters() }];
  }
}

const headHere = () => (activeModel() ?? activeStage())?.head;

function wrongStages(canisters: readonly Principal[]): string | undefined {
  const texts = canisters.map((canister) => canister.toText());
  const twice = texts.find((text, i) => texts.indexOf(text) !== i);
  if (twice) return `expected canisters that differ, got ${twice} twice`;
  const stage = headHere()?.stage;
  if (!stage) return 'expected a stage of a model to be active, got none; upload one with npm run upload -- --stages';
  if (stage.parts.length !== texts.length) return `expected ${stage.parts.length} canisters, got ${texts.length}`;
  const own = canisterSelf().toText();
  if (texts[stage.index] === own) return undefined;
  return `expected this canister, ${own}, as number ${stage.index + 1}, got ${texts[stage.index]}`;
}

/** What has come of the rows; in words, why nothing has. */
function forwarded(): Uint8Array | string {
  const stage = activeStage();
  if (!stage) return 'stage_forward: expected a stage behind the first to be active, got none; upload it';
  const request = requestFor(cutOf(stage.head), bytesOfBlob(msgArgData()));
  if (typeof request === 'string') return `stage_forward: ${request}`;
  // whoever asks to go on is told to begin anew, once all is there
  if (!stage.load(Number(MESSAGE_BUDGET))) return encodeReply({ kind: PAUSED });
  return stage.answer(request, MESSAGE_BUDGET);
}
