/**
 * OpenAI's API by HTTP: npm's `openai` unmodified against the replica's gateway, which checks certificates as the
 * Internet Computer's do; who is let in; and bodies of all kinds, none of which traps or costs more than
 * docs/security.md says.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { IDL } from '@dfinity/candid';
import fc from 'fast-check';
import OpenAI, { type APIError } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Server, serve } from '../../packages/replica/src/http/serve.ts';
import { MAX_BODY_VALUES } from '../../src/interface/http-api.ts';
import { HttpRequest, HttpResponse, type _SERVICE as Llm } from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { browserProgram, launchBrowser } from '../../src/node/network/browser.ts';
import { llamaPack } from './llama-pack.ts';
import { change, type Installed, install, ok, options, stranger, upload } from './llm.ts';

const seed = Number(process.env['SEED'] ?? 2026);
const PATHS = ['/v1/chat/completions', '/v1/completions', '/v1/models'];
const TEMPLATE =
  '{% for m in messages %}<s>{{ m.role }}\n{{ m.content }}</s>\n{% endfor %}{% if add_generation_prompt %}<s>assistant\n{% endif %}';
const { prompt, text }: { prompt: string; text: string } = JSON.parse(
  readFileSync('models/little-flan/expected.json', 'utf8'),
).cases[0];

let installed: Installed;
let llm: Llm;
let server: Server;
beforeAll(async () => {
  installed = await install();
  llm = installed.as();
  server = await serve(installed.replica, { port: 0 });
  await upload(llm, new Uint8Array(readFileSync((await packFolder('models/little-flan', 'int8')).path)));
});
afterAll(async () => {
  await server.close();
  installed.replica.close();
});

/**
 * The client as its users have it. Node does not know names below localhost everywhere: the canister is in the query.
 */
const client = (apiKey = 'none'): OpenAI =>
  new OpenAI({
    apiKey,
    baseURL: `${server.url}/v1`,
    defaultQuery: { canisterId: installed.canisterId.toText() },
    maxRetries: 0,
  });
const errorOf = async (run: Promise<unknown>): Promise<APIError> =>
  await run.then(
    () => {
      throw new Error('expected an error, got an answer');
    },
    (error: APIError) => error,
  );
const ask = (path: string, init: RequestInit = {}) =>
  fetch(`${server.url}${path}?canisterId=${installed.canisterId}`, init);
const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  ask(path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
const say = (content: string) => [{ role: 'user' as const, content }];

describe('the openai package', () => {
  it('lists models, with the names that the setting maps to the active one', async () => {
    ok(await llm.set_settings(change({ model_names: [{ name: 'gpt-4o-mini', pack: '*' }] })));
    const { data } = await client().models.list();
    expect(data.map(({ id }) => id)).toEqual(['little-flan', 'gpt-4o-mini']);
  });

  it('chats and completes: the text, the counts and the reason are those of `generate`', async () => {
    const expected = ok(await llm.generate(prompt));
    const chat = await client().chat.completions.create({ model: 'gpt-4o-mini', messages: say(prompt) });
    expect(chat.choices[0]).toMatchObject({ message: { role: 'assistant', content: text }, finish_reason: 'stop' });
    const { prompt_tokens, output_tokens } = expected;
    const usage = { prompt_tokens, completion_tokens: output_tokens, total_tokens: prompt_tokens + output_tokens };
    expect(chat.usage).toEqual(usage);
    expect(chat.model).toBe('little-flan');
    expect(ok(await llm.progress(chat.id.replace('chatcmpl-', ''), 0)).text).toBe(text);
    const completion = await client().completions.create({ model: 'little-flan', prompt, max_tokens: 3 });
    expect(completion.choices[0]!.finish_reason).toBe('length');
    expect(text.startsWith(completion.choices[0]!.text)).toBe(true);
    expect(completion.usage!.completion_tokens).toBe(3);
  });

  it('streams: all of it in one body', async () => {
    let written = '';
    const stream = await client().chat.completions.create({
      model: 'little-flan',
      messages: say(prompt),
      stream: true,
      stream_options: { include_usage: true },
    });
    let total: number | undefined;
    for await (const { choices, usage } of stream) {
      written += choices[0]?.delta.content ?? '';
      total = usage?.total_tokens ?? total;
    }
    expect(written).toBe(text);
    expect(total).toBeGreaterThan(40);
    let completed = '';
    for await (const { choices } of await client().completions.create({ model: 'little-flan', prompt, stream: true }))
      completed += choices[0]?.text ?? '';
    expect(completed).toBe(text);
  });

  it('stops where it is told to, whatever the tokens are; a seed repeats a draw', async () => {
    const at = text.indexOf('22 / 2') + 4;
    for (const stop of [text.slice(at, at + 5), [text.slice(at, at + 1), 'never']]) {
      const { choices } = await client().chat.completions.create({ model: 'little-flan', messages: say(prompt), stop });
      const [first] = [stop].flat() as [string];
      expect(choices[0]!.message.content).toBe(text.slice(0, text.indexOf(first)));
      expect(choices[0]!.finish_reason).toBe('stop');
    }
    const draw = async () =>
      (await client().completions.create({ model: 'little-flan', prompt, temperature: 1.5, seed: 9, max_tokens: 20 }))
        .choices[0]!.text;
    expect(await draw()).toBe(await draw());
  });

  it('is told where nothing is', async () => {
    const error = await errorOf(client().embeddings.create({ model: 'little-flan', input: 'hi' }));
    expect(error).toMatchObject({
      status: 404,
      code: 'unknown_url',
      message: expect.stringContaining('expected one of /v1/chat/completions, '),
    });
  });

  it('is told what is wrong, by the status and in words', async () => {
    const create = (more: object) =>
      errorOf(client().chat.completions.create({ model: 'little-flan', messages: say('hi'), ...more } as never));
    expect(await create({ model: 'gpt-5' })).toMatchObject({
      status: 404,
      code: 'model_not_found',
      message: expect.stringContaining(
        'expected a name of the active model, "little-flan" or "gpt-4o-mini", got "gpt-5"',
      ),
    });
    expect(await create({ n: 3 })).toMatchObject({
      status: 400,
      param: 'n',
      message: expect.stringContaining('to be 1, got 3'),
    });
    expect(await create({ max_tokens: 5000 })).toMatchObject({
      status: 400,
      message: expect.stringContaining('expected "max_tokens" to be an integer from 1 to 512'),
    });
    expect(await create({ messages: say('') })).toMatchObject({ status: 400 });
    expect(await create({ messages: say('what is it? '.repeat(600)) })).toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    });
    expect(await create({ tools: [{ type: 'function', function: { name: 'f' } }] })).toMatchObject({
      status: 400,
      message: expect.stringContaining('expected no tools'),
    });
    ok(await llm.set_settings(change({ tokens_per_day: 1n })));
    expect(await create({})).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    ok(await llm.set_settings(change({ tokens_per_day: 0n, min_cycles: 2n ** 52n })));
    expect(await create({})).toMatchObject({ status: 503 });
    ok(await llm.set_settings(change({ min_cycles: 0n })));
    expect(await create({ messages: say('a'.repeat(70_000)) })).toMatchObject({ status: 413 });
  });
});

describe('who is let in', () => {
  const key = `sk-${randomBytes(24).toString('hex')}`;
  const sha256 = createHash('sha256').update(key).digest('hex');
  const apiKey = {
    name: 'shop',
    sha256: sha256.toUpperCase(),
    tokens_per_day: 0n,
    cycles_per_day: 0n,
    max_sessions: 0,
  };
  const create = (bearer: string) =>
    client(bearer).completions.create({ model: 'little-flan', prompt: 'opposite of hot:' });

  it('everyone, of a new canister that serves everyone; nobody, where it is off', async () => {
    expect((await llm.settings()).http_completions).toBe(true);
    expect((await create('none')).choices[0]!.text).toBe('cold');
    ok(await llm.set_settings(change({ http_completions: false })));
    expect(await errorOf(create('none'))).toMatchObject({
      status: 404,
      message: expect.stringContaining('http_completions'),
    });
    await installed.upgrade();
    expect(await errorOf(create('none'))).toMatchObject({ status: 404 });
    ok(await llm.set_settings(change({ http_completions: true })));
  });

  it('bearers of a key, where access does not let everyone; each with its own account and limits', async () => {
    ok(await llm.set_settings(change({ access: { allow_list: null }, api_keys: [apiKey] })));
    for (const wrong of ['none', key.slice(0, -1), `${key}x`, sha256, 'Bearer', ''.padEnd(600, 'a')]) {
      const error = await errorOf(create(wrong));
      expect(error, wrong).toMatchObject({ status: 401, code: 'invalid_api_key' });
    }
    const done = await create(key);
    expect(done.choices[0]!.text).toBe('cold');
    // whose session it is nobody else sees
    const id = done.id.replace('cmpl-', '');
    expect(await installed.as(stranger).progress(id, 0)).toMatchObject({ Err: { NoSuchSession: expect.any(String) } });
    expect(ok(await llm.progress(id, 0)).text).toBe('cold');
    ok(await llm.set_settings(change({ api_keys: [{ ...apiKey, tokens_per_day: 10n }] })));
    expect(await errorOf(create(key))).toMatchObject({ status: 429 });
    // by any other way the key lets nobody in
    await expect(installed.as(stranger).generate('hi')).rejects.toThrow('expected a caller on the allow list');
  });

  it('keys are seen by keepers alone, and outlive an upgrade', async () => {
    const kept = { ...apiKey, sha256, tokens_per_day: 10n };
    expect((await llm.settings()).api_keys).toEqual([kept]);
    expect((await installed.as(stranger).settings()).api_keys).toEqual([]);
    await installed.upgrade();
    expect((await llm.settings()).api_keys).toEqual([kept]);
  });

  it.each([
    ['a key itself', { ...apiKey, sha256: key }, 'the SHA-256 of a key in hexadecimal, 64 digits, got 51 characters'],
    ['no name', { ...apiKey, name: '' }, 'a name of 1 to 32 letters'],
    ['a name with a space', { ...apiKey, name: 'a b' }, 'a name of 1 to 32 letters'],
    ['a limit without end', { ...apiKey, cycles_per_day: 2n ** 60n }, 'limits of at most'],
  ])('refuses %s in the setting', async (_, wrong, message) => {
    expect(await llm.set_settings(change({ api_keys: [wrong] }))).toEqual({
      Err: { InvalidValue: expect.stringContaining(message) },
    });
    ok(await llm.set_settings(change({ access: { public: null }, api_keys: [] })));
  });
});

describe('the gateway', () => {
  it('has certificates for all that is answered at once: preflights, other methods, bodies that are too long', async () => {
    for (const path of PATHS) {
      const preflight = await ask(path, { method: 'OPTIONS', headers: { origin: 'http://elsewhere.example' } });
      expect(preflight.status, path).toBe(204);
      expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
      expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization');
      expect(preflight.headers.get('ic-certificate')).toContain('version=2');
      const other = await ask(path, { method: 'DELETE' });
      expect(other.status).toBe(405);
      expect(((await other.json()) as { error: { message: string } }).error.message).toContain('got another method');
    }
    const long = await post(PATHS[0]!, 'x'.repeat(2 ** 21 - 100_000));
    expect(long.status).toBe(413);
    expect(long.headers.get('access-control-allow-origin')).toBe('*');
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`x-h${i}`, 'v']));
    expect((await post(PATHS[0]!, '{}', many)).status).toBe(431);
  });

  it.skipIf(!browserProgram())('a page of another origin asks by fetch, with a key and JSON', async () => {
    // a server of its own: browsers let no page of the open web ask this machine
    const elsewhere = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<p>'));
    await once(elsewhere.listen(0, '127.0.0.1'), 'listening');
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`);
      const answer = await page.evaluate(
        async ([url, prompt]) => {
          const body = JSON.stringify({ model: 'little-flan', messages: [{ role: 'user', content: prompt }] });
          const headers = {
            'Content-Type': 'application/json',
            Authorization: 'Bearer none',
            'X-Stainless-Lang': 'js',
          };
          const response = await fetch(url!, { method: 'POST', headers, body });
          const { choices } = (await response.json()) as { choices: [{ message: { content: string } }] };
          return choices[0].message.content;
        },
        [`http://${installed.canisterId}.localhost:${server.port}/v1/chat/completions`, prompt],
      );
      expect(answer).toBe(text);
    } finally {
      await browser.close();
      elsewhere.close();
    }
  });
});

describe('bodies', () => {
  /** Asks as any caller does who knows the method. */
  async function update(url: string, body: Uint8Array, headers: [string, string][] = [], method = 'POST') {
    const arg = new Uint8Array(IDL.encode([HttpRequest], [{ method, url, headers, body }]));
    installed.newMessages();
    const call = { canisterId: installed.canisterId, method: 'http_request_update', arg };
    const outcome = await installed.replica.updateCall(call).then(
      (reply) => IDL.decode([HttpResponse], reply as Uint8Array<ArrayBuffer>)[0] as unknown as HttpResponse,
      (error: Error) => error,
    );
    // what inspect_message takes is charged to nobody, and a timer's work is not this request's
    const charged = installed
      .newMessages()
      .filter(({ kind, method: called }) => kind !== 'inspectMessage' && called === 'http_request_update');
    const instructions = charged.reduce((sum, m) => sum + m.instructions.total, 0);
    return { outcome, instructions, most: 20e6 + 300 * arg.length + 7_000 * valuesIn(body) + 80_000 * headers.length };
  }
  /** What a body may have as JSON, as far as it is looked at. */
  const valuesIn = (body: Uint8Array): number =>
    Math.min(
      MAX_BODY_VALUES,
      body.reduce((sum, byte) => sum + (',:[{'.includes(String.fromCharCode(byte)) ? 1 : 0), 1),
    );
  type HttpResponse = { status_code: number; body: Uint8Array };
  const utf8 = (json: string): Uint8Array => new TextEncoder().encode(json);
  const odd: [string, Uint8Array][] = [
    ['nothing', utf8('')],
    ['no JSON', utf8('hello')],
    ['half of JSON', utf8('{"model": "little-flan", "messages": [{')],
    ['a list', utf8('[]')],
    ['null', utf8('null')],
    ['no UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d)],
    ['half a character', Uint8Array.of(0x22, 0xe2, 0x82)],
    ['NUL', new Uint8Array(1000)],
    ['deep lists', utf8('['.repeat(65_536))],
    ['deep objects', utf8('{"a":'.repeat(13_000))],
    ['deep lists that end', utf8(`${'['.repeat(32_768)}${']'.repeat(32_768)}`)],
    ['many values', utf8(`[${'1,'.repeat(32_000)}1]`)],
    ['many empty lists', utf8(`[${'[],'.repeat(21_000)}1]`)],
    ['many names', utf8(`{${Array.from({ length: 1_990 }, (_, i) => `"n${i}":1`).join(',')}}`)],
    ['a name again and again', utf8(`{${'"model":"x",'.repeat(1_000)}"model":"little-flan"}`)],
    ['names of the prototype', utf8('{"__proto__":{"model":"x"},"constructor":1,"toString":2}')],
    ['a huge number', utf8(`{"model":"little-flan","prompt":"a","max_tokens":1e999}`)],
    ['a number of 60,000 digits', utf8(`{"model":"little-flan","prompt":"a","seed":${'9'.repeat(60_000)}}`)],
    ['a text of 60,000 characters', utf8(`{"model":"little-flan","prompt":"${'a'.repeat(60_000)}"}`)],
    ['escapes', utf8(`{"model":"little-flan","prompt":"${'\\u0061'.repeat(10_000)}"}`)],
    ['lone surrogates', utf8(`{"model":"x","prompt":"${'\\ud800'.repeat(10_000)}"}`)],
    ['characters of four bytes', utf8(`{"model":"x","prompt":"${'🙂'.repeat(16_000)}"}`)],
    ['quotes without end', utf8('"\\'.repeat(32_000))],
    ['spaces', utf8(' '.repeat(65_536))],
    ['900 messages', utf8(`{"model":"x","messages":[${'{"role":"user","content":""},'.repeat(900)}1]}`)],
    [
      '400 parts',
      utf8(`{"model":"x","messages":[{"role":"user","content":[${'{"type":"text","text":""},'.repeat(400)}1]}]}`),
    ],
  ];

  it.each(odd)('%s: a status of 400 and up, for no more than docs/security.md says', async (what, body) => {
    const worst = { share: 0, instructions: 0 };
    for (const url of ['/v1/completions', '/v1/chat/completions']) {
      const { outcome, instructions, most } = await update(url, body);
      expect(outcome, String(outcome)).not.toBeInstanceOf(Error);
      expect((outcome as HttpResponse).status_code, what).toBeGreaterThanOrEqual(400);
      expect((outcome as HttpResponse).status_code, what).toBeLessThan(500);
      const shown = new TextDecoder().decode((outcome as HttpResponse).body);
      expect(JSON.parse(shown)).toEqual({
        error: expect.objectContaining({ message: expect.stringMatching(/expected/) }),
      });
      const share = instructions / most;
      if (share > worst.share) Object.assign(worst, { share, instructions });
    }
    console.info(`${what}: ${(worst.instructions / 1e6).toFixed(1)} M, ${(100 * worst.share).toFixed(0)}% of the bar`);
    expect(worst.share, what).toBeLessThan(1);
  });

  it('headers: as many as there may be cost no more either, and a key is found among them', async () => {
    const headers = (count: number) => Array.from({ length: count }, (_, i): [string, string] => [`h${i}`, '']);
    for (const count of [0, 100, 160, 1_000, 10_000]) {
      const { outcome, instructions, most } = await update('/v1/completions', utf8('{}'), headers(count));
      const isRefused = outcome instanceof Error;
      expect(isRefused, String(outcome)).toBe(count > 160);
      if (isRefused) expect(outcome.message).toContain('expected');
      console.info(`${count} headers: ${(instructions / 1e6).toFixed(1)} M`);
      expect(instructions).toBeLessThan(most);
    }
  });

  it('whatever bytes they are: no trap, and an error in JSON', async () => {
    const json = fc.json({ maxDepth: 8 }).map(utf8);
    const bytes = fc.uint8Array({ maxLength: 300 });
    const cut = fc.tuple(json, fc.nat(300)).map(([all, at]) => all.slice(0, at));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...PATHS.slice(0, 2)), fc.oneof(json, bytes, cut), async (url, body) => {
        const { outcome } = await update(url, body);
        expect((outcome as HttpResponse).status_code).toBe(400);
      }),
      { seed, numRuns: 150 },
    );
  });

  it('comparing keys takes the same whatever of a key is right', async () => {
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    const keys = Array.from({ length: 40 }, (_, i) => ({
      name: `k${i}`,
      sha256: sha256(`key number ${String(i).padStart(2, '0')}`),
      tokens_per_day: 0n,
      cycles_per_day: 0n,
      max_sessions: 0,
    }));
    ok(await llm.set_settings(change({ api_keys: keys })));
    const costs: number[] = [];
    for (const bearer of ['key.number.00', 'key.number.39', 'yek.number.00', 'zzzzzzzzzzzzz', 'key.number.0x']) {
      const headers: [string, string][] = [['authorization', `Bearer ${bearer}`]];
      await update('/v1/completions', utf8('{}'), headers);
      costs.push((await update('/v1/completions', utf8('{}'), headers)).instructions);
    }
    console.info(`a key that is wrong in another place: ${costs.map((cost) => (cost / 1e6).toFixed(3)).join(', ')} M`);
    expect(Math.max(...costs) - Math.min(...costs)).toBeLessThan(300_000);
    ok(await llm.set_settings(change({ api_keys: [] })));
  });

  it('what is off, or comes from nobody who is let in, is refused before it costs anything', async () => {
    ok(await llm.set_settings(change({ access: { signed_in: null } })));
    const before = installed.replica.canister(installed.canisterId)!.cycles;
    const { outcome } = await update('/v1/completions', utf8('{}'));
    expect((outcome as Error).message).toContain(
      'expected a request that http_request hands on, got one of status 401',
    );
    expect((await post('/v1/completions', '{}')).status).toBe(401);
    expect(installed.replica.canister(installed.canisterId)!.cycles).toBe(before);
    ok(await llm.set_settings(change({ access: { public: null } })));
  });
});

describe('stop strings, by other ways', () => {
  it('are shown by no look at a session on its way, and end it', async () => {
    await upload(llm, await llamaPack('llama-a', 'int8', TEMPLATE));
    const request = { max_new_tokens: 40 };
    const whole = ok(await llm.generate_with('a b c', options(request)[0]!)).text;
    const stop = whole.slice(7, 12);
    const expected = whole.slice(0, whole.indexOf(stop));
    const asked = options({ ...request, stop_strings: [stop, 'never'] });
    const answer = ok(await llm.generate_with('a b c', asked[0]!));
    expect(answer).toMatchObject({ text: expected, finish_reason: { stop: null } });
    expect(ok(await llm.generate_query('a b c', asked)).text).toBe(expected);
    const id = ok(await llm.start('a b c', asked));
    for (let over = false; !over; await new Promise((resolve) => setTimeout(resolve))) {
      const { text: shown, state } = ok(await llm.progress(id, 0));
      expect(expected.startsWith(shown), `${shown} of ${expected}`).toBe(true);
      over = 'finished' in state;
    }
    const drawn = ok(
      await llm.generate_with('a b c', options({ ...request, stop_strings: [stop], do_sample: true, seed: 1n })[0]!),
    );
    expect(drawn.text).not.toContain(stop);
    expect(await llm.generate_with('a', options({ stop_strings: [''] })[0]!)).toMatchObject({
      Err: { InvalidOptions: expect.stringContaining('expected "stop_strings" to be') },
    });
    expect(await llm.generate_with('a', options({ stop_strings: ['x'], num_beams: 2 })[0]!)).toMatchObject({
      Err: { InvalidOptions: expect.stringContaining('expected "num_beams" to be 1 with stop_strings, got 2') },
    });
  });
});
