/** Roles: what was given is there, in order, from the bytes too. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type RoleName, Roles } from '../../src/service/roles.ts';

const principal = fc.uint8Array({ maxLength: 29 });

it('are what was given last, whoever has them, and the same from their bytes', () => {
  const step = fc.tuple(principal, fc.constantFrom<RoleName | undefined>('admin', 'user', undefined));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let roles = new Roles();
      const wanted = new Map<string, RoleName>();
      for (const [who, role] of steps) {
        const before = roles.bytes();
        const next = roles.with(who, role);
        expect(roles.bytes()).toEqual(before);
        roles = next;
        if (role) wanted.set(who.join(), role);
        else wanted.delete(who.join());
        expect(roles.get(who)).toBe(role);
      }
      for (const of of [roles, new Roles(roles.bytes())]) {
        expect(of.all().map(({ principal, role }) => [principal.join(), role])).toEqual([...wanted]);
        expect(of.size).toBe(wanted.size);
      }
    }),
  );
});
