/** Reading a stream over an actor that answers by script: every way a poll can go. */
import {
  HttpFetchErrorCode,
  RejectError,
  type RequestId,
  TransportError,
  UncertifiedRejectErrorCode,
} from '@dfinity/agent';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Cancelled, Client, Failed, GenerateError, type Llm } from '../../src/client/index.ts';
import type { Progress, ProgressResult, SessionState, StartResult } from '../../src/interface/llm.did.ts';

const lost = () => TransportError.fromCode(new HttpFetchErrorCode(new Error('the line is dead')));
const rejected = (code: number, errorCode: string) =>
  RejectError.fromCode(
    new UncertifiedRejectErrorCode(new Uint8Array(32) as RequestId, code, 'it says no', errorCode, undefined),
  );

const usage = {
  prompt_tokens: 3,
  calls: 1,
  messages: 2,
  instructions: 5n,
  unit_instructions: 4n,
  cycles: 6n,
  embedding_cached: false,
  answer_cached: false,
};
const at = (output_tokens: number, text: string, state: SessionState = { generating: null }): ProgressResult => ({
  Ok: { ...usage, output_tokens, text, state } satisfies Progress,
});
const stop: SessionState = { finished: { stop: null } };

/**
 * A client whose canister answers polls in this order, the last one for ever; `polls` are the tokens that were asked
 * from, `cancelled` the sessions.
 */
function scripted(answers: (ProgressResult | Error)[], starts: StartResult[] = [{ Ok: 'id' }]) {
  const polls: number[] = [];
  const cancelled: string[] = [];
  const next = <T>(list: T[]): T => (list.length > 1 ? list.shift()! : list[0]!);
  const actor = {
    start: async () => next(starts),
    cancel: async (session: string) => void cancelled.push(session),
    progress: async (session: string, from: number) => {
      expect(session).toBe('id');
      polls.push(from);
      const answer = next(answers);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  } as unknown as Llm;
  return { client: new Client(actor), polls, cancelled };
}

async function all(pieces: AsyncIterable<string>): Promise<string[]> {
  const read: string[] = [];
  for await (const piece of pieces) read.push(piece);
  return read;
}

describe('on the Internet Computer, where a token takes a round of a second and a query a fifth of one, a stream', () => {
  afterEach(() => void vi.useRealTimers());

  it('asks a few times a token, and gives each within a second', async () => {
    vi.useFakeTimers();
    const began = Date.now();
    const made = () => Math.min(Math.floor((Date.now() - began) / 1000), 40);
    let polls = 0;
    const actor = {
      start: async () => ({ Ok: 'id' }),
      progress: async (_: string, from: number) => {
        polls += 1;
        await new Promise((resolve) => setTimeout(resolve, 200));
        return at(made(), 'x'.repeat(made() - from), made() < 40 ? { generating: null } : stop);
      },
    } as unknown as Llm;
    const late: number[] = [];
    const read = async () => {
      let tokens = 0;
      for await (const text of new Client(actor).stream('joe')) {
        tokens += text.length;
        late.push(Date.now() - began - tokens * 1000);
      }
    };
    const reading = read();
    await vi.runAllTimersAsync();
    await reading;
    expect(polls).toBeGreaterThan(40);
    expect(polls).toBeLessThan(3 * 40);
    expect(Math.max(...late)).toBeLessThan(1000);
  });
});

describe('a stream', () => {
  it('gives the text in pieces, then the counts', async () => {
    const { client, polls } = scripted([at(0, ''), at(2, 'He gave'), at(3, ' away'), at(4, '', stop)]);
    const answer = client.stream('joe');
    expect(await all(answer)).toEqual(['He gave', ' away']);
    expect(polls).toEqual([0, 0, 2, 3]);
    expect(answer).toMatchObject({ session: 'id', text: 'He gave away', finish_reason: 'stop' });
    expect(answer.usage).toEqual({ ...usage, output_tokens: 4 });
  });

  it('passes over a node that lags: one that has fewer tokens, one that does not know the session yet', async () => {
    const unknown = { Err: { NoSuchSession: 'progress: expected the id of a session, got "id"' } };
    const { client, polls } = scripted([unknown, at(5, 'one'), at(3, ''), at(6, ' two', stop)]);
    expect(await all(client.stream('joe'))).toEqual(['one', ' two']);
    expect(polls).toEqual([0, 0, 5, 5]);
  });

  it('says at once that a session which it is to follow does not exist', async () => {
    const unknown = { Err: { NoSuchSession: 'progress: expected the id of a session, got "id"' } };
    const { client, polls } = scripted([unknown, at(5, 'one', stop)]);
    await expect(all(client.follow('id'))).rejects.toMatchObject({ code: 'NoSuchSession' });
    expect(polls).toEqual([0]);
  });

  it('passes over a node that lags once it has followed a session', async () => {
    const unknown = { Err: { NoSuchSession: 'progress: expected the id of a session, got "id"' } };
    const { client } = scripted([at(5, 'one'), unknown, at(6, ' two', stop)]);
    expect(await all(client.follow('id'))).toEqual(['one', ' two']);
  });

  it('goes on after lost polls and while the canister is stopped', async () => {
    const { client } = scripted([
      at(1, 'a'),
      lost(),
      lost(),
      rejected(5, 'IC0508'),
      rejected(2, 'IC0207'),
      at(2, 'b', stop),
    ]);
    expect((await all(client.stream('joe'))).join('')).toBe('ab');
  });

  it('gives up when patience ends, with what went wrong last', async () => {
    const { client } = scripted([at(1, 'a'), lost()]);
    const pieces: string[] = [];
    const read = async () => {
      for await (const piece of client.stream('joe', { patience: 300 })) pieces.push(piece);
    };
    await expect(read()).rejects.toThrow('the line is dead');
    expect(pieces).toEqual(['a']);
  });

  it.each([
    ['a trap', 5, 'IC0503'],
    ['a canister that is not there', 3, 'IC0301'],
  ])('does not wait for %s to pass', async (_, code, errorCode) => {
    const { client, polls } = scripted([rejected(code, errorCode)]);
    await expect(all(client.stream('joe'))).rejects.toThrow('it says no');
    expect(polls).toHaveLength(1);
  });

  it.each<[string, SessionState, typeof Failed | typeof Cancelled]>([
    ['Failed', { failed: 'a step trapped' }, Failed],
    ['Cancelled', { cancelled: null }, Cancelled],
  ])('throws %s, with the text so far kept', async (code, state, ErrorClass) => {
    const { client } = scripted([at(1, 'a', state)]);
    const answer = client.stream('joe');
    const error: unknown = await all(answer).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ErrorClass);
    expect(error).toBeInstanceOf(GenerateError);
    expect(error).toMatchObject({
      name: code,
      code,
      detail: { session: 'id' },
      variant: { [code]: { session: 'id' } },
    });
    expect(answer.text).toBe('a');
  });

  it('starts again while the canister is unavailable, and only then', async () => {
    const busy = { Err: { Unavailable: 'start: too much to do' } };
    const { client } = scripted([at(1, 'a', stop)], [busy, { Ok: 'id' }]);
    expect(await all(client.stream('joe'))).toEqual(['a']);
    await expect(all(scripted([], [busy]).client.stream('joe', { patience: 0 }))).rejects.toMatchObject({
      code: 'Unavailable',
    });
    const empty = scripted([], [{ Err: { EmptyPrompt: 'start: expected a prompt, got no text' } }]);
    const error: unknown = await all(empty.client.stream('')).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(GenerateError);
    expect(error).toMatchObject({ code: 'EmptyPrompt', message: 'start: expected a prompt, got no text' });
  });

  it("ends with the signal's reason, whenever it comes", async () => {
    const reason = new Error('enough');
    await expect(all(scripted([at(0, '')]).client.stream('joe', { signal: AbortSignal.abort(reason) }))).rejects.toBe(
      reason,
    );

    const controller = new AbortController();
    const { client, polls, cancelled } = scripted([at(1, 'a'), at(1, '')]);
    const pieces: string[] = [];
    const read = async () => {
      for await (const piece of client.stream('joe', { signal: controller.signal })) {
        pieces.push(piece);
        setTimeout(() => controller.abort(reason), 10);
      }
    };
    await expect(read()).rejects.toBe(reason);
    expect(pieces).toEqual(['a']);
    const made = polls.length;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(polls).toHaveLength(made);
    expect(cancelled).toEqual(['id']);
  });

  it('cancels a session that opens after the signal came', async () => {
    const { client, cancelled } = scripted([at(0, '')]);
    const controller = new AbortController();
    const reading = all(client.stream('joe', { signal: controller.signal }));
    controller.abort(new Error('at once'));
    await expect(reading).rejects.toThrow('at once');
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(cancelled).toEqual(['id']);
  });

  it('leaves the session working where its reader leaves, or only followed it', async () => {
    const { client, cancelled } = scripted([at(1, 'a')]);
    for await (const _ of client.stream('joe')) break;
    const signal = AbortSignal.timeout(20);
    await expect(all(client.follow('id', { signal }))).rejects.toThrow(/timeout/);
    expect(cancelled).toEqual([]);
  });

  it('follows a session that somebody has started', async () => {
    const { client } = scripted([at(7, 'all of it', stop)]);
    expect(await all(client.follow('id'))).toEqual(['all of it']);
  });
});
