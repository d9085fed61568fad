/**
 * What is read from stable memory into the heap after an upgrade: it may be more than a message holds, so it is read
 * in parts, by as many messages as it takes. Until all is there, what needs it waits (housekeeping.ts) or is refused
 * (methods/methods.ts): with thousands of sessions that takes some seconds.
 */
import { instructionsNow } from './unit.ts';

/** No part is begun after so many instructions of a message, which has room for its own work then. */
const BUDGET = 600_000_000;

/** Something that is read in parts, in whatever message has room. */
export class Restored {
  private readonly parts: Iterator<unknown>;
  isWhole = false;

  constructor(parts: Iterator<unknown>) {
    this.parts = parts;
    all.push(this);
  }

  /** Reads a part. */
  goOn(): void {
    this.isWhole = this.parts.next().done === true;
  }

  /** Reads the rest at once: for what needs it and does not ask `isRestored` first. */
  finish(): void {
    while (!this.isWhole) this.goOn();
  }
}

const all: Restored[] = [];
let isAll = false;

/** Reads on, as far as this message has room. @returns whether all is there */
export function isRestored(): boolean {
  isAll ||= all.every((one) => {
    while (!one.isWhole && instructionsNow() < BUDGET) one.goOn();
    return one.isWhole;
  });
  return isAll;
}

/** Why a call is not taken yet. */
export const notRestored = (method: string): string | undefined =>
  isRestored()
    ? undefined
    : `${method}: expected the sessions of before the upgrade to be read, got a part of them; try again in some seconds`;
