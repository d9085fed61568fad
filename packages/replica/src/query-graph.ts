/**
 * Queries outside replicated execution: a query, or a composite query with the queries it calls, depth first. Each call
 * context sees its canister as it was committed, with its own changes; all changes are thrown away in the end.
 * Specification-like: interface specification, "Query call" and "Composite queries".
 */
import type { Principal } from '@dfinity/principal';
import type { CallContext, Canister, Response } from './canister.ts';
import { reject, trapReject } from './errors.ts';
import type { Context, OutgoingCall } from './execution.ts';
import type { Executor, Outcome, Run } from './executor.ts';
import type { InstanceChanges } from './instance.ts';
import { instructionLimits, limits } from './limits.ts';
import { isManagement } from './management/methods.ts';
import type { StableChanges } from './stable-memory.ts';
import type { Reject } from './types.ts';

/** What a graph of queries needs of the replica. */
export interface QueryHost {
  executor: Executor;
  canister(id: Principal): Canister | undefined;
  /** Why a canister takes no call at all. */
  unfit(id: Principal, canister: Canister | undefined): Reject | undefined;
  /** Answers a query to the management canister. */
  queryManagement(query: Omit<Query, 'canisterId'>): Response;
}

interface Query {
  canisterId: Principal;
  method: string;
  arg: Uint8Array;
  caller: Principal;
}

/** A canister's state as one call context sees it, beyond what is committed. */
interface View {
  instance: InstanceChanges;
  stable: StableChanges;
}

type PartOfRun = Omit<Run, 'canister' | 'context' | 'caller'>;

export class QueryGraph {
  readonly #host: QueryHost;
  /** Instructions that the whole graph has left. */
  #left: number = instructionLimits.query;

  constructor(host: QueryHost) {
    this.#host = host;
  }

  /** Executes a query and what it calls. */
  call({ canisterId, method, arg, caller }: Query, depth = 0): Response {
    if (isManagement(canisterId)) return this.#host.queryManagement({ method, arg, caller });
    const canister = this.#host.canister(canisterId);
    const unfit = this.#host.unfit(canisterId, canister);
    if (unfit) return { reject: unfit };
    const { queryStats } = canister!;
    queryStats.calls++;
    queryStats.requestBytes += BigInt(arg.length);
    const response = this.#execute(canister!, { canisterId, method, arg, caller }, depth);
    queryStats.responseBytes += BigInt(
      'reply' in response ? response.reply.length : response.reject.rejectMessage.length,
    );
    return response;
  }

  #execute(canister: Canister, { method, arg, caller }: Query, depth: number): Response {
    const instance = canister.instance!;
    const composite = instance.has(`canister_composite_query ${method}`);
    const entryPoint = composite ? `canister_composite_query ${method}` : `canister_query ${method}`;
    if (!instance.has(entryPoint)) return { reject: noMethod(canister, 'query', method) };
    const context: CallContext = {
      id: 0,
      origin: { kind: 'query' },
      method,
      caller,
      deadline: 0n,
      responded: false,
      deleted: false,
      cyclesAvailable: 0n,
      openCalls: 0,
      instructions: 0,
    };
    const outcome = this.run(canister, context, composite ? 'CQ' : 'NRQ', {
      kind: composite ? 'compositeQuery' : 'query',
      method,
      arg,
      enter: () => instance.call(entryPoint),
      changes: composite ? 'hold' : 'discard',
      certified: depth === 0,
    });
    if (outcome.trap) return { reject: trapReject(canister.text, outcome.trap) };
    if (!composite) return outcome.execution.response ?? { reject: noReply(canister) };
    return new CompositeCall(canister, context, outcome, depth, this).finish();
  }

  /** Runs one message of the graph on the instructions that are left. */
  run(canister: Canister, callContext: CallContext, context: Context, run: PartOfRun): Outcome {
    const { caller } = callContext;
    const outcome = this.#host.executor.run({ ...run, canister, context, caller, callContext, limit: this.#left });
    this.#left = Math.max(this.#left - outcome.instructions, 0);
    canister.queryStats.instructions += BigInt(outcome.instructions);
    return outcome;
  }
}

/** A composite query between its first message and its response. */
class CompositeCall {
  readonly #calls: OutgoingCall[];
  #response?: Response;
  #view: View;

  constructor(
    readonly canister: Canister,
    readonly context: CallContext,
    first: Outcome,
    readonly depth: number,
    readonly graph: QueryGraph,
  ) {
    this.#calls = first.execution.calls;
    this.#response = first.execution.response;
    context.responded = this.#response !== undefined;
    this.#view = this.#suspend();
  }

  /** Makes the calls and runs their callbacks, until there are none. */
  finish(): Response {
    let failure: Reject | undefined;
    for (let call = this.#calls.shift(); call; call = this.#calls.shift())
      failure = this.#callback(call, this.#answer(call)) ?? failure;
    return this.#response ?? { reject: failure ?? noReply(this.canister) };
  }

  #answer({ callee, method, payload }: OutgoingCall): Response {
    if (this.depth + 1 >= limits.queryCallDepth)
      return {
        reject: reject('IC0525', `expected composite queries to nest at most ${limits.queryCallDepth} deep, got more`),
      };
    const arg = new Uint8Array(Buffer.concat(payload));
    return this.graph.call({ canisterId: callee, method, arg, caller: this.canister.canisterId }, this.depth + 1);
  }

  /** Runs the callback of a call; returns the reject it ends the composite query with if it traps. */
  #callback(call: OutgoingCall, answer: Response): Reject | undefined {
    const replied = 'reply' in answer;
    const { fun, env } = replied ? call.onReply : call.onReject;
    const rejected = replied ? undefined : { code: answer.reject.rejectCode, message: answer.reject.rejectMessage };
    this.#resume();
    const outcome = this.graph.run(this.canister, this.context, replied ? 'CRy' : 'CRt', {
      kind: replied ? 'replyCallback' : 'rejectCallback',
      arg: replied ? answer.reply : undefined,
      reject: rejected,
      enter: (instance) => instance.invoke(fun, env),
      changes: 'hold',
    });
    if (!outcome.trap) {
      this.#keep(outcome);
      return undefined;
    }
    // The trap undid the whole context: what came before the callback is still in the view.
    const cleanup = call.onCleanup;
    if (cleanup) {
      this.#resume();
      const cleaned = this.graph.run(this.canister, this.context, 'CC', {
        kind: 'cleanup',
        reject: rejected,
        enter: (instance) => instance.invoke(cleanup.fun, cleanup.env),
        changes: 'hold',
      });
      if (!cleaned.trap) this.#keep(cleaned);
    }
    return trapReject(this.canister.text, outcome.trap);
  }

  #keep({ execution }: Outcome): void {
    this.#calls.push(...execution.calls);
    if (execution.response) {
      this.#response = execution.response;
      this.context.responded = true;
    }
    this.#view = this.#suspend();
  }

  #suspend(): View {
    return { instance: this.canister.instance!.suspend(), stable: this.canister.stable.suspend() };
  }

  #resume(): void {
    this.canister.instance!.resume(this.#view.instance);
    this.canister.stable.resume(this.#view.stable);
  }
}

export function noMethod(canister: Canister, kind: 'query' | 'update', method: string): Reject {
  if (kind === 'update' && canister.instance!.has(`canister_composite_query ${method}`))
    return reject(
      'IC0527',
      `Composite query cannot be called in replicated mode. Method '${method}' of canister ${canister.text} is one.`,
    );
  return reject('IC0536', `Error from Canister ${canister.text}: Canister has no ${kind} method '${method}'.`);
}

export function noReply(canister: Canister): Reject {
  return reject('IC0506', `Error from Canister ${canister.text}: Canister did not reply to the call`);
}
