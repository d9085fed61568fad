/** Who may do what, what it costs, what one sees from outside. */
import { readFileSync } from 'node:fs';
import { Principal } from '@dfinity/principal';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { _SERVICE as Llm } from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { change, controller, type Installed, install, ok, options, stranger, upload } from './llm.ts';

const { cases }: { cases: { prompt: string; text: string }[] } = JSON.parse(
  readFileSync('models/little-flan/expected.json', 'utf8'),
);
const { prompt, text } = cases[0]!;
const anyone = Principal.anonymous();

let llm: Installed;
let owner: Llm;

beforeAll(async () => {
  llm = await install();
  owner = llm.as();
  await upload(owner, readFileSync((await packFolder('models/little-flan', 'int8')).path));
});

beforeEach(async () => {
  ok(
    await owner.set_settings(
      change({ access: { public: null }, price_percent: 0, min_cycles: 0n, answer_cache: false }),
    ),
  );
});

describe('access', () => {
  const ask = (who: Principal) => llm.as(who).generate_with('hi', ...options({ max_new_tokens: 1 }));

  it('public, signed in, by a list', async () => {
    ok(await ask(anyone));
    ok(await owner.set_settings(change({ access: { signed_in: null } })));
    await expect(ask(anyone)).rejects.toThrow('expected a caller who is signed in, got the anonymous one');
    ok(await ask(stranger));
    ok(await owner.set_settings(change({ access: { allow_list: null } })));
    await expect(ask(stranger)).rejects.toThrow('expected a caller on the allow list');
    expect(await llm.as(stranger).generate_query('hi', [])).toMatchObject({ Err: { NotAllowed: expect.any(String) } });
    ok(await owner.set_role(stranger, [{ user: null }]));
    ok(await ask(stranger));
    ok(await ask(controller));
    expect(ok(await owner.set_role(stranger, []))).toEqual([]);
    await expect(ask(stranger)).rejects.toThrow('expected a caller on the allow list');
  });

  it('strangers keep nothing', async () => {
    const other = llm.as(stranger);
    const calls = [
      other.set_settings(change({ max_active: 1 })),
      other.set_role(stranger, [{ admin: null }]),
      other.upload_abort(),
      other.model_activate('00'),
      other.model_delete('00'),
    ];
    for (const call of calls) await expect(call).rejects.toThrow('or an admin, got');
    expect(await other.roles()).toMatchObject({ Err: { NotAllowed: expect.any(String) } });
  });

  it('admins keep the service, but make no admins', async () => {
    ok(await owner.set_role(stranger, [{ admin: null }]));
    const admin = llm.as(stranger);
    expect(ok(await admin.set_settings(change({ max_active: 8 }))).max_active).toBe(8);
    ok(await admin.set_role(Principal.fromText('aaaaa-aa'), [{ user: null }]));
    expect(await admin.set_role(Principal.fromText('aaaaa-aa'), [{ admin: null }])).toMatchObject({
      Err: { NotAllowed: expect.stringContaining('expected a controller to make or unmake an admin') },
    });
    await llm.upgrade();
    expect(ok(await admin.roles())).toHaveLength(2);
    ok(await owner.set_role(stranger, []));
    ok(await owner.set_role(Principal.fromText('aaaaa-aa'), []));
  });

  it('settings have bounds, and are changed all or none', async () => {
    expect(await owner.set_settings(change({ max_finished: 5, max_active: 0 }))).toEqual({
      Err: { InvalidValue: 'set_settings: expected max_active from 1 to 64, got 0' },
    });
    expect((await owner.settings()).max_finished).toBe(1000);
  });

  it('the heap stays below 3 GiB: settings that allow more are refused, all together', async () => {
    const MiB = 2n ** 20n;
    const most = { arena_bytes: 2_816n * MiB, max_queued: 4_000 };
    expect(await owner.set_settings(change({ ...most, max_queued: 20_000 }))).toEqual({
      Err: {
        InvalidValue:
          'set_settings: expected arena_bytes, with 32768 for each of max_active and max_queued, of at most 3087007744 bytes, got 3608412160',
      },
    });
    ok(await owner.set_settings(change(most)));
    ok(await owner.set_settings(change({ arena_bytes: 2_560n * MiB, max_queued: 5_000 })));
  });

  it('a session that finds no room in the arena is failed with the reason, and the others go on', async () => {
    // rows for two such sessions at once
    ok(await owner.set_settings(change({ arena_bytes: 20n * 2n ** 20n, max_active: 16 })));
    const large = options({ num_beams: 8, min_new_tokens: 500, max_new_tokens: 512 });
    const first = ok(await owner.start(prompt, large));
    while (!('generating' in ok(await owner.progress(first, 0)).state))
      await new Promise((resolve) => setTimeout(resolve, 5));
    const heap = () => llm.replica.canister(llm.canisterId)!.instance!.memoryBytes;
    const before = heap();
    const message = expect.stringMatching(
      /^session: expected an arena of at most 20971520 bytes, got .*; resume it when others are over$/,
    );
    expect(await owner.generate_with(`${prompt} `, ...large)).toMatchObject({ Err: { Failed: { message } } });
    expect(heap() - before).toBeLessThan(4 * 2 ** 20);
    expect(Number((await owner.status()).arena_bytes)).toBeLessThanOrEqual(20 * 2 ** 20);
    expect('generating' in ok(await owner.progress(first, 0)).state).toBe(true);
    ok(await owner.delete(first));
    expect(ok(await owner.generate(prompt)).text).toBe(text);
    ok(await owner.set_settings(change({ arena_bytes: 2_560n * 2n ** 20n, max_active: 8 })));
  });

  it('takes no work below the floor of cycles', async () => {
    ok(await owner.set_settings(change({ min_cycles: 9n * 10n ** 15n })));
    expect(await ask(anyone)).toMatchObject({ Err: { Unavailable: expect.stringContaining('top it up') } });
    const { session } = ok(await owner.list([])).at(-1)!;
    ok(await owner.set_settings(change({ min_cycles: 0n })));
    const cancelled = ok(await owner.start(prompt, []));
    await owner.cancel(cancelled);
    ok(await owner.set_settings(change({ min_cycles: 9n * 10n ** 15n })));
    expect(await owner.resume(cancelled)).toMatchObject({ Err: { Unavailable: expect.stringContaining('top it up') } });
    ok(await owner.resume(session));
  });

  it('refuses large arguments before anything reads them', async () => {
    await expect(owner.generate('x'.repeat(1_000_000))).rejects.toThrow(
      'generate: expected at most 110000 bytes of arguments, got 1000010',
    );
    expect(await owner.generate('x'.repeat(50_000))).toMatchObject({
      Err: { PromptTooLong: { message: expect.stringContaining('8192 characters') } },
    });
  });
});

describe('generate_query', () => {
  it('gives the same answers, writes nothing', async () => {
    const before = await owner.status();
    for (const { prompt, text } of cases.slice(0, 5)) {
      const answer = ok(await owner.generate_query(prompt, []));
      expect(answer).toMatchObject({ text, session: '', calls: 1 });
    }
    expect(await owner.status()).toEqual(before);
  });
});

describe('what it costs', () => {
  it('a quote is above what is used, and not by much', async () => {
    for (const { prompt } of cases.slice(0, 6)) {
      const { instructions, output_tokens, prompt_tokens } = ok(await owner.generate(prompt));
      const quoted = (await owner.quote(prompt_tokens, output_tokens)).instructions;
      expect(Number(quoted)).toBeGreaterThan(Number(instructions));
      expect(Number(quoted)).toBeLessThan(Number(instructions) * 3);
    }
    expect((await owner.quote(30, 50)).cycles).toBe(0n);
  });

  it('canisters are asked to attach cycles, if so set; others are not', async () => {
    ok(await owner.set_settings(change({ price_percent: 150 })));
    expect((await owner.quote(30, 50)).cycles).toBeGreaterThan(0n);
    const canister = llm.replica.createCanister({ controllers: [controller] }).canisterId;
    const asked = await llm.as(canister).generate(prompt);
    expect(asked).toMatchObject({
      Err: { PaymentRequired: { message: expect.stringContaining('cycles attached, got 0') } },
    });
    ok(await llm.as(stranger).generate_with('hi', ...options({ max_new_tokens: 1 })));
  });
});

describe('from outside', () => {
  const get = async (url: string, method = 'GET') => {
    const { status_code, body } = await owner.http_request({ method, url, headers: [], body: new Uint8Array() });
    return { status_code, text: new TextDecoder().decode(new Uint8Array(body)) };
  };

  it('metrics in the form of Prometheus', async () => {
    const { status_code, text } = await get('/metrics?x=1');
    expect(status_code).toBe(200);
    for (const line of text.trim().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) stepwise_[a-z_]+ .+|stepwise_[a-z_]+(\{[a-z]+="[a-z]+"\})? \d+)$/);
    }
    expect(text).toContain('stepwise_sessions_ended_total{how="stop"}');
    const heap = llm.replica.canister(llm.canisterId)!.instance!.memoryBytes;
    expect(Number(/^stepwise_heap_bytes (\d+)$/m.exec(text)![1])).toBe(heap);
    expect(Number(/^stepwise_tokens_total (\d+)$/m.exec(text)![1])).toBeGreaterThan(0);
  });

  it('a page of how it is', async () => {
    expect((await get('/status')).text).toContain('little-flan');
    expect((await get('/status', 'POST')).status_code).toBe(405);
  });
});

describe('the answer cache', () => {
  it('answers a prompt that was answered before at once, if so set', async () => {
    ok(await owner.set_settings(change({ answer_cache: true })));
    const first = ok(await owner.generate(prompt));
    llm.newMessages();
    const second = ok(await owner.generate(prompt));
    expect(second.text).toBe(text);
    expect(llm.newMessages().filter((m) => m.kind === 'update')).toHaveLength(1);
    expect(second.session).not.toBe(first.session);
    expect(ok(await owner.progress(second.session, 0)).text).toBe(text);
    const other = ok(await owner.generate_with(prompt, ...options({ max_new_tokens: 7 })));
    expect(other.token_ids).toHaveLength(7);
  });
});
