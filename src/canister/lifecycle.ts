/** What happens around upgrades: what is under way is written down before; after, stored data of older versions is made new, the model is brought back and sessions go on. */
import { postUpgrade, preUpgrade, setTimer, trap } from 'azle';
import { saveCallers } from './callers.ts';
import { activeModel } from './model.ts';
import { awaitsAnswers, wake } from './scheduler.ts';
import { saveLiveSessions } from './sessions.ts';
import { MESSAGE_BUDGET } from './unit.ts';

/** A message at a time, so that a large model does not hold up an upgrade, or the calls that come after it. */
function loadModel(): void {
  const model = activeModel();
  if (model && !model.load(Number(MESSAGE_BUDGET))) setTimer(0, loadModel);
  else wake();
}

export class LifecycleMethods {
  @preUpgrade
  beforeUpgrade(): void {
    const busy = awaitsAnswers();
    if (busy) trap(busy);
    saveLiveSessions();
    saveCallers();
  }

  @postUpgrade([])
  afterUpgrade(): void {
    setTimer(0, loadModel);
  }
}
