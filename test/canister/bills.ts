/**
 * Bills: whether what the canister reports is what it was charged. Random methods, callers, options, lengths and
 * company, on a replica whose time stands still but for its rounds, so that nothing but the calls costs anything. A
 * payer attaches what it is asked for at 100 percent: the canister must not lose by that.
 */
import { readFileSync } from 'node:fs';
import { Principal } from '@dfinity/principal';
import fc from 'fast-check';
import type { GenerateOptions } from '../../src/interface/llm.did.ts';
import { decodePackHead, type OpenedHead, packHeadBytes } from '../../src/model/pack/pack.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { estimate } from '../../src/service/estimate.ts';
import { actor, change, controller, type Installed, install, ok, options, upload } from './llm.ts';
import { installPayer, type Payer } from './payer.ts';
import { cutPack, installStaged } from './staged.ts';

const words =
  'what is the opposite of hot sky color apples give away half many how does joe seven paris été 北京'.split(' ');

export interface Case {
  method: 'generate' | 'generate_with' | 'start' | 'cancelled' | 'resume';
  pays: boolean;
  /** Places in `words`. */
  prompt: number[];
  tokens: number;
  /** 0: auto. */
  perCall: number;
  choice: 'greedy' | 'beams' | 'sampled' | 'penalised' | 'no repeats' | 'manyStops';
  /** Tokens that strangers' sessions have, which begin before it. */
  company: number[];
}

export const anyCase = (longest: { words: number; tokens: number; company: number }): fc.Arbitrary<Case> =>
  fc.record({
    method: fc.constantFrom('generate', 'generate_with', 'generate_with', 'start', 'cancelled', 'resume'),
    pays: fc.boolean(),
    prompt: fc.array(fc.nat(words.length - 1), { minLength: 1, maxLength: longest.words }),
    tokens: fc.integer({ min: 1, max: longest.tokens }),
    perCall: fc.constantFrom(1, 1, 0, 2, 5, 16),
    choice: fc.constantFrom('greedy', 'greedy', 'greedy', 'beams', 'sampled', 'penalised', 'no repeats', 'manyStops'),
    company: fc.oneof(
      { weight: 2, arbitrary: fc.constant([] as number[]) },
      { weight: 1, arbitrary: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: longest.company }) },
    ),
  });

const choices = {
  greedy: {},
  beams: { num_beams: 3 },
  sampled: { do_sample: true, seed: 7n },
  penalised: { repetition_penalty: 1.3 },
  'no repeats': { no_repeat_ngram_size: 2 },
  manyStops: { eos_token_id: [1, 0, 2, 380, 381, 382, 383, 377, 378, 379] },
} as const;

export interface Outcome {
  /**
   * Cycles that the canister was charged, what was paid left out; and what all sessions' bills say, and what it says
   * that is on none.
   */
  charged: number;
  reported: number;
  own: number;
  /** What the payer was asked to attach, and paid. */
  asked?: number;
  paid?: number;
  /** The bill of the case's own session, and what was thought to be its most, knowing the prompt's tokens. */
  bill: number;
  quoted: number;
  /** Differences in percent of what was charged. */
  difference: number;
}

export class Bills {
  private constructor(
    private readonly llm: Installed,
    /** Those that the model is over, each with its own metrics. */
    private readonly canisters: readonly Principal[],
    private readonly payer: Payer,
    private readonly head: OpenedHead,
  ) {}

  /** @param stages canisters that the model is over */
  static async install(stages = 1): Promise<Bills> {
    const pack = new Uint8Array(readFileSync((await packFolder('models/little-flan', 'int8')).path));
    const quiet = { autoTick: false, keptMessages: 10 };
    const staged = stages > 1 ? await installStaged(pack, stages, quiet) : undefined;
    const llm = staged ?? (await install(quiet));
    const owner = llm.as();
    if (!staged) await upload(owner, pack);
    const open = { max_sessions_per_caller: 1000, price_percent: 100, max_active: 4 };
    ok(await owner.set_settings(change(open)));
    const first = staged ? (await cutPack(pack, stages))[0]! : pack;
    const head = decodePackHead(first.subarray(0, packHeadBytes(first)), first.length);
    return new Bills(llm, staged?.ids ?? [llm.canisterId], await installPayer(llm), head);
  }

  private get cycles(): bigint {
    return this.canisters.reduce((sum, id) => sum + this.llm.replica.canister(id)!.cycles, 0n);
  }

  private async settle(): Promise<void> {
    while ((await this.llm.replica.tick()) > 0);
  }

  private async own(): Promise<number> {
    const request = { method: 'GET', url: '/metrics', headers: [], body: new Uint8Array() };
    let sum = 0;
    for (const id of this.canisters) {
      const { body } = await actor(this.llm.replica, id, controller).http_request(request);
      sum += Number(/^stepwise_own_cycles_total (\d+)/m.exec(new TextDecoder().decode(body as Uint8Array))![1]);
    }
    return sum;
  }

  /** @throws Error where a call is refused */
  async run({ method, pays, prompt, tokens, company, ...how }: Case): Promise<Outcome> {
    const { perCall, choice } = method === 'generate' ? ({ perCall: 1, choice: 'greedy' } as const) : how;
    const text = prompt.map((i) => words[i]).join(' ');
    const given = {
      max_new_tokens: tokens,
      tokens_per_call: perCall === 0 ? { auto: null } : { fixed: perCall },
      ...choices[choice],
    } as Partial<Record<keyof GenerateOptions, unknown>>;
    // `generate` takes no options: it has the model's own, and the setting's one token a call
    const [o] = options((method === 'generate' ? { max_new_tokens: 512 } : given) as never);
    const paying = pays && method !== 'start';
    await this.settle();
    let asked: bigint | undefined;
    if (paying) asked = await this.priceOf(method, text, o);
    const [before, ownBefore] = [this.cycles, await this.own()];
    const stranger = this.llm.as(Principal.selfAuthenticating(new Uint8Array([3, 3])));
    // begun in the same round as the case itself, so that they are worked on together
    const begun = Promise.all(
      company.map(async (most, i) =>
        ok(await stranger.start(`${words[i % words.length]} ${text}`, options({ max_new_tokens: most }))),
      ),
    );
    const { session, paid } = await this.ask(method, text, o, asked);
    const strangers = await begun;
    await this.settle();
    let reported = 0;
    let bill = 0;
    let quoted = 0;
    for (const [actor, id] of [
      [this.llm.as(paying ? this.payer.id : undefined), session] as const,
      ...strangers.map((id) => [stranger, id] as const),
    ]) {
      const { cycles, prompt_tokens } = ok(await actor.progress(id, 0));
      if (id === session) {
        bill = Number(cycles);
        quoted = this.quote(prompt_tokens, text.length, o!, perCall, choice);
      }
      reported += Number(cycles);
    }
    const charged = Number(before - this.cycles) + (paid ?? 0);
    const own = (await this.own()) - ownBefore;
    return {
      charged,
      reported,
      own,
      bill,
      quoted,
      difference: (100 * (reported + own - charged)) / charged,
      ...(asked !== undefined && { asked: Number(asked), paid }),
    };
  }

  private quote(
    promptTokens: number,
    promptCharacters: number,
    o: GenerateOptions,
    tokensPerCall: number,
    choice: Case['choice'],
  ): number {
    const work = {
      promptTokens,
      promptCharacters,
      newTokens: o.max_new_tokens[0]!,
      made: 0,
      beams: o.num_beams[0] ?? 1,
      tokensPerCall,
      streamedBytes: 0,
    };
    return estimate(this.head, { ...work, isNative: choice === 'greedy' && tokensPerCall === 1 }).cycles;
  }

  /** What the canister asks for: attached is nothing. */
  private async priceOf(method: string, text: string, o: GenerateOptions): Promise<bigint> {
    const [name, args] = method === 'generate' ? ['generate', [text]] : ['generate_with', [text, o]];
    const { result } = await this.payer.pay<{ Err: { PaymentRequired: { cycles: bigint } } }>(
      name as string,
      0n,
      ...(args as unknown[]),
    );
    return result.Err.PaymentRequired.cycles;
  }

  private async ask(
    method: Case['method'],
    text: string,
    o: GenerateOptions,
    asked: bigint | undefined,
  ): Promise<{ session: string; paid?: number }> {
    const owner = this.llm.as();
    if (method === 'start') return { session: ok(await owner.start(text, [o])) };
    if (method === 'generate' || method === 'generate_with') {
      const args = method === 'generate' ? [text] : [text, o];
      if (asked === undefined) {
        const answer = method === 'generate' ? await owner.generate(text) : await owner.generate_with(text, o);
        return { session: ok(answer).session };
      }
      const { refunded, result } = await this.payer.pay<{ Ok: { session: string } }>(method, asked, ...args);
      return { session: ok(result).session, paid: Number(asked - refunded) };
    }
    return await this.cancelled(method, text, o, asked);
  }

  /** A call that is cancelled in the middle, if it is not over by then, and resumed if so asked. */
  private async cancelled(
    method: Case['method'],
    text: string,
    o: GenerateOptions,
    asked: bigint | undefined,
  ): Promise<{ session: string; paid?: number }> {
    const actor = this.llm.as(asked === undefined ? undefined : this.payer.id);
    const known = new Set(ok(await actor.list([])).map(({ session }) => session));
    type Result = { Ok: { session: string } } | { Err: unknown };
    let paid = 0;
    const call = async (name: string, ...args: unknown[]): Promise<Result> => {
      if (asked === undefined)
        return await (name === 'resume' ? actor.resume(args[0] as string) : actor.generate_with(text, o));
      const { refunded, result } = await this.payer.pay<Result>(name, asked, ...args);
      paid += Number(asked - refunded);
      return result;
    };
    const answer = call('generate_with', text, o);
    let session: string | undefined;
    while (session === undefined) {
      session = ok(await actor.list([])).find((s) => !known.has(s.session))?.session;
      await new Promise((resolve) => setImmediate(resolve));
    }
    // ingress: that of the payer's own canister cannot be had here, so its owner's controller cancels
    ok(await this.llm.as().cancel(session));
    await answer;
    if (method === 'resume') ok(await call('resume', session));
    return { session, ...(asked !== undefined && { paid }) };
  }
}
