/**
 * The native loop: tokens made by messages that never enter the interpreter, told by the pages they touch; and
 * everything that may come between.
 */
import { readFileSync } from 'node:fs';
import { Principal } from '@dfinity/principal';
import { beforeAll, expect, it } from 'vitest';
import { Executor } from '../../packages/replica/src/executor.ts';
import type { MessageRecord } from '../../packages/replica/src/index.ts';
import type { _SERVICE as Llm } from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { change, controller, type Installed, install, listOptions, ok, options, stranger, upload } from './llm.ts';

const cases: { prompt: string; ids: number[]; text: string }[] = JSON.parse(
  readFileSync('models/little-flan/expected.json', 'utf8'),
).cases;
const { prompt, text, ids } = cases[0]!;
const made = ids.length;

let llm: Installed;
let owner: Llm;

beforeAll(async () => {
  llm = await install();
  owner = llm.as();
  await upload(owner, readFileSync((await packFolder('models/little-flan', 'int8')).path));
});

/** The interpreter alone touches some 30 pages. */
const without = ({ kind, pagesTouched }: MessageRecord): boolean =>
  kind === 'replyCallback' ? pagesTouched.heap <= 2 : pagesTouched.heapWritten <= 8;

/** What the canister sent itself since it was last asked, answers to it included. */
const own = (all = llm.newMessages()) => {
  const messages = all.filter(({ method }) => method === 'generate');
  return {
    steps: messages.filter(({ kind, caller }) => kind === 'update' && caller.compareTo(llm.canisterId) === 'eq'),
    callbacks: messages.filter(({ kind }) => kind === 'replyCallback'),
  };
};

/** The session that a call under way has opened, once it has so many tokens. */
async function underWay(tokens: number): Promise<string> {
  for (let i = 0; i < 5_000; i++) {
    const [newest] = ok(await owner.list(listOptions({ limit: 1 })));
    if (newest && 'generating' in newest.state && newest.output_tokens >= tokens) return newest.session;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('no session came that far');
}

/** What became of a session that goes on by itself. */
async function finished(session: string) {
  for (;;) {
    const progress = ok(await owner.progress(session, 0));
    if (!('queued' in progress.state || 'encoding' in progress.state || 'generating' in progress.state))
      return progress;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

it('makes all further tokens of a plain answer, and looks into TypeScript once in 32', async () => {
  // the first call of all asks for the canister's randomness, by a callback more
  ok(await owner.generate_with('hi', ...options({ max_new_tokens: 1 })));
  own();
  const answer = ok(await owner.generate(prompt));
  expect(answer).toMatchObject({ text, output_tokens: made, calls: made, finish_reason: { stop: null } });
  const { steps, callbacks } = own();
  expect(steps.length).toBe(made - 1);
  expect(steps.every(without)).toBe(true);
  expect(callbacks.map(without).flatMap((yes, i) => (yes ? [] : [i]))).toEqual([31, made - 2]);
  // what the session counted is what the messages took, its first and last apart
  const counted = [...steps, ...callbacks.slice(0, -1)].reduce((sum, { instructions }) => sum + instructions.total, 0);
  expect(Number(answer.instructions)).toBeGreaterThan(counted * 0.98);
  expect(Number(answer.unit_instructions)).toBeLessThan(Number(answer.instructions));
});

it('stops at max_new_tokens, and leaves to TypeScript what takes more than programs', async () => {
  const short = ok(await owner.generate_with(prompt, ...options({ max_new_tokens: 7 })));
  expect(short).toMatchObject({ output_tokens: 7, finish_reason: { length: null } });
  expect(own().steps.map(without)).toEqual(Array(6).fill(true));
  const drawn = ok(await owner.generate_with(prompt, ...options({ max_new_tokens: 7, do_sample: true, seed: 1n })));
  const { steps } = own();
  expect(steps.length).toBe(drawn.output_tokens - 1);
  expect(steps.some(without)).toBe(false);
});

it.each([
  ['draws', { do_sample: true, seed: 1n }],
  ['beams', { num_beams: 3 }],
])('leaves the steps of %s to TypeScript, and the replies to none but every 32nd and the last', async (_, given) => {
  own();
  const answer = ok(await owner.generate_with(prompt, ...options({ max_new_tokens: 40, ...given, eos_token_id: [] })));
  expect(answer.output_tokens).toBe(40);
  const all = llm.newMessages();
  const { steps } = own(all);
  const callbacks = all.filter(({ kind }) => kind === 'replyCallback');
  expect(steps.some(without)).toBe(false);
  expect(callbacks.map(without).flatMap((yes, i) => (yes ? [] : [i]))).toEqual([31, 38]);
  // they are on its bill, the message that it began with apart
  const counted = [...steps, ...callbacks].reduce((sum, { instructions }) => sum + instructions.total, 0);
  expect(Number(answer.instructions)).toBeGreaterThan(counted);
});

it('answers a drawn text when it is made, though another one goes on by native replies', async () => {
  const drawn = (max_new_tokens: number) =>
    owner.generate_with(prompt, ...options({ max_new_tokens, do_sample: true, seed: 1n, eos_token_id: [] }));
  const [short, long] = [drawn(5), drawn(60)];
  ok(await short);
  // looked at by itself, TypeScript would see the end after up to 31 more steps
  const [newest] = ok(await owner.list(listOptions({ limit: 1 })));
  expect(newest).toMatchObject({ state: { generating: null } });
  expect(newest!.output_tokens).toBeLessThan(20);
  expect(ok(await long).output_tokens).toBe(60);
});

it('shows its tokens while it goes on, and is ended by a cancel, after which it can be resumed', async () => {
  const answer = owner.generate(prompt);
  const session = await underWay(3);
  const progress = ok(await owner.progress(session, 0));
  expect(text.startsWith(progress.text)).toBe(true);
  expect(progress.calls).toBe(progress.output_tokens);
  await owner.cancel(session);
  expect(await answer).toMatchObject({ Err: { Cancelled: { session } } });
  const cancelled = ok(await owner.progress(session, 0));
  expect(cancelled.output_tokens).toBeGreaterThanOrEqual(progress.output_tokens);
  expect(text.startsWith(cancelled.text)).toBe(true);
  expect(ok(await owner.resume(session))).toMatchObject({ text, output_tokens: made });
});

it('goes beside others: the same texts as alone', async () => {
  const some = cases.slice(0, 6);
  const answers = await Promise.all(some.map(async (c) => ok(await owner.generate(c.prompt))));
  expect(answers.map((a) => a.text)).toEqual(some.map((c) => c.text));
});

it('what a trap in a callback, and in its cleanup, leaves counted is taken for lost after a while', async () => {
  const metric = async (name: string): Promise<number> => {
    const request = { method: 'GET', url: '/metrics', headers: [], body: new Uint8Array() };
    const text = new TextDecoder().decode(new Uint8Array((await owner.http_request(request)).body));
    return Number(new RegExp(`^stepwise_${name} (\\d+)$`, 'm').exec(text)![1]);
  };
  const sender = Principal.selfAuthenticating(Uint8Array.of(9));
  const caller = llm.as(sender);
  ok(await owner.set_settings(change({ max_sessions_per_caller: 70 })));
  const run = Executor.prototype.run;
  try {
    // what enters the interpreter takes more
    Executor.prototype.run = function (what) {
      const trapped = what.kind === 'replyCallback' || what.kind === 'cleanup';
      return run.call(this, trapped ? { ...what, limit: 500_000 } : what);
    };
    for (let i = 0; i < 70; i++) await expect(caller.generate('hi')).rejects.toThrow();
  } finally {
    Executor.prototype.run = run;
  }
  expect(await metric('calls_waiting')).toBe(70);
  const message = 'generate: expected fewer than 70 calls of one caller to wait for their answer, got 70';
  expect(await caller.generate('hi')).toEqual({ Err: { LimitReached: message } });
  llm.replica.advanceTime(301_000);
  expect(await metric('calls_waiting')).toBe(0);
  // their sessions are taken up, and those that waited behind them
  await owner.generate('hi');
  for (let s = await owner.status(); s.generating + s.queued > 0; s = await owner.status())
    await new Promise((resolve) => setTimeout(resolve, 5));
  const { session } = ok(await caller.generate('hi'));
  ok(await caller.delete(session));
  // there are loops still
  own();
  expect(ok(await owner.generate(prompt)).text).toBe(text);
  expect(own().steps.every(without)).toBe(true);
});

it('takes orders from the canister alone', async () => {
  await owner.generate(prompt);
  // as the canister writes to itself: kind, serial 1, a record's place
  const arg = Uint8Array.of(3, 1, 0, 0, 0, 0, 0, 32, 0);
  for (const sender of [stranger, controller, Principal.anonymous()]) {
    await expect(
      llm.replica.updateCall({ canisterId: llm.canisterId, method: 'generate', sender, arg }),
    ).rejects.toThrow('generate: expected (text), got something else');
  }
  expect(ok(await owner.generate(prompt)).text).toBe(text);
});

it('makes the tokens of what nobody waits for: one message each, and looks into TypeScript once in 32', async () => {
  own();
  const session = ok(await owner.start(prompt, []));
  const ended = await finished(session);
  const messages = llm.newMessages();
  expect(ended).toMatchObject({ text, output_tokens: made, calls: made, state: { finished: { stop: null } } });
  const { steps, callbacks } = own(messages);
  // there is none to call
  expect(callbacks.every(({ instructions }) => instructions.total === 0)).toBe(true);
  expect(steps.length).toBe(made);
  // the first encodes, the second is made by TypeScript that learns what a step takes; then 32, the last of which is
  // TypeScript's too
  expect(steps.flatMap((message, i) => (without(message) ? [] : [i]))).toEqual([0, 32, made - 1]);
  const updates = messages.filter(({ kind }) => kind === 'update');
  const all = updates.reduce((sum, { instructions }) => sum + instructions.total, 0);
  expect(Math.abs(Number(ended.instructions) / all - 1)).toBeLessThan(0.01);
});

it('of a chain is taken over by a call that waits, by a cancel, by a delete', async () => {
  const [taken, cancelled, deleted] = await Promise.all([0, 1, 2].map(async () => ok(await owner.start(prompt, []))));
  for (;;) {
    const { output_tokens } = ok(await owner.progress(cancelled!, 0));
    if (output_tokens > 3) break;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const answer = owner.resume(taken!);
  await owner.cancel(cancelled!);
  await owner.delete(deleted!);
  expect(ok(await answer)).toMatchObject({ text, output_tokens: made, calls: made });
  expect(text.startsWith(ok(await owner.progress(cancelled!, 0)).text)).toBe(true);
  expect(await owner.progress(deleted!, 0)).toMatchObject({ Err: { NoSuchSession: expect.any(String) } });
  expect(ok(await owner.resume(cancelled!))).toMatchObject({ text, output_tokens: made });
});
