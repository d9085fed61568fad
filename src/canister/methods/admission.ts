/**
 * Which methods are whose, and the floor of cycles: below `min_cycles` the canister keeps what it has, and refuses at
 * once whatever costs it anything. What its keepers do goes on, and so do queries that say how it is; those that are
 * called as queries cost nothing.
 */
import { canisterCycleBalance, isController, msgCaller } from 'azle';
import { settings } from '../storage/settings.ts';

/** For controllers and admins. */
export const keepers: ReadonlySet<string> = new Set([
  'upload_start',
  'upload_chunk',
  'upload_commit',
  'upload_store',
  'upload_abort',
  'model_activate',
  'model_delete',
  'set_settings',
  'set_stages',
  'set_role',
  'roles',
  'clear_queue',
]);
/** For whom `access` lets. */
export const asking: ReadonlySet<string> = new Set([
  'generate',
  'generate_with',
  'chat',
  'choose',
  'choose_chat',
  'start',
  'start_chat',
  'v0_chat',
  'v1_chat',
  'resume',
]);
/** Queries that as an update call would cost up to 5 B cycles, past every limit, and what to call instead. */
export const onlyQueries: Readonly<Record<string, string>> = {
  choose_query: 'choose',
  choose_chat_query: 'choose_chat',
  generate_query: 'generate',
};
/** Queries whose answer costs some 10 M instructions as an update call. */
const cheap: ReadonlySet<string> = new Set([
  'model_certificate',
  'model_info',
  'models',
  'progress',
  'quote',
  'receipt',
  'settings',
  'stages',
  'status',
  'upload_status',
]);
/** What sees no session, or counts them only, and has no quota: it is answered while an upgrade is gone through. */
export const sessionless: ReadonlySet<string> = new Set([
  'count_tokens',
  'http_request',
  'http_request_update',
  'model_certificate',
  'model_info',
  'models',
  'quote',
  'receipt',
  'roles',
  'set_role',
  'set_settings',
  'settings',
  'stage_forward',
  'stages',
  'status',
  'upload_chunk',
  'upload_status',
]);
/** What ends work or looks at it: controllers may below the floor, too. */
const tidying: ReadonlySet<string> = new Set(['cancel', 'delete', 'list', 'resume']);

/** Why no new work is taken: cycles are below the floor. */
export function lacksCycles(method: string): string | undefined {
  const { min_cycles } = settings();
  const cycles = canisterCycleBalance();
  return cycles < min_cycles
    ? `${method}: expected ${min_cycles} cycles in the canister, got ${cycles}; top it up`
    : undefined;
}

/** Why the call in hand, which the canister pays for, is refused unread: cycles are below the floor. */
export function belowFloor(method: string): string | undefined {
  if (cheap.has(method) || keepers.has(method)) return undefined;
  const poor = lacksCycles(method);
  return poor !== undefined && tidying.has(method) && isController(msgCaller()) ? undefined : poor;
}
