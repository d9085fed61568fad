/** What happens around upgrades: sessions under way are written down before, the model is brought back after, without anyone asking. */
import { postUpgrade, preUpgrade, setTimer } from 'azle';
import { activeModel } from './model.ts';
import { saveLiveSessions } from './sessions.ts';
import { MESSAGE_BUDGET } from './unit.ts';

/** A message at a time, so that a large model does not hold up an upgrade, or the calls that come after it. */
function loadModel(): void {
  const model = activeModel();
  if (model && !model.load(Number(MESSAGE_BUDGET))) setTimer(0, loadModel);
}

export class LifecycleMethods {
  @preUpgrade
  beforeUpgrade(): void {
    saveLiveSessions();
  }

  @postUpgrade([])
  afterUpgrade(): void {
    setTimer(0, loadModel);
  }
}
