/**
 * What everything rests on: only the canister itself gives the native loop orders, and only for its present use; every
 * stop id stops; no cache mixes up models; a step that fails for ever fails its session.
 */
import { readFileSync } from 'node:fs';
import type { Principal } from '@dfinity/principal';
import { beforeAll, describe, expect, it } from 'vitest';
import { Executor, type Run } from '../../packages/replica/src/executor.ts';
import type { _SERVICE as Llm } from '../../src/interface/llm.did.ts';
import { parseT5Config } from '../../src/model/checkpoint/config.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { randomModel } from '../../src/node/model/random-model.ts';
import { change, controller, type Installed, install, listOptions, ok, options, sha256Of, upload } from './llm.ts';

const { prompt, text, ids }: { prompt: string; text: string; ids: number[] } = JSON.parse(
  readFileSync('models/little-flan/expected.json', 'utf8'),
).cases[0];

let llm: Installed;
let owner: Llm;

beforeAll(async () => {
  // slow enough for something to come between two messages
  llm = await install({ messagePause: 5 });
  owner = llm.as();
  await upload(owner, readFileSync((await packFolder('models/little-flan', 'int8')).path));
  await owner.generate('hi');
});

const pause = () => new Promise((resolve) => setTimeout(resolve, 2));

/** Looks at every message, and may set its limit, until `act` is through. */
async function watching<T>(look: (run: Run) => number | undefined, act: () => Promise<T>): Promise<T> {
  const original = Executor.prototype.run;
  Executor.prototype.run = function (run) {
    const limit = look(run);
    return original.call(this, limit === undefined ? run : { ...run, limit });
  };
  try {
    return await act();
  } finally {
    Executor.prototype.run = original;
  }
}

const isFromSelf = ({ method, caller, kind }: Run): boolean =>
  kind === 'update' && method === 'generate' && caller.compareTo(llm.canisterId) === 'eq';

/** Asks; hands over what the canister sends itself when so many tokens are there, while the native loop goes on. */
async function whileRelayed(tokens: number, then: (arg: Uint8Array, session: string) => Promise<void>): Promise<void> {
  let arg: Uint8Array | undefined;
  const answer = watching(
    (run) => {
      if (isFromSelf(run) && run.arg?.[0] === 3) arg = run.arg;
      return undefined;
    },
    () => owner.generate(prompt),
  );
  for (;;) {
    const [newest] = ok(await owner.list(listOptions({ limit: 1 })));
    if (newest && 'generating' in newest.state && newest.output_tokens >= tokens && arg) {
      await then(arg, newest.session);
      break;
    }
    await pause();
  }
  expect(ok(await answer)).toMatchObject({ text, output_tokens: ids.length, calls: ids.length });
}

/** Calls from canisters do not pass inspect_message: what comes in meanwhile is as if a canister had sent it. */
async function uninspected<T>(act: () => Promise<T>): Promise<T> {
  const original = Executor.prototype.run;
  Executor.prototype.run = function (run) {
    const accepted = { execution: { accepted: true } } as ReturnType<typeof original>;
    return run.kind === 'inspectMessage' ? accepted : original.call(this, run);
  };
  try {
    return await act();
  } finally {
    Executor.prototype.run = original;
  }
}

describe('the native loop', () => {
  const send = async (sender: Principal, arg: Uint8Array): Promise<Uint8Array> => {
    const call = { canisterId: llm.canisterId, method: 'generate', sender, arg };
    const id = await uninspected(() => llm.replica.submitCall(call));
    return await llm.replica.awaitCall(id);
  };
  /** Instructions of a call. */
  const costOf = async (call: () => Promise<unknown>, sender = llm.canisterId): Promise<number> => {
    let most = 0;
    llm.newMessages();
    await call();
    const seen = llm.newMessages().filter(({ kind, caller }) => kind === 'update' && caller.compareTo(sender) === 'eq');
    for (const { instructions } of seen) most = Math.max(most, instructions.total);
    return most;
  };

  it('does nothing for another canister, whose id is as long, though its message is the very one', async () => {
    const other = llm.replica.createCanister({ controllers: [controller] }).canisterId;
    expect(other.toUint8Array().length).toBe(llm.canisterId.toUint8Array().length);
    await whileRelayed(3, async (arg, session) => {
      const before = ok(await owner.progress(session, 0)).output_tokens;
      await expect(send(other, arg)).rejects.toThrow('generate: expected (text), got something else');
      expect(before).toBeGreaterThan(0);
    });
  });

  it('does nothing for a message of an earlier use of its record', async () => {
    let earlier = new Uint8Array();
    await whileRelayed(3, async (arg) => {
      earlier = new Uint8Array(arg);
    });
    await whileRelayed(3, async (arg) => {
      // the same record, another serial
      expect(earlier.subarray(5)).toEqual(arg.subarray(5));
      expect(earlier.subarray(1, 5)).not.toEqual(arg.subarray(1, 5));
      // a step takes more than a million
      const steps: number[] = [];
      await watching(
        (run) => {
          if (isFromSelf(run) && run.arg && Buffer.from(run.arg).equals(earlier)) steps.push(llm.newMessages().length);
          return undefined;
        },
        async () => {
          const before = llm.replica.messages.length;
          await send(llm.canisterId, earlier);
          const own = llm.replica.messages
            .slice(before)
            .filter(({ kind, method }) => kind === 'update' && method === 'generate');
          expect(Math.min(...own.map(({ instructions }) => instructions.total))).toBeLessThan(200_000);
        },
      );
      expect(steps).toHaveLength(1);
    });
    expect(await costOf(() => send(llm.canisterId, earlier))).toBeLessThan(200_000);
  });

  it('stops at every id that stops, wherever it stands among them', async () => {
    const at = ids.findIndex((id, i) => i >= 10 && ids.indexOf(id) === i);
    expect(at).toBeGreaterThan(0);
    const unseen = Array.from({ length: 400 }, (_, id) => id + 2).filter((id) => !ids.includes(id));
    const places: [place: number, count: number][] = [
      [0, 8],
      [1, 8],
      [4, 8],
      [7, 8],
      [0, 1],
      [1, 2],
    ];
    for (const [place, count] of places) {
      const stops = unseen.slice(0, count);
      stops[place] = ids[at]!;
      llm.newMessages();
      const answer = ok(await owner.generate_with(prompt, ...options({ eos_token_id: stops })));
      expect(Array.from(answer.token_ids)).toEqual(ids.slice(0, at + 1));
      expect(answer.finish_reason).toEqual({ stop: null });
      // by the native loop: the interpreter alone touches some 30 pages
      const steps = llm
        .newMessages()
        .filter(
          ({ kind, method, caller }) =>
            kind === 'update' && method === 'generate' && caller.compareTo(llm.canisterId) === 'eq',
        );
      expect(steps).toHaveLength(at);
      expect(steps.every(({ pagesTouched }) => pagesTouched.heapWritten <= 8)).toBe(true);
    }
  });
});

describe('a step that fails', () => {
  it('for ever fails its session after three tries, with the reason; it can be resumed', async () => {
    let tries = 0;
    const answer = await watching(
      (run) => {
        if (!isFromSelf(run)) return undefined;
        tries += 1;
        return 1_000;
      },
      () => owner.generate(prompt),
    );
    expect(tries).toBe(3);
    const failed = 'Err' in answer && 'Failed' in answer.Err ? answer.Err.Failed : undefined;
    expect(failed?.message).toContain('instructions');
    const state = ok(await owner.progress(failed!.session, 0)).state;
    expect(state).toEqual({ failed: failed!.message });
    expect(ok(await owner.resume(failed!.session)).text).toBe(text);
  });

  it('twice and then not is made good, and begins to count anew', async () => {
    let seen = 0;
    const answer = await watching(
      (run) => (isFromSelf(run) && ++seen % 3 !== 0 ? 1_000 : undefined),
      () => owner.generate_with(prompt, ...options({ max_new_tokens: 5, do_sample: true, top_k: 1 })),
    );
    expect(Array.from(ok(answer).token_ids)).toEqual(ids.slice(0, 5));
    expect(seen).toBe(12);
  });

  it('that nobody waits for: the watchdog tries as often, and fails it', async () => {
    let tries = 0;
    const id = await watching(
      (run) => {
        if (!isFromSelf(run)) return undefined;
        tries += 1;
        return 1_000;
      },
      async () => {
        const id = ok(await owner.start(prompt, []));
        for (let i = 0; i < 40; i++) {
          llm.replica.advanceTime(16_000);
          for (let j = 0; j < 20; j++) await pause();
          if ('failed' in ok(await owner.progress(id, 0)).state) break;
        }
        return id;
      },
    );
    expect(ok(await owner.progress(id, 0)).state).toEqual({ failed: expect.stringContaining('instructions') });
    // the one that nobody awaits, then three that the watchdog does
    expect(tries).toBe(4);
  });
});

describe('the caches of two models', () => {
  it('are two: the same prompt has each model\u2019s own answer, with encodings and answers kept', async () => {
    const json = {
      vocab_size: 1200,
      d_model: 64,
      d_kv: 16,
      d_ff: 128,
      num_layers: 2,
      num_heads: 4,
      relative_attention_num_buckets: 32,
      relative_attention_max_distance: 128,
      feed_forward_proj: 'gated-gelu',
      tie_word_embeddings: false,
    };
    const shape = { name: 'little', json, config: parseT5Config(json, 'little') };
    const [one, two] = [(await randomModel(shape, { seed: 11 })).pack, (await randomModel(shape, { seed: 12 })).pack];
    const [first, second] = [sha256Of(one), sha256Of(two)];
    const fresh = await install();
    const me = fresh.as();
    ok(await me.set_settings(change({ answer_cache: true })));
    const short = options({ max_new_tokens: 8 });
    const ask = async () => Array.from(ok(await me.generate_with('what is hot?', ...short)).token_ids);
    await upload(me, one);
    const ofFirst = await ask();
    await upload(me, two);
    const ofSecond = await ask();
    expect(ofSecond).not.toEqual(ofFirst);
    // both are cached by now
    for (const [sha256, expected, length] of [
      [first, ofFirst, 7],
      [second, ofSecond, 7],
      [first, ofFirst, 6],
    ] as const) {
      ok(await me.model_activate(sha256));
      expect(await ask()).toEqual(expected);
      // another length is another answer to the answer cache
      const other = options({ max_new_tokens: length });
      const again = ok(await me.generate_with('what is hot?', ...other));
      expect(again.embedding_cached).toBe(true);
      expect(Array.from(again.token_ids)).toEqual(expected.slice(0, length));
    }
    expect((await me.status()).embeddings).toBe(2);
  });
});
