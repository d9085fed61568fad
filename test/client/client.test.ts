/** The client against the canister on the replica, over HTTP. */
import { readFileSync } from 'node:fs';
import { HttpAgent, TrustError } from '@dfinity/agent';
import { Ed25519KeyIdentity } from '@dfinity/identity';
import type { Principal } from '@dfinity/principal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Client,
  connect,
  EmptyPrompt,
  GenerateError,
  InvalidOptions,
  InvalidPack,
  PromptTooLong,
  UploadError,
} from '../../src/client/index.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { LocalNetwork } from '../../src/node/network/local-network.ts';

const { cases } = JSON.parse(readFileSync('models/little-flan/expected.json', 'utf8'));
const apples: { prompt: string; prompt_ids: number[]; text: string; ids: number[] } = cases[0];

let network: LocalNetwork;
let canisterId: Principal;
let client: Client;
let pack: Uint8Array;

beforeAll(async () => {
  pack = new Uint8Array(readFileSync((await packFolder('models/little-flan', 'int8')).path));
  // an answer is to come in pieces on the fastest machine
  network = await LocalNetwork.start(0, { messagePause: 10 });
  ({ canisterId } = await network.install('llm'));
  client = await connect({ host: network.url, canisterId, identity: network.identity });
});
afterAll(() => network.close());

const chunksSince = (at: number): number =>
  network.replica.messages.slice(at).filter(({ kind, method }) => kind === 'update' && method === 'upload_chunk')
    .length;

/** An agent whose requests fail as `fails` says, and which does not try again by itself. */
function lossyAgent(fails: (url: string) => boolean): Promise<HttpAgent> {
  const lossy: typeof fetch = async (...request) => {
    if (fails(String(request[0]))) throw new TypeError('the line is dead');
    return await fetch(...request);
  };
  const { identity, url: host } = network;
  return HttpAgent.create({ host, identity, fetch: lossy, shouldFetchRootKey: true, retryTimes: 0 });
}

// in this order: the model that the others ask comes from here
describe('uploadPack', () => {
  it('is refused to a stranger', async () => {
    const stranger = await connect({ host: network.url, canisterId, identity: Ed25519KeyIdentity.generate() });
    // before the canister reads it, by inspect_message
    await expect(stranger.uploadPack(pack)).rejects.toThrow(/upload_start: expected a controller of/);
  });

  it('throws what the canister says of a pack that is none', async () => {
    const error: unknown = await client.uploadPack(new Uint8Array(100)).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(InvalidPack);
    expect(error).toBeInstanceOf(UploadError);
    expect(error).toMatchObject({
      name: 'InvalidPack',
      code: 'InvalidPack',
      message: expect.stringMatching(/^upload_commit: pack: expected/),
    });
  });

  it('broken off, and on a line that loses calls, goes on where it was: no chunk is taken twice', async () => {
    const begun = network.replica.messages.length;
    const controller = new AbortController();
    const broken = client.uploadPack(pack, {
      parallel: 1,
      signal: controller.signal,
      onProgress: ({ uploaded }) => uploaded > 0 && controller.abort(new Error('broken off')),
    });
    await expect(broken).rejects.toThrow('broken off');
    expect(chunksSince(begun)).toBe(1);

    let requests = 0;
    const lossy = await connect({ canisterId, agent: await lossyAgent(() => ++requests > 1 && requests % 4 === 0) });
    const progress: number[] = [];
    await lossy.uploadPack(pack, { onProgress: ({ uploaded }) => progress.push(uploaded) });
    expect(chunksSince(begun)).toBe(Math.ceil(pack.length / 2 ** 20));
    expect(progress[0]).toBeGreaterThan(0);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBe(pack.length);
    expect(await client.modelInfo()).toMatchObject({ name: 'little-flan', bytes: BigInt(pack.length) });
  });

  it('sends nothing where the pack is the model already', async () => {
    // by what is sent: the canister's own messages after the upload before may run at any time
    let calls = 0;
    const watched = (url: string): boolean => {
      if (url.endsWith('/call')) calls += 1;
      return false;
    };
    const other = await connect({ canisterId, agent: await lossyAgent(watched) });
    await other.uploadPack(pack);
    expect(calls).toBe(0);
    await other.actor.generate('hi');
    expect(calls).toBe(1);
  });

  it('gives up where calls get lost more often than `retries`', async () => {
    let dead = false;
    const other = await connect({ canisterId, agent: await lossyAgent(() => dead) });
    dead = true;
    await expect(other.uploadPack(pack, { retries: 1 })).rejects.toThrow('the line is dead');
  });
});

describe('generate', () => {
  it('gives the whole answer', async () => {
    const answer = await client.generate(apples.prompt);
    expect(answer).toMatchObject({ text: apples.text, token_ids: apples.ids, finish_reason: 'stop' });
    expect(answer).toMatchObject({
      prompt_tokens: apples.prompt_ids.length,
      output_tokens: apples.ids.length,
      calls: apples.ids.length,
    });
  });

  it('takes options by their names in the canister', async () => {
    const answer = await client.generate(apples.prompt, { max_new_tokens: 5, tokens_per_call: 'auto' });
    expect(answer).toMatchObject({ token_ids: apples.ids.slice(0, 5), finish_reason: 'length', calls: 1 });
  });

  it.each([
    ['EmptyPrompt', EmptyPrompt, '  ', {}],
    ['PromptTooLong', PromptTooLong, 'word '.repeat(600), {}],
    ['InvalidOptions', InvalidOptions, 'hi', { max_new_tokens: 0 }],
  ])('throws %s', async (code, ErrorClass, prompt, options) => {
    const error: unknown = await client.generate(prompt, options).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ErrorClass);
    expect(error).toBeInstanceOf(GenerateError);
    expect(error).toMatchObject({
      name: code,
      code,
      message: expect.stringMatching(/^generate(_with)?: expected .*, got/),
    });
  });
});

describe('stream', () => {
  it('gives the same text in pieces', async () => {
    const answer = client.stream(apples.prompt);
    const pieces: string[] = [];
    for await (const piece of answer) pieces.push(piece);
    expect(pieces.join('')).toBe(apples.text);
    expect(pieces.length).toBeGreaterThan(2);
    expect(answer).toMatchObject({
      text: apples.text,
      finish_reason: 'stop',
      usage: { output_tokens: apples.ids.length },
    });
  });

  it('is cancelled by its signal', async () => {
    const stop = new AbortController();
    const answer = client.stream(apples.prompt, { signal: stop.signal });
    const read = async () => {
      for await (const _ of answer) stop.abort(new Error('enough'));
    };
    await expect(read()).rejects.toThrow('enough');
    const again = client.follow(answer.session!)[Symbol.asyncIterator]();
    const whole = async () => {
      while (!(await again.next()).done);
    };
    await expect(whole()).rejects.toMatchObject({ code: 'Cancelled' });
  });

  it('survives the network being cut', async () => {
    let cut = false;
    const shaky = await connect({ canisterId, agent: await lossyAgent(() => cut) });
    let text = '';
    for await (const piece of shaky.stream(apples.prompt)) {
      if (text === '') {
        cut = true;
        setTimeout(() => {
          cut = false;
        }, 500);
      }
      text += piece;
    }
    expect(text).toBe(apples.text);
  });

  it('is refused to whom the session does not belong', async () => {
    const { session } = await client.generate('opposite of hot:');
    const stranger = await connect({ host: network.url, canisterId });
    const read = stranger.follow(session)[Symbol.asyncIterator]().next();
    await expect(read).rejects.toMatchObject({ code: 'NoSuchSession' });
  });
});

it('believes no network whose root key it was not told', async () => {
  const wary = await connect({ host: network.url, canisterId, fetchRootKey: false });
  await expect(wary.generate('hi')).rejects.toBeInstanceOf(TrustError);
  const told = await connect({ host: network.url, canisterId, rootKey: network.server.authority.rootKey });
  expect((await told.generate('opposite of hot:')).text).toBe('cold');
});
