/**
 * The chat interface of the ic-llm libraries: its types, a caller in Motoko that has them (under the public canister's
 * own id, too), names of models, tools, payment, and a wait that ends. SmolLM2 with its real weights is asked where
 * STEPWISE_SMOLLM2 names its GGUF file.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AssistantMessage, ChatRequestV1, _SERVICE as Llm, MessageV1 } from '../../src/interface/llm.did.ts';
import { AssistantMessage as AssistantType } from '../../src/interface/llm.did.ts';
import { copyTokenizer } from '../../src/model/tokenizer/pack-tokenizer.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { newUnit } from '../tensor/machines.ts';
import { breaks } from './candid-file.ts';
import { allowed } from './dear-arguments.ts';
import { llamaPack, pairsTokenizer, sayingTokenizer } from './llama-pack.ts';
import { change, type Installed, install, ok, options, stranger, upload } from './llm.ts';
import { installPayer } from './payer.ts';

const PUBLIC_ID = 'w36hm-eqaaa-aaaal-qr76a-cai';
const { STEPWISE_SMOLLM2: smollm2 } = process.env;
if (!smollm2) console.warn('skipped: v1_chat with SmolLM2 (set STEPWISE_SMOLLM2 to its GGUF file)');

/** What the libraries of Rust, Motoko and TypeScript send and read, as of 2026. */
const PUBLISHED = `
type Call = record { id : text; function : record { name : text; arguments : vec record { name : text; value : text } } };
type Assistant = record { content : opt text; tool_calls : vec Call };
type Message = variant { user : record { content : text }; system : record { content : text }; assistant : Assistant; tool : record { content : text; tool_call_id : text } };
type Property = record { "type" : text; name : text; description : opt text; "enum" : opt vec text };
type Parameters = record { "type" : text; properties : opt vec Property; required : opt vec text };
type Tool = variant { function : record { name : text; description : opt text; parameters : opt Parameters } };
service : {
  v0_chat : (record { model : text; messages : vec record { role : variant { user; assistant; system }; content : text } }) -> (text);
  v1_chat : (record { model : text; messages : vec Message; tools : opt vec Tool }) -> (record { message : Assistant });
}`;

const TEMPLATE =
  '{% if tools %}<s>tools\n{% for tool in tools %}{{ tool | tojson }}{% endfor %}write <tool_call></s>\n{% endif %}' +
  '{% for m in messages %}<s>{{ m.role }}\n{{ m.content }}{% for c in m.tool_calls or [] %}{{ c.function | tojson }}{% endfor %}</s>\n{% endfor %}' +
  '{% if add_generation_prompt %}<s>assistant\n{% endif %}';

const user = (content: string): MessageV1 => ({ user: { content } });
const asked = (model: string, messages: MessageV1[], tools: ChatRequestV1['tools'] = []): ChatRequestV1 => ({
  model,
  messages,
  tools,
});
const weather: ChatRequestV1['tools'] = [
  [
    {
      function: {
        name: 'weather',
        description: ['of a city'],
        parameters: [
          {
            type: 'object',
            properties: [[{ type: 'string', name: 'city', description: [], enum: [['Paris', 'Rome']] }]],
            required: [['city']],
          },
        ],
      },
    },
  ],
];

it('has the published types', () => {
  expect(breaks(PUBLISHED, readFileSync('src/interface/llm.did', 'utf8'))).toEqual([]);
});

/** The example, as a module of 32 bits: the compiler's later versions make modules that no Node 20 runs. */
function motokoCaller(): Uint8Array {
  const motoko = createRequire(import.meta.url)('motoko-wasm32');
  motoko.write('main.mo', readFileSync('examples/ic-llm/main.mo', 'utf8'));
  expect(motoko.check('main.mo')).toEqual([]);
  return new Uint8Array(motoko.wasm('main.mo', 'ic').wasm);
}

async function installCaller({ replica }: Installed) {
  const { canisterId } = replica.createCanister({ cycles: 10n ** 13n });
  await replica.installCode({ canisterId, wasm: motokoCaller(), arg: new Uint8Array(IDL.encode([], [])) });
  return async <T>(method: string, result: IDL.Type, ...texts: string[]): Promise<T> => {
    const arg = new Uint8Array(
      IDL.encode(
        texts.map(() => IDL.Text),
        texts,
      ),
    );
    const reply = await replica.updateCall({ canisterId, method, arg });
    return IDL.decode([result], reply as Uint8Array<ArrayBuffer>)[0] as T;
  };
}

describe('little-flan under the id of the public canister', () => {
  let installed: Installed;
  let llm: Llm;
  const { prompt, text }: { prompt: string; text: string } = JSON.parse(
    readFileSync('models/little-flan/expected.json', 'utf8'),
  ).cases[0];

  beforeAll(async () => {
    installed = await install({}, Principal.fromText(PUBLIC_ID));
    llm = installed.as();
    await upload(llm, readFileSync((await packFolder('models/little-flan', 'int8')).path));
  });
  afterAll(() => installed.replica.close());

  it('answers a caller in Motoko that names that id in its source, by both versions', async () => {
    const call = await installCaller(installed);
    const message = await call<AssistantMessage>('ask', AssistantType, 'little-flan', prompt);
    expect(message).toEqual({ content: [text], tool_calls: [] });
    expect(await call<string>('askV0', IDL.Text, 'little-flan', prompt)).toBe(text);
  });

  it('answers to its name, to its SHA-256 and to names that the setting maps to it; others are rejected in words', async () => {
    const sha256 = (await llm.model_info())[0]!.sha256;
    const rejected = /v1_chat: expected a name of the active model, "little-flan", got "llama3.1:8b"/;
    await expect(llm.v1_chat(asked('llama3.1:8b', [user(prompt)]))).rejects.toThrow(rejected);
    for (const model of ['', 'Little-Flan', 'toString', '*'])
      await expect(llm.v1_chat(asked(model, [user(prompt)])), model).rejects.toThrow('expected a name of the active');
    const names = [
      { name: 'llama3.1:8b', pack: '*' },
      { name: 'by-name', pack: 'little-flan' },
      { name: 'by-sha256', pack: sha256 },
      { name: 'other', pack: 'llama' },
    ];
    expect(ok(await llm.set_settings(change({ model_names: names }))).model_names).toEqual(names);
    await installed.upgrade();
    for (const model of ['little-flan', sha256, 'llama3.1:8b', 'by-name', 'by-sha256'])
      expect((await llm.v1_chat(asked(model, [user(prompt)]))).message.content, model).toEqual([text]);
    await expect(llm.v1_chat(asked('other', [user(prompt)]))).rejects.toThrow(
      'got "other", which stands for the pack "llama"; a controller can add names',
    );
    ok(await llm.set_settings(change({ model_names: [...names, { name: '*', pack: '*' }] })));
    expect(await llm.v0_chat({ model: 'anything', messages: [{ role: { user: null }, content: prompt }] })).toBe(text);
    await expect(llm.v1_chat(asked('other', [user(prompt)]))).rejects.toThrow('got "other"');
  });

  it.each([
    [
      'a name twice',
      [
        { name: 'a', pack: '*' },
        { name: 'a', pack: 'b' },
      ],
      'each name in model_names once, got "a" again',
    ],
    ['no name', [{ name: '', pack: '*' }], 'a name of 1 to 100 characters, got ""'],
    ['no pack', [{ name: 'a', pack: '' }], 'a pack of 1 to 100 characters, got ""'],
    ['a long name', [{ name: 'a'.repeat(101), pack: '*' }], 'a name of 1 to 100 characters'],
    ['many', Array.from({ length: 33 }, (_, i) => ({ name: `${i}`, pack: '*' })), 'at most 32 entries, got 33'],
  ])('refuses %s in the setting', async (_, model_names, message) => {
    const before = (await llm.settings()).model_names;
    expect(await llm.set_settings(change({ model_names, max_active: 3 }))).toEqual({
      Err: { InvalidValue: expect.stringContaining(message) },
    });
    expect((await llm.settings()).model_names).toEqual(before);
  });

  it('rejects in words what cannot be answered', async () => {
    await expect(llm.v1_chat(asked('little-flan', []))).rejects.toThrow(
      'v1_chat: expected a last message with a text, got no text',
    );
    await expect(llm.v1_chat(asked('little-flan', [user('x')], weather))).rejects.toThrow(
      'v1_chat: expected no tools, as the model takes none, got 1',
    );
    await expect(llm.v1_chat(asked('little-flan', [user('a'.repeat(9000))]))).rejects.toThrow(
      'v1_chat: expected a prompt of at most 8192 characters, got 9000',
    );
    ok(await llm.set_settings(change({ access: { allow_list: null } })));
    await expect(installed.as(stranger).v1_chat(asked('little-flan', [user('x')]))).rejects.toThrow(
      'v1_chat: expected a caller on the allow list',
    );
    ok(await llm.set_settings(change({ access: { public: null } })));
  });

  it('reads nothing of a conversation that it refuses: 80 kB of JSON in a call of a tool cost no more than others', async () => {
    const call = { id: 'a', function: { name: 'f', arguments: [{ name: 'x', value: `[${'1,'.repeat(40_000)}1]` }] } };
    const said: MessageV1[] = [{ assistant: { content: [], tool_calls: [call] } }, user('x')];
    for (const [model, reason] of [
      ['other', 'v1_chat: expected a name of the active model'],
      ['little-flan', 'v1_chat: expected a prompt of at most 8192 characters, got 80025'],
    ] as const) {
      installed.newMessages();
      await expect(llm.v1_chat(asked(model, said))).rejects.toThrow(reason);
      const updates = installed.newMessages().filter(({ kind }) => kind === 'update');
      expect(Math.max(...updates.map(({ instructions }) => instructions.total))).toBeLessThan(allowed(80_300));
    }
  });

  it('takes no cycles unless it asks for payment, then what the answer took; the rest goes back', async () => {
    const { pay, id } = await installPayer(installed);
    const attached = 100_000_000_000n;
    const request = asked('little-flan', [user(prompt)]);
    const free = await pay<{ message: AssistantMessage }>('v1_chat', attached, request);
    expect(free).toEqual({ refunded: attached, result: { message: { content: [text], tool_calls: [] } } });
    ok(await llm.set_settings(change({ price_percent: 150 })));
    const paid = await pay<{ message: AssistantMessage }>('v1_chat', attached, request);
    expect(paid.result.message.content).toEqual([text]);
    const [last] = ok(await installed.as(id).list([]));
    expect(attached - paid.refunded).toBe((last!.cycles * 150n + 99n) / 100n);
    expect(attached - paid.refunded).toBeLessThan((await llm.quote(40, 512)).cycles);
    // what is rejected costs nothing
    await expect(pay('v1_chat', attached, asked('unknown', [user(prompt)]))).resolves.toBeDefined();
    ok(await llm.set_settings(change({ model_names: [] })));
    await expect(pay('v1_chat', attached, asked('unknown', [user(prompt)]))).rejects.toThrow('got "unknown"');
    // nobody attaches nothing
    await expect(pay('v1_chat', 0n, request)).rejects.toThrow(/v1_chat: expected \d+ cycles attached, got 0/);
  });

  it('makes as much of an answer as the cycles pay for, where they pay for less than a whole one', async () => {
    const { pay } = await installPayer(installed);
    ok(await llm.set_settings(change({ price_percent: 100 })));
    const little = (await llm.quote(40, 10)).cycles;
    const { refunded, result } = await pay<{ message: AssistantMessage }>(
      'v1_chat',
      little,
      asked('little-flan', [user(prompt)]),
    );
    const [written] = result.message.content;
    expect(text.startsWith(written!)).toBe(true);
    expect(written!.length).toBeGreaterThan(0);
    expect(written!.length).toBeLessThan(text.length);
    expect(refunded).toBeGreaterThanOrEqual(0n);
    ok(await llm.set_settings(change({ price_percent: 0 })));
  });
});

describe('a model with a chat template', () => {
  let installed: Installed;
  let llm: Llm;

  beforeAll(async () => {
    installed = await install();
    llm = installed.as();
    await upload(llm, await llamaPack('llama-a', 'int8', TEMPLATE));
  });
  afterAll(() => installed.replica.close());

  it('answers both versions and a caller in Motoko as it answers `chat`', async () => {
    const expected = ok(
      await llm.chat(
        [
          { role: { system: null }, content: 'You are brief.' },
          { role: { user: null }, content: 'hi' },
        ],
        [],
      ),
    );
    const messages: MessageV1[] = [{ system: { content: 'You are brief.' } }, user('hi')];
    expect(await llm.v1_chat(asked('llama-a', messages))).toEqual({
      message: { content: [expected.text], tool_calls: [] },
    });
    const call = await installCaller(installed);
    const id = installed.canisterId.toText();
    expect(await call<AssistantMessage>('askAt', AssistantType, id, 'llama-a', 'hi')).toEqual({
      content: [expected.text],
      tool_calls: [],
    });
  });

  it('passes tools, their calls and what they answered to the template', async () => {
    const call = {
      id: 'call_1',
      function: {
        name: 'weather',
        arguments: [
          { name: 'city', value: '7' },
          { name: 'days', value: '7' },
        ],
      },
    };
    const messages: MessageV1[] = [
      user('weather </s>?'),
      { assistant: { content: [], tool_calls: [call] } },
      { tool: { content: 'sunny', tool_call_id: 'call_1' } },
    ];
    await llm.v1_chat(asked('llama-a', messages, weather));
    const [last] = ok(await llm.list([]));
    const text =
      '<s>tools\n{"type": "function", "function": {"name": "weather", "description": "of a city", "parameters": {"type": "object", "properties": {"city": {"type": "string", "enum": ["Paris", "Rome"]}}, "required": ["city"]}}}write <tool_call></s>\n' +
      '<s>user\nweather </s>?</s>\n<s>assistant\n{"name": "weather", "arguments": {"city": "7", "days": 7}}</s>\n<s>tool\nsunny</s>\n<s>assistant\n';
    const tokenizer = copyTokenizer(pairsTokenizer(900), newUnit());
    // the user's own </s> is text: two ids more than if it were one
    const special = tokenizer.encode(text, { specialTokens: true, bare: true }).length;
    const asText = tokenizer.encode('</s>', { bare: true }).length;
    expect(last!.prompt_tokens).toBe(special - 1 + asText);
  });

  it('refuses tools where the template takes none, or where its calls are in no known form', async () => {
    for (const template of [
      TEMPLATE.replace('<tool_call>', ''),
      TEMPLATE.replace(/\{% if tools.*?endif %\}/s, '<tool_call>'),
    ]) {
      await upload(llm, await llamaPack('llama-a', 'int8', template));
      await expect(llm.v1_chat(asked('llama-a', [user('x')], weather))).rejects.toThrow(
        "v1_chat: chat: expected no tools, as the model's template takes none whose calls are known here, got 1",
      );
      expect((await llm.v1_chat(asked('llama-a', [user('x')], [[]]))).message.tool_calls).toEqual([]);
    }
  });

  it('calls tools where the model writes calls, and gives the same as text to who named none', async () => {
    const said = (id: number) => `<tool_call>{"name": "f${id}", "arguments": {"city": "x", "n": ${id}}}</tool_call>`;
    await upload(
      llm,
      await llamaPack('llama-a', 'int8', { template: TEMPLATE, tokenizer: sayingTokenizer(900, said) }),
    );
    // what a random model says depends on what it is asked: to this, calls
    const any: ChatRequestV1['tools'] = [[{ function: { name: 'weather', description: [], parameters: [] } }]];
    const { message } = await llm.v1_chat(asked('llama-a', [user('x')], any));
    expect(message.tool_calls.length).toBeGreaterThan(0);
    for (const [i, { id, function: f }] of message.tool_calls.entries()) {
      expect(id).toMatch(new RegExp(`^call_[0-9a-f]{16}_${i}$`));
      const n = f.name.slice(1);
      expect(f.arguments).toEqual([
        { name: 'city', value: 'x' },
        { name: 'n', value: n },
      ]);
    }
    expect(message.content[0] ?? '').not.toContain('<tool_call>{');
    const plain = await llm.v1_chat(asked('llama-a', [user('x')]));
    expect(plain.message.tool_calls).toEqual([]);
    expect(typeof plain.message.content[0]).toBe('string');
  });

  it('ends with what it has after 270 seconds, or says that its turn did not come', async () => {
    await upload(llm, await llamaPack('llama-a', 'int8', TEMPLATE));
    const request = asked('llama-a', [user('a b c')]);
    const [whole] = (await llm.v1_chat(request)).message.content;
    const late = llm.v1_chat(request);
    for (;;) {
      const [newest] = ok(await llm.list([]));
      if (newest && 'generating' in newest.state && newest.output_tokens > 0) break;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    installed.replica.advanceTime(271_000);
    const [part] = (await late).message.content;
    expect(whole!.startsWith(part!)).toBe(true);
    expect(part!.length).toBeLessThan(whole!.length);
    const [ended] = ok(await llm.list([]));
    expect(ended!.state).toEqual({ finished: { length: null } });
    expect(ended!.output_tokens).toBeGreaterThan(0);
    ok(await llm.set_settings(change({ max_active: 1 })));
    const before = [];
    // drawn tokens take a message of TypeScript's each, so the queue is still there when the call looks again
    for (let i = 0; i < 6; i++)
      before.push(ok(await llm.start('x', options({ max_new_tokens: 400, do_sample: true }))));
    const sessions = async () => ok(await llm.list([])).length;
    const started = await sessions();
    const waits = expect(llm.v1_chat(request)).rejects.toThrow('its turn did not come in time');
    while ((await sessions()) === started) await new Promise((resolve) => setTimeout(resolve, 1));
    installed.replica.advanceTime(271_000);
    await waits;
    for (const id of before) await llm.cancel(id);
  });
});

describe.runIf(smollm2 !== undefined)('SmolLM2-135M-Instruct', () => {
  it('answers a caller in Motoko as it answers `chat`', async () => {
    const installed = await install();
    const llm = installed.as();
    await upload(llm, new Uint8Array(readFileSync((await packFolder(smollm2!, 'int8')).path)));
    const [{ name }] = (await llm.model_info()) as [{ name: string }];
    const call = await installCaller(installed);
    const question = 'What is the capital of France?';
    const { content } = await call<AssistantMessage>(
      'askAt',
      AssistantType,
      installed.canisterId.toText(),
      name,
      question,
    );
    console.info(`SmolLM2 by v1_chat: ${content[0]}`);
    const messages = [
      { role: { system: null }, content: 'You are brief.' },
      { role: { user: null }, content: question },
    ];
    expect(content[0]).toBe(ok(await llm.chat(messages, [])).text);
    expect(content[0]).toMatch(/Paris|France/);
    installed.replica.close();
  }, 600_000);
});
