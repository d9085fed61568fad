/**
 * Several canisters as one, over actors that answer by script: which of them is asked, and when it is the next one's
 * turn.
 */
import { RejectError, type RequestId, UncertifiedRejectErrorCode } from '@dfinity/agent';
import { describe, expect, it } from 'vitest';
import { Client, type Llm, NoModel, Unavailable } from '../../src/client/index.ts';
import { together } from '../../src/client/together.ts';

const rejected = (code: number, errorCode: string) =>
  RejectError.fromCode(
    new UncertifiedRejectErrorCode(new Uint8Array(32) as RequestId, code, 'it says no', errorCode, undefined),
  );

interface Script {
  busy?: number;
  /** What `start` and `generate` do in place of answering. */
  instead?: Error | object;
  hasModel?: boolean;
  isSilent?: boolean;
}

/** A canister with this name; its sessions are called after it. */
function member(name: string, asked: string[], { busy = 0, instead, hasModel = true, isSilent }: Script = {}): Llm {
  const answer = (method: string, ok: unknown) => {
    asked.push(`${name}.${method}`);
    if (instead instanceof Error) throw instead;
    return instead ? { Err: instead } : { Ok: ok };
  };
  const own = (session: string, ok: unknown) =>
    session.startsWith(name) ? { Ok: ok } : { Err: { NoSuchSession: 'who?' } };
  return {
    status: async () => {
      if (isSilent) throw rejected(5, 'IC0508');
      return { model: hasModel ? ['m'] : [], generating: busy, queued: 0, sessions: 1, cycles: 5n };
    },
    start: async () => answer('start', `${name}/1`),
    generate: async () =>
      answer('generate', { session: `${name}/2`, text: `by ${name}`, token_ids: [], finish_reason: { stop: null } }),
    progress: async (session: string) => {
      asked.push(`${name}.progress`);
      return own(session, { output_tokens: 1, text: `by ${name}`, state: { finished: { stop: null } } });
    },
    cancel: async (session: string) => {
      asked.push(`${name}.cancel`);
      return own(session, null);
    },
    model_info: async () => [{ name }],
  } as unknown as Llm;
}

/** A client of canisters a, b, … as they are scripted, and the calls that they get. */
function clientOf(...scripts: Script[]): { client: Client; asked: string[] } {
  const asked: string[] = [];
  const members = scripts.map((script, i) => member('abcdef'[i]!, asked, script));
  return { client: new Client(together(members), members), asked };
}

async function read(client: Client): Promise<string> {
  const stream = client.stream('hello', { patience: 0 });
  for await (const _ of stream);
  return stream.text;
}

describe('a question', () => {
  it('goes to the least busy canister, and its session stays there', async () => {
    const { client, asked } = clientOf({ busy: 3 }, { busy: 1 }, { busy: 2 });
    expect(await read(client)).toBe('by b');
    expect(asked).toEqual(['b.start', 'b.progress']);
  });

  it('goes to each of those that are as busy', async () => {
    const { client, asked } = clientOf({}, {}, { busy: 1 });
    for (let i = 0; i < 64; i++) await client.generate('hello');
    expect(new Set(asked)).toEqual(new Set(['a.generate', 'b.generate']));
  });

  it.each([
    ['is stopped', rejected(5, 'IC0508')],
    ['is stopping', rejected(5, 'IC0509')],
    ['is out of cycles', rejected(2, 'IC0207')],
    ['is not there', rejected(3, 'IC0301')],
    ['has no code', rejected(5, 'IC0537')],
    ['is full', { Unavailable: 'too many wait' }],
    ['has no model', { NoModel: 'none' }],
  ])('goes on to the next where one %s', async (_, instead) => {
    const { client, asked } = clientOf({ busy: 0, instead }, { busy: 9 });
    expect(await read(client)).toBe('by b');
    expect(asked).toEqual(['a.start', 'b.start', 'b.progress']);
  });

  it('is asked last of those that do not say how busy they are, or have no model', async () => {
    const { client, asked } = clientOf({ isSilent: true }, { hasModel: false }, { busy: 50 });
    await client.generate('hello');
    expect(asked).toEqual(['c.generate']);
  });

  it.each([
    ['may have begun: it trapped', rejected(5, 'IC0503')],
    ['may have begun: an error without a reject', new Error('the line is dead')],
  ])('does not go on where a canister %s', async (_, instead) => {
    const { client, asked } = clientOf({ instead }, { busy: 9 });
    await expect(client.generate('hello')).rejects.toBe(instead);
    expect(asked).toEqual(['a.generate']);
  });

  it('is refused as the last one that may take it later refused it', async () => {
    const full = { instead: { Unavailable: 'full' } };
    const { client } = clientOf({ ...full, busy: 1 }, { instead: { NoModel: 'none' } });
    await expect(client.generate('hello', { patience: 0 })).rejects.toThrow(Unavailable);
    const empty = clientOf({ instead: { NoModel: 'none' } }, { instead: rejected(5, 'IC0508') });
    await expect(empty.client.generate('hello')).rejects.toThrow(NoModel);
  });

  it('throws what the last one threw where all are stopped', async () => {
    const stopped = rejected(5, 'IC0508');
    const { client } = clientOf({ instead: stopped }, { instead: stopped });
    await expect(client.generate('hello')).rejects.toBe(stopped);
  });
});

describe('a session', () => {
  it('that this client did not begin is looked for', async () => {
    const { client, asked } = clientOf({}, {}, {});
    for await (const _ of client.follow('c/7'));
    await client.cancel('c/7');
    expect(asked).toEqual(['a.progress', 'b.progress', 'c.progress', 'c.cancel']);
  });

  it('that nobody has is told so', async () => {
    const { client } = clientOf({}, {});
    await expect(client.cancel('z/1')).rejects.toThrow('who?');
  });
});

it('status is of all of them, the model of the first', async () => {
  const { client } = clientOf({ busy: 1 }, { busy: 2 });
  expect(await client.status()).toMatchObject({ generating: 3, sessions: 2, cycles: 10n });
  expect(await client.modelInfo()).toMatchObject({ name: 'a' });
});

it('one canister is itself, none is a mistake', () => {
  const alone = member('a', []);
  expect(together([alone])).toBe(alone);
  expect(() => together([])).toThrow('connect: expected the id of at least one canister, got none');
});
