/**
 * The generation cache and its turns: states, owners, pages, cancelling, limits, what goes on after stops and upgrades.
 */
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReplicaOptions } from '../../packages/replica/src/index.ts';
import type { Progress } from '../../src/interface/llm.did.ts';
import { type _SERVICE as Llm, idlService as service } from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { change, controller, type Installed, install, listOptions, ok, options, stranger, upload } from './llm.ts';

const apples: { prompt: string; prompt_ids: number[]; ids: number[]; text: string } = JSON.parse(
  readFileSync('models/little-flan/expected.json', 'utf8'),
).cases[0];
const { prompt, text } = apples;
const made = apples.ids.length;
const person = (n: number) => Principal.selfAuthenticating(new Uint8Array([9, n]));

let llm: Installed;
let owner: Llm;

async function installWithModel(options: ReplicaOptions = {}): Promise<void> {
  llm = await install(options);
  owner = llm.as();
  await upload(owner, readFileSync((await packFolder('models/little-flan', 'int8')).path));
}
beforeAll(() => installWithModel());

beforeEach(async () => {
  const usual = { max_active: 8, max_sessions_per_caller: 64, max_finished: 1000, tokens_per_call: 4 };
  ok(await owner.set_settings(change(usual)));
});

const tick = () => new Promise((resolve) => setTimeout(resolve, 10));

/** Reads a session until `enough`. */
async function read(session: string, enough: (p: Progress) => boolean, actor = owner): Promise<Progress> {
  for (let i = 0; i < 5_000; i++) {
    const progress = ok(await actor.progress(session, 0));
    if (enough(progress)) return progress;
    await tick();
  }
  throw new Error(`session ${session} did not come that far`);
}
const finished = (p: Progress): boolean => 'finished' in p.state;

describe('turns', () => {
  it('lets sessions wait where as many as may be are worked on, and all get their answers', async () => {
    ok(await owner.set_settings(change({ max_active: 2 })));
    const ids = [];
    for (let i = 0; i < 6; i++) ids.push(ok(await owner.start(prompt, [])));
    const { generating, queued } = await owner.status();
    expect(generating).toBe(2);
    expect(queued).toBeGreaterThan(0);
    expect(ok(await owner.progress(ids.at(-1)!, 0)).state).toEqual({ queued: null });
    for (const id of ids) expect((await read(id, finished)).text).toBe(text);
  });

  it('answers calls that wait for their turn', async () => {
    ok(await owner.set_settings(change({ max_active: 1 })));
    const answers = await Promise.all([1, 2, 3, 4].map(async () => ok(await owner.generate(prompt))));
    expect(answers.map((a) => a.text)).toEqual([text, text, text, text]);
    for (const { calls } of answers) expect(calls).toBe(Math.ceil(made / 4));
  });

  it('takes callers in turn: one with many sessions does not keep another waiting', async () => {
    ok(await owner.set_settings(change({ max_active: 1 })));
    const many = [];
    for (let i = 0; i < 10; i++) many.push(ok(await owner.start(prompt, [])));
    const one = ok(await llm.as(stranger).start(prompt, []));
    await read(one, finished, llm.as(stranger));
    const done = await Promise.all(many.map(async (id) => finished(ok(await owner.progress(id, 0)))));
    expect(done.filter(Boolean).length).toBeLessThanOrEqual(3);
    for (const id of many) await read(id, finished);
  });

  it('drives a session by one chain only, however often it is resumed', async () => {
    const id = ok(await owner.start(prompt, []));
    const answers = await Promise.all([owner.resume(id), owner.resume(id), owner.resume(id)]);
    for (const answer of answers)
      expect(ok(answer)).toMatchObject({ text, calls: Math.ceil(made / 4), output_tokens: made });
  });
});

describe('cancel and delete', () => {
  it('ends a session, which keeps its text and can be resumed', async () => {
    const id = ok(await owner.start(prompt, []));
    await read(id, (p) => p.output_tokens > 5);
    expect(await owner.cancel(id)).toEqual({ Ok: null });
    const cancelled = ok(await owner.progress(id, 0));
    expect(cancelled.state).toEqual({ cancelled: null });
    expect(text.startsWith(cancelled.text)).toBe(true);
    await tick();
    expect(ok(await owner.progress(id, 0)).output_tokens).toBe(cancelled.output_tokens);
    expect(ok(await owner.resume(id)).text).toBe(text);
  });

  it('tells a call that waits for a session that is cancelled', async () => {
    const id = ok(await owner.start(prompt, []));
    const waiting = owner.resume(id);
    await read(id, (p) => p.output_tokens > 2);
    await owner.cancel(id);
    expect(await waiting).toMatchObject({ Err: { Cancelled: { session: id } } });
  });

  it('takes a session that waits out of the queue', async () => {
    ok(await owner.set_settings(change({ max_active: 1 })));
    const [first, second] = [ok(await owner.start(prompt, [])), ok(await owner.start(prompt, []))];
    expect(await owner.delete(second)).toEqual({ Ok: null });
    expect(await owner.progress(second, 0)).toMatchObject({ Err: { NoSuchSession: expect.any(String) } });
    expect((await owner.status()).queued).toBe(0);
    await read(first, finished);
  });
});

describe('owners', () => {
  it('are the only ones who read, cancel, delete and resume', async () => {
    const { session } = ok(await llm.as(person(1)).generate('opposite of hot:'));
    const other = llm.as(stranger);
    for (const result of [
      other.progress(session, 0),
      other.cancel(session),
      other.delete(session),
      other.resume(session),
    ]) {
      // as for an id that there is not
      const message = expect.stringMatching(
        `: expected the id of a session of ${stranger.toText()}, got "${session}"$`,
      );
      expect(await result).toEqual({ Err: { NoSuchSession: message } });
    }
    expect(ok(await owner.progress(session, 0)).text).toBe('cold');
  });

  it('an anonymous caller is whoever has the id, and gets no list of them', async () => {
    const { session } = ok(await llm.as(Principal.anonymous()).generate('opposite of hot:'));
    expect(ok(await llm.as(stranger).progress(session, 0)).text).toBe('cold');
    expect(await llm.as(Principal.anonymous()).list([])).toEqual({ Ok: [] });
  });

  it('list their own, newest first, by pages', async () => {
    const me = llm.as(person(2));
    const ids = [];
    for (let i = 0; i < 5; i++)
      ids.unshift(ok(await me.generate_with(`what color is the sky? ${i}`, ...options({ max_new_tokens: 1 }))).session);
    const first = ok(await me.list(listOptions({ limit: 2 })));
    expect(first.map((s) => s.session)).toEqual(ids.slice(0, 2));
    expect(first[0]).toMatchObject({
      owner: person(2).toText(),
      prompt: 'what color is the sky? 4',
      state: { finished: { length: null } },
    });
    expect(first[0]!.updated).toBeGreaterThanOrEqual(first[0]!.created);
    const rest = ok(await me.list(listOptions({ after: ids[1]! })));
    expect(rest.map((s) => s.session)).toEqual(ids.slice(2));
    expect(await llm.as(stranger).list(listOptions({ owner: person(2) }))).toMatchObject({
      Err: { NotYours: expect.any(String) },
    });
    expect(ok(await owner.list(listOptions({ owner: person(2) })))).toHaveLength(5);
  });
});

describe('limits', () => {
  it('of one caller: sessions under way', async () => {
    ok(await owner.set_settings(change({ max_active: 1, max_sessions_per_caller: 2 })));
    const me = llm.as(person(3));
    const ids = [ok(await me.start(prompt, [])), ok(await me.start(prompt, []))];
    const message = 'start: expected fewer than 2 sessions of one caller under way, got 2';
    expect(await me.start(prompt, [])).toEqual({ Err: { LimitReached: message } });
    for (const id of ids) await read(id, finished, me);
    ok(await me.generate_with('hi', ...options({ max_new_tokens: 1 })));
  });

  it('come before the tokenizer, to which a long prompt costs hundreds of millions', async () => {
    ok(await owner.set_settings(change({ max_sessions_per_caller: 1, max_active: 1 })));
    const me = llm.as(person(7));
    const id = ok(await me.start(prompt, options({ num_beams: 8 })));
    await tick();
    llm.newMessages();
    const dear = '\ud55c'.repeat(8_000);
    expect(await me.start(dear, [])).toMatchObject({ Err: { LimitReached: expect.any(String) } });
    const dearest = Math.max(...llm.newMessages().map(({ instructions }) => instructions.total));
    expect(dearest).toBeLessThan(200e6);
    ok(await me.delete(id));
  });

  it('of one caller: tokens a day, those of prompts too; what was not made was not spent', async () => {
    ok(await owner.set_settings(change({ tokens_per_day: 70n })));
    const me = llm.as(person(4));
    const { output_tokens } = ok(await me.generate_with('opposite of hot:', ...options({ max_new_tokens: 50 })));
    expect(output_tokens).toBeLessThan(10);
    ok(await me.generate_with('opposite of hot:', ...options({ max_new_tokens: 50 })));
    expect(await me.generate_with(prompt, ...options({ max_new_tokens: 60 }))).toMatchObject({
      Err: { LimitReached: expect.stringContaining('70 tokens a day') },
    });
    llm.replica.advanceTime(86_400_000);
    await llm.upgrade();
    ok(await me.generate_with('opposite of hot:', ...options({ max_new_tokens: 60 })));
    ok(await owner.set_settings(change({ tokens_per_day: 0n })));
  });

  it('of all: tokens a day, kept over upgrades, since another identity costs nothing', async () => {
    llm.replica.advanceTime(86_400_000);
    const most = 3 * (apples.prompt_ids.length + 10);
    ok(await owner.set_settings(change({ tokens_per_day_overall: BigInt(most) })));
    for (let i = 10; i < 13; i++) ok(await llm.as(person(i)).generate_with(prompt, ...options({ max_new_tokens: 10 })));
    await llm.upgrade();
    const message = expect.stringContaining(
      `expected at most ${most} tokens a day for all callers, got ${most} and up to 2 more`,
    );
    expect(await llm.as(person(13)).start(prompt, options({ max_new_tokens: 1 }))).toEqual({
      Err: { Unavailable: message },
    });
    ok(await owner.set_settings(change({ tokens_per_day_overall: 0n })));
  });

  it('of one caller: cycles a day, with prompts, cancelled work and what was refused after it was read', async () => {
    const B = 10n ** 9n;
    ok(await owner.set_settings(change({ cycles_per_day: 2n * B, tokens_per_call: 1, max_sessions_per_caller: 64 })));
    const me = llm.as(person(40));
    const long = Array(150).fill('what color is the sky').join(' ');
    llm.newMessages();
    let started = 0;
    let refused = '';
    for (; started < 60 && refused === ''; started++) {
      const answer = await me.start(`${started} ${long.slice(0, 1_200)}`, options({ max_new_tokens: 40 }));
      if ('Err' in answer) refused = JSON.stringify(answer.Err);
      else ok(await me.cancel(answer.Ok));
    }
    expect(refused).toContain('expected at most 2000000000 cycles a day');
    const messages = llm.newMessages().filter(({ kind }) => kind !== 'query' && kind !== 'inspectMessage');
    const spent = messages.reduce((sum, { instructions }) => sum + instructions.total + 5e6, 0);
    expect(spent).toBeLessThan(3e9);
    // refused for its length, which only reading it can tell
    const other = llm.as(person(41));
    for (let i = 0; i < 300; i++) {
      const answer = await other.start(`${i} ${long}`, options({ max_new_tokens: 1 }));
      if ('Err' in answer && 'LimitReached' in answer.Err) return;
      expect(answer).toMatchObject({ Err: { PromptTooLong: {} } });
    }
    expect.unreachable();
  });

  it('of one caller: calls that wait, for one session too', async () => {
    ok(await owner.set_settings(change({ cycles_per_day: 0n })));
    ok(await owner.set_settings(change({ max_sessions_per_caller: 3, tokens_per_call: 1 })));
    const me = llm.as(person(5));
    const id = ok(await me.start(prompt, []));
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => me.resume(id)));
    expect(answers.filter((answer) => 'Ok' in answer && answer.Ok.text === text)).toHaveLength(3);
    const message = 'resume: expected fewer than 3 calls of one caller to wait for their answer, got 3';
    expect(answers.filter((answer) => 'Err' in answer)).toEqual(Array(2).fill({ Err: { LimitReached: message } }));
  });

  it('of a page: prompts that are long make it shorter', async () => {
    const me = llm.as(person(6));
    for (let i = 0; i < 15; i++)
      ok(await me.start(`${' '.repeat(8_000)}opposite of hot: ${i}`, options({ max_new_tokens: 1 })));
    const page = ok(await me.list([]));
    expect(page.length).toBeLessThan(14);
    const rest = ok(await me.list(listOptions({ after: page.at(-1)!.session })));
    expect(page.length + rest.length).toBe(15);
    // by an update call, which the canister pays for, there is less of it
    const [, type] = service._fields.find(([name]) => name === 'list')!;
    const arg = new Uint8Array(IDL.encode(type.argTypes, [[]]));
    const reply = await llm.replica.updateCall({ canisterId: llm.canisterId, method: 'list', sender: person(6), arg });
    const [paid] = IDL.decode(type.retTypes, reply as Uint8Array<ArrayBuffer>) as unknown as [{ Ok: object[] }];
    expect(ok(paid).length).toBe(2);
  });

  it('of all: sessions that are over are kept up to a number, the oldest go first', async () => {
    ok(await owner.set_settings(change({ max_finished: 3 })));
    const ids = [];
    for (let i = 0; i < 5; i++)
      ids.push(ok(await owner.generate_with('hi', ...options({ max_new_tokens: 1 }))).session);
    expect((await owner.status()).sessions).toBe(3);
    expect(await owner.progress(ids[1]!, 0)).toMatchObject({ Err: { NoSuchSession: expect.any(String) } });
    expect('Ok' in (await owner.progress(ids[2]!, 0))).toBe(true);
  });

  it('of all: and up to an age', async () => {
    const { session } = ok(await owner.generate_with('hi', ...options({ max_new_tokens: 1 })));
    llm.replica.advanceTime(31 * 86_400_000);
    ok(await owner.generate_with('hi', ...options({ max_new_tokens: 1 })));
    expect(await owner.progress(session, 0)).toMatchObject({ Err: { NoSuchSession: expect.any(String) } });
  });
});

describe('what comes between', () => {
  // a pause after each message as long as the one between two looks at a session: else a fast machine is through with
  // an answer before anything comes between
  beforeAll(() => installWithModel({ messagePause: 10 }));

  it('an upgrade that finds many sessions: all wait again at once, and none is taken for over', async () => {
    const still = await install({ autoTick: false });
    const me = still.as();
    await upload(me, readFileSync((await packFolder('models/little-flan', 'int8')).path));
    const [most, wait] = [6, 56];
    ok(await me.set_settings(change({ max_active: 8 * most, max_finished: 0 })));
    // as many as are worked on at once, each of which takes longer than a round, so that the others wait
    const long = options({ num_beams: 8, min_new_tokens: 500, max_new_tokens: 510 });
    const busy = (await Promise.all(Array.from({ length: most }, (_, i) => me.start(`${prompt} ${i}`, long)))).map(ok);
    still.replica.advanceTime(1000);
    const short = options({ max_new_tokens: 1 });
    const waits = Array.from({ length: wait }, (_, i) => me.start(`${' '.repeat(8_000)}é${i}`, short));
    const ids = (await Promise.all(waits)).map(ok);
    await still.upgrade();
    const { canisterId, replica } = still;
    replica.canister(canisterId)!.globalTimer = 0n;
    expect(await me.cancel(ids.at(-1)!)).toEqual({ Ok: null });
    const status = await me.status();
    expect(status).toMatchObject({ generating: most, queued: wait - 1 });
    // the one that was cancelled alone is over
    expect(status.sessions).toBe(most + wait - 1);
    expect(ok(await me.progress(ids.at(-2)!, 0)).state).toEqual({ queued: null });
    ok(await me.set_settings(change({ max_finished: 100 })));
    for (const id of busy) await me.cancel(id);
    for (let i = 0; i < 20; i++) await me.cancel('');
    for (const id of ids.slice(0, -1))
      expect(ok(await me.progress(id, 0)).state).toEqual({ finished: { length: null } });
  });

  it('a stop: it drains at once, calls that wait are told, and after the start the sessions go on by themselves', async () => {
    const id = ok(await owner.start(prompt, []));
    await read(id, (p) => p.output_tokens > 3);
    const waiting = owner.generate(`${prompt} `);
    await tick();
    llm.newMessages();
    await llm.replica.stopCanister({ canisterId: llm.canisterId, sender: controller });
    expect(llm.newMessages().length).toBeLessThan(12);
    const answer = await waiting;
    expect(answer).toMatchObject({ Err: { Failed: { message: expect.stringContaining('goes on by itself') } } });
    await llm.replica.startCanister({ canisterId: llm.canisterId, sender: controller });
    expect(finished(ok(await owner.progress(id, 0)))).toBe(false);
    llm.replica.advanceTime(60_000);
    expect((await read(id, finished)).text).toBe(text);
    const session = 'Err' in answer && 'Failed' in answer.Err ? answer.Err.Failed.session : '';
    expect((await read(session, finished)).text).toBe(text);
  });

  it('a timer that is lost: the next call from outside takes up what stands still', async () => {
    const id = ok(await owner.start(prompt, []));
    await read(id, (p) => p.output_tokens > 3);
    await llm.replica.stopCanister({ canisterId: llm.canisterId, sender: controller });
    llm.replica.canister(llm.canisterId)!.globalTimer = 0n;
    await llm.replica.startCanister({ canisterId: llm.canisterId, sender: controller });
    llm.replica.advanceTime(60_000);
    for (let i = 0; i < 20; i++) await tick();
    expect(finished(ok(await owner.progress(id, 0)))).toBe(false);
    await owner.cancel('');
    expect((await read(id, finished)).text).toBe(text);
    await llm.upgrade();
  });

  it('an upgrade: sessions that are worked on and sessions that wait go on by themselves', async () => {
    ok(await owner.set_settings(change({ max_active: 2 })));
    const ids = [];
    for (let i = 0; i < 5; i++) ids.push(ok(await owner.start(prompt, [])));
    await read(ids[0]!, (p) => p.output_tokens > 3);
    await llm.upgrade();
    expect((await owner.settings()).max_active).toBe(2);
    for (const id of ids) expect((await read(id, finished)).text).toBe(text);
    expect(await owner.status()).toMatchObject({ generating: 0, queued: 0 });
  });

  it('an upgrade while calls wait is refused, since their answers would come to a program that is no more', async () => {
    const before = ok(await owner.list([])).length;
    const waiting = owner.generate(prompt);
    while (ok(await owner.list([])).length === before) await tick();
    await expect(llm.upgrade()).rejects.toThrow('stop the canister first');
    expect(ok(await waiting).text).toBe(text);
    await llm.upgrade();
  });
});
