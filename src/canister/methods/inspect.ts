/**
 * `inspect_message` refuses early, at no cost, what the methods would refuse anyway. Nothing relies on it, since calls
 * from canisters do not pass it.
 */
import { inspectMessage, msgMethodName, trap } from 'azle';
import { isMethod, wrongArguments } from '../candid/arguments.ts';
import { notAdmin, notAllowed } from './access.ts';
import { asking, keepers, onlyQueries } from './admission.ts';
import { notLetIn } from './http-gate.ts';
import { notFirst } from './stages.ts';

export class InspectMethods {
  /** Ingress only; a refusal says why by trapping, which costs the canister nothing, as all that happens here. */
  @inspectMessage({ manual: true })
  inspect(): boolean {
    const method = msgMethodName();
    // one that is not there would be charged as a message
    if (!isMethod(method)) trap(`${method}: expected a method of this canister, got another name`);
    const denied = keepers.has(method) ? notAdmin(method) : asking.has(method) ? notAllowed(method) : undefined;
    const refused =
      denied ??
      wrongArguments(method) ??
      (method === 'http_request_update' ? notLetIn() : method === 'stage_forward' ? notFirst() : undefined);
    if (refused) trap(refused);
    const instead = onlyQueries[method];
    if (instead) trap(`${method}: expected a query call, got an update call; use ${instead}`);
    return true;
  }
}
