/**
 * Who has a role, by the bytes of principals, in one array of entries of 32 bytes: it is written as it lies, so that
 * neither giving a role nor reading all of them makes anything of text.
 *
 *   entry:  [role u8: 1 admin, 2 user | length of the principal u8 | principal, at most 29 bytes]
 */
export type RoleName = 'admin' | 'user';

export const ROLE_BYTES = 32;
const PRINCIPAL = 2;
const names: readonly (RoleName | undefined)[] = [undefined, 'admin', 'user'];

const keyOf = (principal: Uint8Array): string => String.fromCharCode.apply(null, principal as unknown as number[]);

export class Roles {
  /** By principal, in the order in which they were given. */
  private readonly entries = new Map<string, Uint8Array>();

  constructor(bytes: Uint8Array = new Uint8Array()) {
    for (let at = 0; at + ROLE_BYTES <= bytes.length; at += ROLE_BYTES) {
      const entry = bytes.slice(at, at + ROLE_BYTES);
      this.entries.set(keyOf(principalOf(entry)), entry);
    }
  }

  get size(): number {
    return this.entries.size;
  }

  get(principal: Uint8Array): RoleName | undefined {
    return names[this.entries.get(keyOf(principal))?.[0] ?? 0];
  }

  /** The table with somebody's role given or taken, to be written down before it is this one. */
  with(principal: Uint8Array, role: RoleName | undefined): Roles {
    const roles = new Roles();
    for (const [key, entry] of this.entries) roles.entries.set(key, entry);
    const key = keyOf(principal);
    if (role) {
      const entry = new Uint8Array(ROLE_BYTES);
      entry.set([names.indexOf(role), principal.length]);
      entry.set(principal, PRINCIPAL);
      roles.entries.set(key, entry);
    } else roles.entries.delete(key);
    return roles;
  }

  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.entries.size * ROLE_BYTES);
    let at = 0;
    for (const entry of this.entries.values()) {
      bytes.set(entry, at);
      at += ROLE_BYTES;
    }
    return bytes;
  }

  all(): { principal: Uint8Array; role: RoleName }[] {
    return Array.from(this.entries.values(), (entry) => ({ principal: principalOf(entry), role: names[entry[0]!]! }));
  }
}

const principalOf = (entry: Uint8Array): Uint8Array => entry.subarray(PRINCIPAL, PRINCIPAL + entry[1]!);
