/**
 * The canister on a replica in this process, driven message by message: install, upload, upgrade, generate, each with
 * the records of the messages it was. Time stands still but for the replica's own ticks, so that two runs count the
 * same.
 */
import { createHash } from 'node:crypto';
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { Executor, type Run } from '../../../packages/replica/src/executor.ts';
import { type MessageRecord, Replica } from '../../../packages/replica/src/index.ts';
import {
  GenerateOptions,
  type Generation,
  SettingsChange,
  idlService as service,
  type TokensPerCall,
} from '../../interface/llm.did.ts';
import type { PackSource } from '../model/random-model.ts';

/** What is answered while weights are on their way. */
interface Loading {
  Err?: { Unavailable?: string };
}

export interface Answer {
  generation: Generation;
  messages: MessageRecord[];
}

const me = Principal.selfAuthenticating(new Uint8Array(32));

/** The Candid types of the canister's methods. */
const methods = new Map(service._fields);

/** A record of `opt` fields with everything unset but what is given. */
const optional = (type: { _fields: [string, unknown][] }, given: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(type._fields.map(([name]) => [name, name in given ? [given[name]] : []]));

const optionsOf = (given: Record<string, unknown>): Record<string, unknown> =>
  optional(GenerateOptions as unknown as { _fields: [string, unknown][] }, given);

export class BenchCanister {
  /** What the canister begins with. */
  static readonly CYCLES = 10n ** 15n;
  readonly replica: Replica;
  readonly canisterId: Principal;
  readonly wasm: Uint8Array;

  private constructor(wasm: Uint8Array, replica: Replica) {
    this.wasm = wasm;
    this.replica = replica;
    this.canisterId = this.replica.createCanister({ controllers: [me], cycles: BenchCanister.CYCLES }).canisterId;
  }

  /** @param wasm the canister's module, as it is or compressed */
  static async install(wasm: Uint8Array, onMessage?: (record: MessageRecord) => void): Promise<BenchCanister> {
    const canister = new BenchCanister(wasm, new Replica({ autoTick: false, seed: 1, onMessage }));
    await canister.setCode('install');
    return canister;
  }

  /** Another canister of the same code on the same replica. */
  async another(): Promise<BenchCanister> {
    const canister = new BenchCanister(this.wasm, this.replica);
    await canister.setCode('install');
    return canister;
  }

  /** Says which canisters have the stages of its model. */
  async setStages(canisters: readonly BenchCanister[]): Promise<void> {
    ok(await this.update('set_stages', [canisters.map(({ canisterId }) => canisterId)]));
  }

  /** Upgrades to the same code; gives the messages up to the moment when nothing is left to do: the model is back. */
  async upgrade(): Promise<MessageRecord[]> {
    return await this.during(() => this.setCode('upgrade'));
  }

  private async setCode(mode: 'install' | 'upgrade'): Promise<void> {
    const arg = new Uint8Array(IDL.encode([], []));
    await this.replica.installCode({ canisterId: this.canisterId, wasm: this.wasm, arg, mode, sender: me });
    await this.settle();
  }

  async upload(pack: Uint8Array | PackSource): Promise<MessageRecord[]> {
    const source = pack instanceof Uint8Array ? sourceOf(pack) : pack;
    return await this.during(async () => {
      const plan = ok<{ chunk_bytes: number; chunks: number }>(
        await this.update('upload_start', [BigInt(source.bytes), sha256Of(source)]),
      );
      for (let i = 0; i < plan.chunks; i++) {
        const at = i * plan.chunk_bytes;
        const chunk = source.read(at, Math.min(plan.chunk_bytes, source.bytes - at));
        ok(await this.update('upload_chunk', [i, chunk, [createHash('sha256').update(chunk).digest('hex')]]));
      }
      for (;;) {
        const committed = (await this.update('upload_commit', [])) as { Err?: { Incomplete?: { missing: unknown[] } } };
        // a large pack is checked in several messages
        if (committed.Err?.Incomplete?.missing.length !== 0) return void ok(committed);
      }
    });
  }

  /** Brings the model's weights to where they stay, in as many messages as it takes. */
  async load(): Promise<void> {
    for (;;) {
      const answer = (await this.update('generate_with', ['a', optionsOf({ max_new_tokens: 1 })])) as Loading;
      await this.settle();
      if (answer.Err?.Unavailable === undefined) return void ok(answer);
    }
  }

  /** Changes settings by their Candid names. */
  async set(given: Record<string, unknown>): Promise<void> {
    ok(await this.update('set_settings', [optional(SettingsChange as never, given)]));
  }

  /** Bytes of weights that the canister streams, as it says itself. */
  async streamedBytes(): Promise<number> {
    const [info] = (await this.query('model_info')) as [{ streamed_bytes: [bigint] }];
    return Number(info.streamed_bytes[0]);
  }

  async generate(prompt: string, maxNewTokens: number, perCall: TokensPerCall): Promise<Answer> {
    return await this.ask(prompt, { max_new_tokens: maxNewTokens, tokens_per_call: perCall });
  }

  /** As `generate`, with options by their Candid names. */
  async ask(prompt: string, given: Record<string, unknown>): Promise<Answer> {
    let generation: Generation | undefined;
    const messages = await this.during(async () => {
      generation = ok<Generation>(await this.update('generate_with', [prompt, optionsOf(given)]));
    });
    return { generation: generation!, messages };
  }

  /** Calls of `generate_with` that come in one round, with the same options. They are worked on together. */
  async askTogether(prompts: readonly string[], given: Record<string, unknown>): Promise<MessageRecord[]> {
    return await this.together('generate_with', prompts, optionsOf(given));
  }

  /** Sessions that go on by themselves, and begin at once. */
  async startTogether(prompts: readonly string[], given: Record<string, unknown>): Promise<MessageRecord[]> {
    return await this.together('start', prompts, [optionsOf(given)]);
  }

  private async together(method: string, prompts: readonly string[], options: unknown): Promise<MessageRecord[]> {
    await this.set({ max_active: prompts.length, max_sessions_per_caller: 2 * prompts.length });
    return await this.during(async () => {
      const asked: Uint8Array[] = [];
      for (const prompt of prompts) asked.push(await this.submit(method, [prompt, options]));
      for (const id of asked) ok(decode(method, await this.replica.awaitCall(id)));
    });
  }

  /** A session that goes on by itself, to its end. */
  async start(prompt: string, given: Record<string, unknown>): Promise<MessageRecord[]> {
    return await this.during(async () => void ok(await this.update('start', [prompt, [optionsOf(given)]])));
  }

  /**
   * A session whose steps all trap once it has so many tokens: it stands there, with one more to make, until an
   * upgrade takes it up.
   */
  async startAndStick(prompt: string, tokens: number): Promise<void> {
    const { run } = Executor.prototype;
    let steps = 0;
    Executor.prototype.run = function (this: Executor, what: Run) {
      if (what.kind === 'update' && what.method === 'generate') steps += 1;
      return run.call(this, steps > tokens ? { ...what, limit: 1_000 } : what);
    };
    try {
      await this.start(prompt, { max_new_tokens: tokens + 1, tokens_per_call: { fixed: 1 } });
    } finally {
      Executor.prototype.run = run;
    }
  }

  /** Bytes of the arena, as the canister says itself. */
  async arenaBytes(): Promise<number> {
    return Number(((await this.query('status')) as { arena_bytes: bigint }).arena_bytes);
  }

  /** Size of the canister's heap; it never shrinks, so this is its peak. */
  get heapBytes(): number {
    return this.replica.canister(this.canisterId)!.instance!.memoryBytes;
  }

  /** Cycles left. */
  get cycles(): bigint {
    return this.replica.canister(this.canisterId)!.cycles;
  }

  private async query(method: string): Promise<unknown> {
    const { replica, canisterId } = this;
    return decode(method, await replica.queryCall({ canisterId, method, arg: encode(method, []) }));
  }

  /** A call of an update method, and what it gives. */
  async update(method: string, args: unknown[]): Promise<unknown> {
    return decode(method, await this.replica.awaitCall(await this.submit(method, args)));
  }

  private async submit(method: string, args: unknown[]): Promise<Uint8Array> {
    const { replica, canisterId } = this;
    return await replica.submitCall({ canisterId, sender: me, method, arg: encode(method, args) });
  }

  /** The messages executed while `work` runs, timers that it set included. */
  private async during(work: () => Promise<void>): Promise<MessageRecord[]> {
    const before = this.replica.messages.length;
    await work();
    await this.settle();
    return this.replica.messages.slice(before);
  }

  private async settle(): Promise<void> {
    while ((await this.replica.tick()) > 0);
  }
}

const sourceOf = (pack: Uint8Array): PackSource => ({
  bytes: pack.length,
  read: (offset, bytes) => pack.subarray(offset, offset + bytes),
});

const HASHED_BYTES = 1 << 24;

function sha256Of({ bytes, read }: PackSource): string {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes; at += HASHED_BYTES) hash.update(read(at, Math.min(HASHED_BYTES, bytes - at)));
  return hash.digest('hex');
}

const encode = (method: string, args: unknown[]): Uint8Array =>
  new Uint8Array(IDL.encode(methods.get(method)!.argTypes, args));
const decode = (method: string, reply: Uint8Array): unknown => IDL.decode(methods.get(method)!.retTypes, reply)[0];

function ok<T>(result: unknown): T {
  if (typeof result === 'object' && result !== null && 'Ok' in result) return result.Ok as T;
  const error = JSON.stringify(result, (_, value) => (typeof value === 'bigint' ? Number(value) : value));
  throw new Error(`canister: expected Ok, got ${error}`);
}
