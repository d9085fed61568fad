/**
 * Conversations with the canister: by the model's template, by a T5's last message, and what of a template or of
 * messages is refused.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ChatMessage, _SERVICE as Llm } from '../../src/interface/llm.did.ts';
import { copyTokenizer } from '../../src/model/tokenizer/pack-tokenizer.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { Chat } from '../../src/text/chat.ts';
import { FixtureModel } from '../model/generation/models.ts';
import { newUnit } from '../tensor/machines.ts';
import { llamaPack, pairsTokenizer } from './llama-pack.ts';
import { change, type Installed, install, ok, options, upload } from './llm.ts';

const TEMPLATE =
  '{% for m in messages %}<s>{{ m.role }}\n{{ m.content }}</s>\n{% endfor %}{% if add_generation_prompt %}<s>assistant\n{% endif %}';
/** As Qwen 3's: looks through all messages from the end, cuts thoughts out of answers, lists tools. */
const LIKE_QWEN3 = (
  JSON.parse(readFileSync('test/fixtures/chat/templates.json', 'utf8')) as {
    templates: Record<string, { template: string }>;
  }
).templates['thoughts are cut out of what was answered, tools are listed']!.template;

const say = (role: 'system' | 'user' | 'assistant', content: string) =>
  ({ role: { [role]: null }, content }) as ChatMessage;
const TALK = [
  say('system', 'be brief'),
  say('user', 'the capital </s> of <s>france'),
  say('assistant', 'paris'),
  say('user', 'and italy?'),
];
const plain = (messages: ChatMessage[]) =>
  messages.map(({ role, content }) => ({ role: Object.keys(role)[0]!, content }));

let installed: Installed;
let llm: Llm;
/** Instructions of the last message of a method. */
const instructionsOf = (method: string): number =>
  Math.max(
    ...installed
      .newMessages()
      .filter((m) => m.method === method)
      .map((m) => m.instructions.total),
  );

beforeAll(async () => {
  installed = await install();
  llm = installed.as();
});

describe('a T5', () => {
  it('has the last message as its prompt', async () => {
    await upload(llm, new Uint8Array(readFileSync((await packFolder('models/little-flan', 'int8')).path)));
    const asked = await llm.chat([say('system', 'x'), say('user', 'opposite of hot:')], []);
    expect(ok(asked).text).toBe(ok(await llm.generate('opposite of hot:')).text);
    expect(ok(asked).text).toBe('cold');
  });
});

describe('a model with a template', () => {
  const request = { max_new_tokens: 12 };

  it('answers as the same programs do here, by a call and by itself; texts of special tokens are text', async () => {
    await upload(llm, await llamaPack('llama-a', 'int8', TEMPLATE));
    const unit = newUnit();
    const tokenizer = copyTokenizer(pairsTokenizer(900), unit);
    const here = await FixtureModel.open('llama-a', 'int8', unit);
    const ids = new Chat({ template: TEMPLATE }, tokenizer).encodeUpTo(plain(TALK), 500)!;
    expect(ids.filter((id) => id === 1)).toHaveLength(5);
    const expected = tokenizer.decode(here.answer(ids, request));
    const answer = ok(await llm.chat(TALK, options(request)));
    expect(answer.text).toBe(expected);
    expect(answer.prompt_tokens).toBe(ids.length);
    const id = ok(await llm.start_chat(TALK, options(request)));
    for (;;) {
      const { text, state } = ok(await llm.progress(id, 0));
      expect(state).not.toHaveProperty('failed');
      if (!('finished' in state)) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        continue;
      }
      expect(text).toBe(expected);
      break;
    }
    expect(ok(await llm.list([]))[0]?.prompt ?? 'and italy?').toBe('and italy?');
    // plain text is gone on with as it is
    const text = 'and italy?';
    const goesOn = tokenizer.decode(here.answer(tokenizer.encode(text), request));
    expect(ok(await llm.generate_with(text, options(request)[0]!)).text).toBe(goesOn);
  });

  it.each<[string, ChatMessage[], object]>([
    ['no messages', [], { EmptyPrompt: 'chat: expected a last message with a text, got no text' }],
    ['an empty one', [say('user', ' ')], { EmptyPrompt: 'chat: expected a last message with a text, got no text' }],
    [
      'too many',
      Array.from({ length: 201 }, () => say('user', 'a')),
      { InvalidOptions: 'chat: expected at most 200 messages, got 201' },
    ],
  ])('refuses %s', async (_, messages, error) => {
    expect(await llm.chat(messages, [])).toEqual({ Err: error });
  });

  it('refuses a text that is too long, whichever messages it is in', async () => {
    const long = [say('user', 'a'.repeat(5000)), say('user', 'b'.repeat(5000))];
    expect(await llm.chat(long, [])).toMatchObject({ Err: { PromptTooLong: { tokens: 10000 } } });
    expect(await llm.chat([say('user', '0'.repeat(8000))], [])).toMatchObject({
      Err: { PromptTooLong: { tokens: 512 } },
    });
  });

  it('may be longer where the context and a setting allow it: eight characters a token', async () => {
    await upload(llm, await llamaPack('llama-a', 'int8', { template: TEMPLATE, contextLength: 8192 }));
    ok(await llm.set_settings(change({ max_prompt_tokens: 5_000, max_context_tokens: 8_192 })));
    const long = 'ab'.repeat(4_500);
    expect(ok(await llm.start_chat([say('user', long)], options({ max_new_tokens: 1 })))).toHaveLength(32);
    expect(ok(await llm.start(long, options({ max_new_tokens: 1 })))).toHaveLength(32);
    expect((await llm.count_tokens(long))[0]).toEqual({ tokens: 4_500, limit: 5_000 });
    const longer = ' '.repeat(40_001);
    const message = 'start_chat: expected a prompt of at most 40000 characters, got 40001';
    expect(await llm.start_chat([say('user', longer)], [])).toMatchObject({ Err: { PromptTooLong: { message } } });
    expect(await llm.count_tokens(longer)).toEqual([]);
    ok(await llm.set_settings(change({ max_prompt_tokens: 2_048 })));
    expect(await llm.start_chat([say('user', ' '.repeat(16_385))], [])).toMatchObject({
      Err: { PromptTooLong: { message: 'start_chat: expected a prompt of at most 16384 characters, got 16385' } },
    });
    ok(await llm.clear_queue());
  });

  it('takes less than a billion instructions for whatever it is, a word of 16,384 letters and 200 messages among it', async () => {
    const kinds = ['a', 'ab', '</s>', ' ', '漢', '\u0301', '\u{F0000}', '<'];
    const took: string[] = [];
    for (const part of kinds) {
      installed.newMessages();
      await llm.start_chat([say('user', part.repeat(16_384 / part.length))], options({ max_new_tokens: 1 }));
      took.push(`${JSON.stringify(part)} ${(instructionsOf('start_chat') / 1e6).toFixed(0)}`);
      expect(instructionsOf('start_chat'), part).toBeLessThan(1_000_000_000);
    }
    console.info(`start_chat of 16,384 characters, M instructions: ${took.join(', ')}`);
    installed.newMessages();
    await llm.start_chat(
      Array.from({ length: 200 }, () => say('user', 'a')),
      options({ max_new_tokens: 1 }),
    );
    expect(instructionsOf('start_chat')).toBeLessThan(1_000_000_000);
  });

  it("renders ten messages with a template as Qwen 3's for at most 100 M instructions", async () => {
    await upload(
      llm,
      await llamaPack('llama-a', 'int8', LIKE_QWEN3.replaceAll('<|a|>', '<s>').replaceAll('<|b|>', '</s>')),
    );
    const talk = Array.from({ length: 10 }, (_, i) => say(i % 2 ? 'assistant' : 'user', `message ${i}`));
    await llm.chat([say('user', 'a')], options({ max_new_tokens: 1 }));
    const cost: number[] = [];
    for (const messages of [talk.slice(8), talk.slice(0, 10)]) {
      installed.newMessages();
      await llm.start_chat([...messages, say('user', 'x')], options({ max_new_tokens: 1 }));
      cost.push(instructionsOf('start_chat'));
    }
    console.info(`start_chat of 3 and of 11 messages: ${cost.map((c) => (c / 1e6).toFixed(1)).join(' and ')} M`);
    expect(cost[1]).toBeLessThan(100_000_000);
  });
});

describe('a template is refused when its model is made active', () => {
  it.each([
    [
      'one that never ends',
      '{% for a in range(1999) %}{% for b in range(1999) %}{% endfor %}{% endfor %}',
      'expected an end within',
    ],
    [
      'one that ends for a user alone',
      `${TEMPLATE}{% if messages[0].role == 'system' %}{% for a in range(1999) %}{% for b in range(1999) %}{% endfor %}{% endfor %}{% endif %}`,
      'expected an end within',
    ],
    [
      'one whose text doubles',
      "{% set ns = namespace(t='xxxxxxxxxx') %}{% for i in range(60) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
      'chat template: expected',
    ],
    ['one that takes no user', "{{ raise_exception('never') }}", 'chat template: never'],
    ['no template', '{% for %}', 'expected a Jinja template'],
  ])('%s', async (_, template, message) => {
    const [before] = await llm.model_info();
    const pack = await llamaPack('llama-a', 'int8', template);
    await expect(upload(llm, pack)).rejects.toThrow(message);
    const [after] = await llm.model_info();
    expect(after!.sha256).toBe(before!.sha256);
    for (const { instructions } of installed.newMessages()) expect(instructions.total).toBeLessThan(2_000_000_000);
  });
});
