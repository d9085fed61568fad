/**
 * Who drives: one at a time, and another where nothing comes of it. A network of messages that may be lost stands for
 * the canister's.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Driver, PATIENCE, type Waiting } from '../../src/service/driver.ts';

describe('a driver', () => {
  it('is the first call that looks, until it leaves; all others wait', () => {
    const driver = new Driver<Waiting>(100);
    const [a, b]: Waiting[] = [{}, {}];
    expect(driver.isVacant).toBe(true);
    expect(driver.look(a!, 0)).toBe('drives');
    expect(driver.look(b!, 0)).toBe('waits');
    expect(driver.look(a!, 1)).toBe('drives');
    expect(driver.leave(b!)).toBe(false);
    expect(driver.leave(a!)).toBe(true);
    expect(driver.look(b!, 1)).toBe('drives');
  });

  it('has a lease that is newer each time that another drives', () => {
    const driver = new Driver<Waiting>(100);
    const leases = [driver.lease, driver.take('chain'), driver.take({})];
    driver.vacate();
    leases.push(driver.lease, driver.take('chain'));
    driver.leave('chain');
    leases.push(driver.lease);
    expect(new Set(leases).size).toBe(leases.length);
    expect([...leases].sort((a, b) => a - b)).toEqual(leases);
  });

  it('that goes silent is followed by a call that has seen nothing new for some looks', () => {
    const driver = new Driver<Waiting>(0);
    driver.take('chain');
    const call: Waiting = {};
    const looks = Array.from({ length: PATIENCE + 1 }, () => driver.look(call, 7));
    expect(looks).toEqual([...Array(PATIENCE).fill('waits'), 'takesOver']);
    expect(driver.isDrivenBy(call)).toBe(true);
  });

  it('that goes on, however slowly, keeps its place', () => {
    const driver = new Driver<Waiting>(0);
    driver.take('chain');
    const call: Waiting = {};
    for (let i = 0; i < 20 * PATIENCE; i++) expect(driver.look(call, Math.floor(i / PATIENCE))).toBe('waits');
  });

  it('wherever messages and calls are lost: never two, and never none for longer than somebody waits with patience', () => {
    const anyEvent = fc.constantFrom('works', 'works', 'works', 'isLost', 'leaves', 'dies', 'comes');
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 200 }), (events) => {
        const driver = new Driver<Waiting>(0);
        let calls: Waiting[] = [{}, {}, {}];
        let sign = 0;
        let silent = 0;
        /** The message under way: whose it is, by its lease. */
        let message: { lease: number } | undefined;
        for (const event of events) {
          // a message under way is executed, or lost; that of a former drive does nothing
          if (message && event !== 'isLost') {
            if (message.lease === driver.lease) sign += 1;
            else silent += 1;
          }
          if (event === 'isLost') message = undefined;
          const before = sign;
          const driving = calls.filter((call) => driver.isDrivenBy(call));
          expect(driving.length).toBeLessThanOrEqual(1);
          if (event === 'comes') calls.push({});
          // a call that ends hands on to a chain; one that dies with its callback does not
          if (event === 'leaves' && driving[0]) {
            calls = calls.filter((call) => call !== driving[0]);
            driver.leave(driving[0]);
            message = { lease: driver.take('chain') };
          }
          if (event === 'dies' && driving[0]) {
            calls = calls.filter((call) => call !== driving[0]);
            message = undefined;
          }
          for (const call of calls) {
            const looked = driver.look(call, sign);
            // a drive sends its next message when the last one is answered, and after a loss only if it hears of it
            if (looked === 'takesOver' || (looked === 'drives' && event !== 'isLost'))
              message = { lease: driver.lease };
          }
          silent = before === sign && message?.lease !== driver.lease ? silent + 1 : 0;
          if (calls.length > 0) expect(silent).toBeLessThanOrEqual(3 * PATIENCE);
        }
      }),
      { seed: 16 },
    );
  });
});
