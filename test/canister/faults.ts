/**
 * A run of generations while everything goes wrong that may: traps at any instruction and any system call, calls that
 * cannot be sent, stops, upgrades, no cycles, no memory. Seeded, on a replica whose time stands still but for what the
 * run does, so that a seed repeats a run message by message.
 */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { Trap } from '../../packages/replica/src/errors.ts';
import type { Execution } from '../../packages/replica/src/execution.ts';
import { Executor, type Run } from '../../packages/replica/src/executor.ts';
import { systemApi } from '../../packages/replica/src/system-api.ts';
import { GenerateOptions, GenerateResult, StartResult } from '../../src/interface/llm.did.ts';
import { builtLlm, change, controller, type Installed, install, listOptions, ok, options, upload } from './llm.ts';
import { installStaged } from './staged.ts';
import { type Family, subjectOf } from './subjects.ts';

const management = Principal.fromText('aaaaa-aa');
const caller = Principal.selfAuthenticating(new Uint8Array([7]));

/** How often, of the canister's messages; of cleanups after a callback that trapped, how often they do so too. */
const ODDS = {
  trapAtInstruction: 0.012,
  trapAtSystemCall: 0.012,
  callNotSent: 0.006,
  trapInCleanup: 0.2,
  stop: 0.003,
  upgrade: 0.003,
  noCycles: 0.002,
  noMemory: 0.002,
  storm: 0.003,
};
type Fault = keyof typeof ODDS;

export interface Report {
  generations: number;
  messages: number;
  faults: Record<Fault | 'upgradeRefused', number>;
  /** Calls that were refused, or trapped; what had become of them, the list of sessions says. */
  callsBroken: number;
  /** Sessions finished with exactly the text of an undisturbed run. */
  finished: number;
  /** Failed with a reason, and after `resume` finished with that text. */
  failedAndResumed: number;
  /** Whether at the end one more call from outside had to wake the canister. */
  timerLost: boolean;
  /** Anything else, in words. */
  wrong: string[];
  arenaBytes: number;
  heapBytes: number;
}

/** Numbers of [0, 1) from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const messageKinds: ReadonlySet<string> = new Set(['update', 'replyCallback', 'rejectCallback', 'cleanup', 'timer']);

/**
 * Lets `decide` set a limit for, or trap, what the replica executes; call the result to leave the replica as it was.
 */
function interfere(
  decide: (run: Run) => { limit?: number; systemCall?: number; unsent?: boolean } | undefined,
): () => void {
  const run = Executor.prototype.run;
  const original = { ...systemApi };
  let countdown = Number.POSITIVE_INFINITY;
  let unsent = false;
  for (const [name, call] of Object.entries(original)) {
    systemApi[name] = (e: Execution, ...args: unknown[]) => {
      countdown -= 1;
      if (countdown < 0) throw new Trap('IC0502', `a fault in ${name}`);
      if (name === 'call_perform' && unsent) {
        e.dropPendingCall();
        return 2;
      }
      return call(e, ...args);
    };
  }
  Executor.prototype.run = function (this: Executor, what: Run) {
    const fault = messageKinds.has(what.kind) ? decide(what) : undefined;
    countdown = fault?.systemCall ?? Number.POSITIVE_INFINITY;
    unsent = fault?.unsent ?? false;
    return run.call(this, fault?.limit === undefined ? what : { ...what, limit: fault.limit });
  };
  return () => {
    Executor.prototype.run = run;
    Object.assign(systemApi, original);
  };
}

/**
 * @param generations how many to start
 * @param family of the model that makes them; `stages`: canisters that it is spread over, and faults are of all of them
 */
export async function faultRun(
  seed: number,
  generations: number,
  { family = 't5' as Family, stages = 1, onProgress = (_: string) => {} } = {},
): Promise<Report> {
  const { pack, prompts, idsOf } = await subjectOf(family);
  const random = randomFrom(seed);
  const chance = (p: number): boolean => random() < p;
  const pick = (n: number): number => Math.floor(random() * n);
  const faults = {
    trapAtInstruction: 0,
    trapAtSystemCall: 0,
    callNotSent: 0,
    trapInCleanup: 0,
    stop: 0,
    upgrade: 0,
    noCycles: 0,
    noMemory: 0,
    storm: 0,
    upgradeRefused: 0,
  };

  let disturbing = false;
  let messages = 0;
  let llm: Installed | undefined;
  let canisters: Principal[] = [];
  /** What may happen between two messages. */
  let between = (): void => {};
  /**
   * Until so many messages nearly every step traps, and answers to steps as rarely as ever: what is tried three times
   * fails.
   */
  let stormUntil = 0;
  const restore = interfere(({ canister, kind, caller: from }) => {
    const isOurs = (who: Principal): boolean => canisters.some((id) => id.compareTo(who) === 'eq');
    if (!disturbing || !isOurs(canister.canisterId)) return undefined;
    messages += 1;
    if (kind === 'cleanup') {
      if (!chance(ODDS.trapInCleanup)) return undefined;
      faults.trapInCleanup += 1;
      return { limit: Math.floor(10 ** (3 + random() * 3)) };
    }
    queueMicrotask(() => between());
    if (chance(messages < stormUntil && kind === 'update' && isOurs(from) ? 0.9 : ODDS.trapAtInstruction)) {
      faults.trapAtInstruction += 1;
      // most messages take 2 to 10 M
      return { limit: Math.floor(10 ** (3 + random() * 4)) };
    }
    if (chance(ODDS.trapAtSystemCall)) {
      faults.trapAtSystemCall += 1;
      return { systemCall: pick(30) };
    }
    if (kind !== 'timer' && chance(ODDS.callNotSent)) {
      faults.callNotSent += 1;
      return { unsent: true };
    }
    return undefined;
  });
  try {
    const staged =
      stages > 1 ? await installStaged(new Uint8Array(pack), stages, { autoTick: false, seed }) : undefined;
    llm = staged ?? (await install({ autoTick: false, seed }));
    canisters = staged?.ids ?? [llm.canisterId];
    const { as } = llm;
    const { gz } = await builtLlm();
    const owner = as();
    if (!staged) await upload(owner, pack);
    ok(
      await owner.set_settings(
        change({ max_active: 6, max_finished: generations + 100, max_sessions_per_caller: 1000 }),
      ),
    );
    const { replica, canisterId } = llm;
    const canister = replica.canister(canisterId)!;
    // over stages a token takes many more messages; if all began at once, most would be made when nothing goes wrong
    const beginning = stages > 1 ? 0.02 : 0.2;
    let started = 0;
    let callsBroken = 0;
    let busy = false;
    /** What each session has to come to, by what was asked; the sessions say what that was. */
    const wanted = new Map<string, number[]>();
    const ids: string[] = [];
    const pending: Promise<void>[] = [];

    const manage = (method: string, type: IDL.Type, value: unknown): Promise<unknown> => {
      const arg = new Uint8Array(IDL.encode([type], [value]));
      return replica.submitCall({ canisterId: management, method, arg, sender: controller });
    };
    const Which = IDL.Record({ canister_id: IDL.Principal });
    const InstallCode = IDL.Record({
      mode: IDL.Variant({ upgrade: IDL.Opt(IDL.Record({})) }),
      canister_id: IDL.Principal,
      wasm_module: IDL.Vec(IDL.Nat8),
      arg: IDL.Vec(IDL.Nat8),
    });
    /** Whom a fault is for. */
    const oneOf = (): Principal => canisters[stages > 1 ? pick(stages) : 0]!;
    const upgrade = (which: { canister_id: Principal }) =>
      manage('install_code', InstallCode, {
        mode: { upgrade: [] },
        ...which,
        wasm_module: gz,
        arg: new Uint8Array(IDL.encode([], [])),
      });
    const settle = async (request: unknown): Promise<string | undefined> => {
      const id = request as Uint8Array;
      for (;;) {
        const status = replica.requestStatus(id)!;
        if (status.status === 'rejected') return status.rejectMessage;
        if (status.status === 'replied' || status.status === 'done') return undefined;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };

    /** Starts one generation, by `start` or by `generate`. */
    async function launch(): Promise<void> {
      started += 1;
      const prompt = prompts[pick(prompts.length)]!;
      const max = 1 + pick(24);
      const perCall = pick(4);
      // a prompt of its own for each length: what came out is known by the prompt
      const asked = `${prompt}${' '.repeat(max)}`;
      wanted.set(asked, idsOf(asked, max));
      const method = chance(0.5) ? 'start' : 'generate';
      const given = options({
        max_new_tokens: max,
        tokens_per_call: perCall === 0 ? { auto: null } : { fixed: perCall },
      });
      const arg = new Uint8Array(IDL.encode([IDL.Text, IDL.Opt(GenerateOptions)], [asked, given]));
      try {
        const request = await replica.submitCall({ canisterId, method, arg, sender: caller });
        const refused = await settle(request);
        if (refused) throw new Error(refused);
        const { reply } = replica.requestStatus(request) as { reply: Uint8Array<ArrayBuffer> };
        const type = method === 'start' ? StartResult : GenerateResult;
        const result = IDL.decode([type], reply)[0] as unknown as
          | { Ok: string | { session: string } }
          | { Err: object };
        if ('Err' in result) {
          const failed = (result.Err as { Failed?: { session: string } }).Failed;
          if (failed) ids.push(failed.session);
          else callsBroken += 1;
        } else ids.push(typeof result.Ok === 'string' ? result.Ok : result.Ok.session);
      } catch {
        callsBroken += 1;
      }
    }

    async function stopUpgradeStart(withUpgrade: boolean): Promise<void> {
      busy = true;
      const which = { canister_id: oneOf() };
      if (withUpgrade && chance(0.5)) {
        // at once: refused where calls wait for answers
        if (await settle(await upgrade(which))) faults.upgradeRefused += 1;
      } else {
        await settle(await manage('stop_canister', Which, which));
        if (withUpgrade) await settle(await upgrade(which));
        replica.advanceTime(pick(40_000));
        await settle(await manage('start_canister', Which, which));
      }
      busy = false;
    }

    function shortage(fault: 'noCycles' | 'noMemory'): void {
      busy = true;
      faults[fault] += 1;
      const canister = replica.canister(oneOf())!;
      const [cycles, limit] = [canister.cycles, canister.settings.wasmMemoryLimit];
      const end = messages + 40;
      if (fault === 'noCycles') canister.cycles = 30_000_000_000n;
      else canister.settings.wasmMemoryLimit = BigInt(canister.instance!.memoryBytes);
      const giveBack = (): void => {
        if (messages < end && disturbing && idle < 3) return void setImmediate(giveBack);
        if (fault === 'noCycles') canister.cycles = cycles;
        else canister.settings.wasmMemoryLimit = limit;
        busy = false;
      };
      giveBack();
    }

    between = (): void => {
      if (started < generations && pending.length - finishedCalls < 24 && chance(beginning)) {
        pending.push(launch().finally(() => void finishedCalls++));
      }
      if (busy) return;
      if (chance(ODDS.storm)) {
        faults.storm += 1;
        stormUntil = messages + 60;
      }
      if (chance(ODDS.stop)) {
        faults.stop += 1;
        pending.push(stopUpgradeStart(false));
        finishedCalls += 1;
      } else if (chance(ODDS.upgrade)) {
        faults.upgrade += 1;
        pending.push(stopUpgradeStart(true));
        finishedCalls += 1;
      } else if (chance(ODDS.noCycles)) shortage('noCycles');
      else if (chance(ODDS.noMemory)) shortage('noMemory');
    };
    let finishedCalls = 0;
    let idle = 0;

    disturbing = true;
    for (let round = 0; started < generations || finishedCalls < pending.length; round++) {
      idle = (await replica.tick()) === 0 ? idle + 1 : 0;
      if (idle > 0) {
        between();
        replica.advanceTime(pick(20_000));
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (round % 50 === 0) onProgress(`${started} of ${generations} started, ${messages} messages`);
      if (idle > 2_000) throw new Error('fault run: nothing happens any more');
    }
    await Promise.all(pending);
    disturbing = false;

    const reader = as(caller);
    // quiet again: all that is under way has to end by itself
    const quiet = async (): Promise<void> => {
      for (let i = 0; i < 400; i++) {
        const { generating, queued } = await owner.status();
        if (generating + queued === 0) break;
        if ((await replica.tick()) === 0) replica.advanceTime(20_000);
      }
    };
    await quiet();
    const asleep = (await reader.list(listOptions({ limit: 200 }))) as { Ok: { state: object }[] };
    const timerLost = asleep.Ok.some(({ state }) =>
      ['queued', 'encoding', 'generating'].includes(Object.keys(state)[0]!),
    );
    // timers get lost with a message that traps, without cycles, while stopped: then any call from outside wakes the
    // canister
    await owner.cancel('');
    await quiet();
    const report: Report = {
      generations,
      messages,
      faults,
      callsBroken,
      finished: 0,
      failedAndResumed: 0,
      timerLost,
      wrong: [],
      arenaBytes: 0,
      heapBytes: 0,
    };
    const sessions = [];
    for (let after: string | undefined; ; after = sessions.at(-1)!.session) {
      const page = ok(await reader.list(listOptions(after === undefined ? { limit: 200 } : { limit: 200, after })));
      sessions.push(...page);
      if (page.length < 200) break;
    }
    const known = new Set(sessions.map(({ session }) => session));
    for (const id of ids) if (!known.has(id)) report.wrong.push(`${id}: was started and is gone`);
    for (const { session, state, prompt } of sessions) {
      const [kind] = Object.keys(state);
      const answer = ok(await reader.resume(session));
      const same = Array.from(answer.token_ids).join() === wanted.get(prompt)!.join();
      if (!same) report.wrong.push(`${session}: expected ${wanted.get(prompt)}, got ${answer.token_ids}`);
      else if (kind === 'finished') report.finished += 1;
      else if (kind === 'failed') report.failedAndResumed += 1;
      else report.wrong.push(`${session}: expected it to end, got ${kind}`);
    }
    report.arenaBytes = Number((await owner.status()).arena_bytes);
    report.heapBytes = canister.instance!.memoryBytes;
    return report;
  } finally {
    restore();
  }
}
