/**
 * Who may do what: controllers may everything, admins what keeps the service running, users what the access setting
 * allows.
 */
import { canisterSelf, isController, msgCaller, Principal } from 'azle';
import type {
  AdminError,
  ClearResult,
  Role,
  RoleEntry,
  RolesResult,
  Settings,
  SettingsChange,
  SettingsResult,
} from '../../interface/llm.did.ts';
import { type RoleName, Roles } from '../../service/roles.ts';
import { anonymous } from '../runtime/anonymous.ts';
import { keepHouse } from '../runtime/housekeeping.ts';
import { endAll } from '../sessions/sessions.ts';
import { lacksStableRoom } from '../storage/blocks.ts';
import { changeSettings, settings, settingsInCandid } from '../storage/settings.ts';
import { readBytes, writeBytes } from '../storage/stable.ts';
import { candid } from './methods.ts';

const MAX_ROLES = 2_000;
const ROLES = 'role_table';

let known: Roles | undefined;

function roles(): Roles {
  known ??= new Roles(readBytes(ROLES));
  return known;
}

const roleOf = (who: Principal): RoleName | undefined => roles().get(who.toUint8Array());

export const isAdmin = (caller: Principal): boolean => roleOf(caller) === 'admin' || isController(caller);

/** Why the caller may not keep the canister. */
export function notAdmin(method: string): string | undefined {
  const caller = msgCaller();
  if (isAdmin(caller)) return undefined;
  return `${method}: expected a controller of ${canisterSelf().toText()} or an admin, got ${caller.toText()}`;
}

/** Why the caller may not ask. */
export function notAllowed(method: string, caller = msgCaller()): string | undefined {
  const { access } = settings();
  if (access === 'public') return undefined;
  const who = caller.toText();
  if (access === 'signed_in' && who !== anonymous) return undefined;
  if (roleOf(caller) !== undefined || isController(caller)) return undefined;
  const wanted = access === 'signed_in' ? 'a caller who is signed in' : 'a caller on the allow list';
  return `${method}: expected ${wanted}, got ${who === anonymous ? 'the anonymous one' : who}`;
}

const adminError = (message: string): { Err: AdminError } => ({ Err: { NotAllowed: message } });

const allRoles = (): RoleEntry[] =>
  roles()
    .all()
    .map(({ principal, role }) => ({ who: Principal.fromUint8Array(principal), role: { [role]: null } as Role }));

export class AccessMethods {
  /** Query; everyone. */
  @candid()
  settings(): Settings {
    return settingsInCandid(isAdmin(msgCaller()));
  }

  /** Changes the settings that are given, all or none, and answers with all. Update; controllers and admins. */
  @candid()
  set_settings(change: SettingsChange): SettingsResult {
    const denied = notAdmin('set_settings');
    if (denied) return adminError(denied);
    const wrong = changeSettings(change);
    if (wrong) return { Err: { InvalidValue: wrong } };
    // what is now too much goes at once, as far as a message has room
    keepHouse();
    console.log(`settings changed by ${msgCaller().toText()}`);
    return { Ok: settingsInCandid(true) };
  }

  /**
   * Ends all sessions that wait; those that are worked on go on. Update; controllers and admins. What each costs to end
   * comes in later messages.
   * @returns how many waited
   */
  @candid()
  clear_queue(): ClearResult {
    const denied = notAdmin('clear_queue');
    if (denied) return adminError(denied);
    const full = lacksStableRoom('clear_queue');
    if (full !== undefined) return { Err: { InvalidValue: full } };
    const count = endAll('cleared', false);
    console.log(`queue of ${count} cleared by ${msgCaller().toText()}`);
    return { Ok: count };
  }

  /** Gives somebody a role, or takes it. Update; controllers; admins for users. */
  @candid()
  set_role(who: Principal, [role]: [] | [Role]): RolesResult {
    const denied = notAdmin('set_role');
    if (denied) return adminError(denied);
    const name = role && (Object.keys(role)[0] as RoleName);
    const text = who.toText();
    const before = roleOf(who);
    if ((name === 'admin' || before === 'admin') && !isController(msgCaller())) {
      return adminError(`set_role: expected a controller to make or unmake an admin, got ${msgCaller().toText()}`);
    }
    if (who.isAnonymous()) return { Err: { InvalidValue: 'set_role: expected somebody, got the anonymous caller' } };
    if (name && before === undefined && roles().size >= MAX_ROLES) {
      return { Err: { InvalidValue: `set_role: expected at most ${MAX_ROLES} roles, got one more` } };
    }
    const full = lacksStableRoom('set_role');
    if (full !== undefined) return { Err: { InvalidValue: full } };
    const next = roles().with(who.toUint8Array(), name);
    writeBytes(ROLES, next.bytes());
    known = next;
    console.log(`role of ${text}: ${name ?? 'none'}, by ${msgCaller().toText()}`);
    return { Ok: allRoles() };
  }

  /** Query; controllers and admins. */
  @candid()
  roles(): RolesResult {
    const denied = notAdmin('roles');
    return denied ? adminError(denied) : { Ok: allRoles() };
  }
}
