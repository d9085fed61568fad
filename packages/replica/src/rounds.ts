/**
 * When messages are executed: by itself as long as there is work, or a round at a time. What the management canister
 * answers to a canister comes in the round after. And what time it is. Plumbing.
 * Between two messages the event loop has its turn, so that HTTP is served.
 */
import { setTimeout as sleep, setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { longestTimeout } from './ingress-history.ts';
import type { MessageExecution } from './message-execution.ts';
import type { Subnet } from './subnet.ts';

/** What a round may execute before `tick` returns. */
const roundInstructions = 7_000_000_000;
const heartbeatMilliseconds = 1_000;
/** How long a round lasts in which nothing is left to execute, where time goes by itself. */
const roundMilliseconds = 10;

/** The replica's time: the clock, moved by `advance` and `set`; or standing still until these move it. */
export class Clock {
  readonly follows: boolean;
  /** Nanoseconds ahead of the clock; of a clock that stands still, its time. */
  #offset: bigint;

  constructor(follows: boolean) {
    this.follows = follows;
    this.#offset = follows ? 0n : BigInt(Date.now()) * 1_000_000n;
  }

  /** Nanoseconds since 1970. */
  now(): bigint {
    return this.follows ? BigInt(Date.now()) * 1_000_000n + this.#offset : this.#offset;
  }

  advance(nanoseconds: bigint): void {
    this.#offset += nanoseconds;
  }
}

export class Rounds {
  readonly #subnet: Subnet;
  readonly #messages: MessageExecution;
  readonly #clock: Clock;
  readonly #used: () => number;
  readonly #pause: number;
  #running = false;
  #closed = false;
  #timer?: NodeJS.Timeout;
  #lastHeartbeat = 0;

  /**
   * @param used instructions executed since the replica began
   * @param pause milliseconds after each message, where time goes by itself
   */
  constructor(subnet: Subnet, messages: MessageExecution, clock: Clock, used: () => number, pause = 0) {
    this.#subnet = subnet;
    this.#messages = messages;
    this.#clock = clock;
    this.#used = used;
    this.#pause = pause;
  }

  /**
   * Executes a round: tasks that are due, then messages until there are none or the round is full.
   * @returns how many
   */
  async tick(): Promise<number> {
    if (!this.#clock.follows) this.#clock.advance(1n);
    this.#subnet.chargeIdle();
    this.#messages.beginRound();
    this.#messages.enqueueTasks(this.#clock.now(), true);
    const end = this.#used() + roundInstructions;
    let executed = 0;
    for (let message = this.#messages.queue.shift(); message; ) {
      this.#messages.execute(message);
      executed++;
      await yieldToEventLoop();
      message = this.#used() < end ? this.#messages.queue.shift() : undefined;
    }
    return executed;
  }

  /** Starts working, if time goes by itself. */
  wake(): void {
    if (!this.#clock.follows || this.#running || this.#closed) return;
    this.#running = true;
    void this.#run();
  }

  /** Stops working for good. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    await yieldToEventLoop();
    let end = this.#used() + roundInstructions;
    while (!this.#closed) {
      this.#enqueueTasks();
      if (this.#used() >= end || this.#messages.queue.length === 0) {
        // a round has a length, though here a short one
        if (this.#messages.isOwed && this.#messages.queue.length === 0) await sleep(roundMilliseconds);
        this.#messages.beginRound();
        end = this.#used() + roundInstructions;
      }
      const message = this.#messages.queue.shift();
      if (!message) break;
      this.#messages.execute(message);
      await (this.#pause > 0 ? sleep(this.#pause) : yieldToEventLoop());
    }
    this.#running = false;
    this.#sleep();
  }

  #enqueueTasks(): void {
    const now = Date.now();
    const heartbeats = now - this.#lastHeartbeat >= heartbeatMilliseconds;
    if (heartbeats) {
      this.#lastHeartbeat = now;
      this.#subnet.chargeIdle();
    }
    this.#messages.enqueueTasks(this.#clock.now(), heartbeats);
  }

  /** Wakes again for the next timer, deadline or heartbeat. */
  #sleep(): void {
    if (this.#closed) return;
    let milliseconds = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    const at = (timestamp: bigint) => {
      if (timestamp > 0n) milliseconds = Math.min(milliseconds, Number((timestamp - now) / 1_000_000n) + 1);
    };
    for (const canister of this.#subnet.canisters()) {
      if (this.#messages.mayRun('timer', canister)) at(canister.globalTimer);
      for (const { deadline } of canister.callbacks.values()) at(deadline);
      if (this.#messages.mayRun('heartbeat', canister))
        milliseconds = Math.min(milliseconds, this.#lastHeartbeat + heartbeatMilliseconds - Date.now());
    }
    if (milliseconds === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.wake(), Math.min(Math.max(milliseconds, 0), longestTimeout));
    this.#timer.unref();
  }
}
