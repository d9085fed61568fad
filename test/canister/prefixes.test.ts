/**
 * Conversations on the canister: what of a prompt is not made again, for whom, and that nothing but the cost changes.
 */
import { Principal } from '@dfinity/principal';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ChatMessage, Generation, _SERVICE as Llm } from '../../src/interface/llm.did.ts';
import { copyTokenizer } from '../../src/model/tokenizer/pack-tokenizer.ts';
import { Chat } from '../../src/text/chat.ts';
import { FixtureModel } from '../model/generation/models.ts';
import { newUnit } from '../tensor/machines.ts';
import { llamaPack, pairsTokenizer } from './llama-pack.ts';
import { change, type Installed, install, ok, options, upload } from './llm.ts';

const TEMPLATE =
  '{% for m in messages %}<s>{{ m.role }}\n{{ m.content }}</s>\n{% endfor %}{% if add_generation_prompt %}<s>assistant\n{% endif %}';
const say = (role: 'system' | 'user' | 'assistant', content: string) =>
  ({ role: { [role]: null }, content }) as ChatMessage;
const SYSTEM = say('system', 'answer as a pirate would, and never in more than five words, whatever is asked of you');
const request = { max_new_tokens: 12 };
/** For what a prompt costs. */
const one = { max_new_tokens: 1 };

let installed: Installed;
let owner: Llm;
let callers = 10;
/** Somebody who has not called before. */
const somebody = (): Llm => installed.as(Principal.selfAuthenticating(new Uint8Array([callers++])));
/** What these programs answer here, where nothing is ever kept. */
let answerHere: (messages: ChatMessage[], more?: object) => { text: string; prompt: number };

beforeAll(async () => {
  installed = await install();
  owner = installed.as();
  await upload(owner, await llamaPack('llama-a', 'int8', TEMPLATE));
  const unit = newUnit();
  const tokenizer = copyTokenizer(pairsTokenizer(900), unit);
  const here = await FixtureModel.open('llama-a', 'int8', unit);
  const chat = new Chat({ template: TEMPLATE }, tokenizer);
  answerHere = (messages, more = request) => {
    const plain = messages.map(({ role, content }) => ({ role: Object.keys(role)[0]!, content }));
    const ids = chat.encodeUpTo(plain, 512)!;
    return { text: tokenizer.decode(here.answer(ids, more)), prompt: ids.length };
  };
});

/** Nothing is kept. */
beforeEach(async () => {
  ok(await owner.set_settings(change({ embedding_bytes: 0n })));
  expect(await owner.status()).toMatchObject({ embeddings: 0, embedding_bytes: 0n });
  ok(await owner.set_settings(change({ embedding_bytes: 1n << 26n })));
});

const chat = async (llm: Llm, messages: ChatMessage[], more = request): Promise<Generation> => {
  const answer = ok(await llm.chat(messages, options(more)));
  expect(answer.text).toBe(answerHere(messages, more).text);
  return answer;
};
const unitOf = ({ unit_instructions }: Generation): number => Number(unit_instructions);
/** What the unit takes for a conversation where nothing is kept. */
async function without(messages: ChatMessage[]): Promise<number> {
  ok(await owner.set_settings(change({ embedding_bytes: 0n })));
  const took = unitOf(await chat(owner, messages, one));
  ok(await owner.set_settings(change({ embedding_bytes: 1n << 26n })));
  return took;
}

describe('a conversation of three turns', () => {
  const asked = ['where is the treasure, and who has hidden it there?', 'and who else knows of it?', 'why is that?'];

  it.each<[string, () => Llm]>([
    ['a caller', somebody],
    ['the anonymous one', () => installed.as(Principal.anonymous())],
  ])('of %s costs what its new tokens cost, before and after an upgrade it says the same', async (_, who) => {
    const llm = who();
    let messages = [SYSTEM];
    let before = { prompt: 0 };
    let last: Generation | undefined;
    for (const [turn, question] of asked.entries()) {
      messages = [...messages, say('user', question)];
      const { prompt } = answerHere(messages);
      if (turn === 2) {
        const first = unitOf(await chat(llm, messages, one));
        const whole = await without(messages);
        const share = (prompt - before.prompt) / prompt;
        console.info(
          `turn 3: ${prompt} tokens, ${prompt - before.prompt} new; unit: ${first}, ${whole} where nothing is kept`,
        );
        expect(share).toBeLessThan(0.25);
        // new tokens look back at all that was before
        expect(first).toBeLessThan(2 * share * whole);
      }
      last = await chat(llm, messages);
      expect(last.embedding_cached).toBe(turn === 1);
      before = { prompt };
      messages = [...messages, say('assistant', last.text)];
    }
    // nothing is kept by now; then an upgrade in the middle of the next turn
    messages = [...messages, say('user', 'so what?')];
    await chat(llm, messages);
    await installed.upgrade();
    expect((await owner.status()).embeddings).toBe(0);
    await chat(llm, [...messages.slice(0, -1), say('user', 'so what now?')]);
  });

  it('has what agrees of a question that is asked anew, or in other words', async () => {
    const llm = somebody();
    const talk = [SYSTEM, say('user', asked[0]!)];
    const first = unitOf(await chat(llm, talk, one));
    expect(unitOf(await chat(llm, talk, one))).toBeLessThan(0.3 * first);
    const other = await chat(llm, [SYSTEM, say('user', `${asked[0]!.slice(0, 40)} have you seen it?`)], one);
    expect(unitOf(other)).toBeLessThan(0.5 * first);
  });

  it.each([
    { max_new_tokens: 8, num_beams: 3 },
    { max_new_tokens: 8, repetition_penalty: 1.5 },
    { max_new_tokens: 8, do_sample: true, seed: 5n },
  ])('answers the same with %o', async (more) => {
    const llm = somebody();
    let messages: ChatMessage[] = [];
    for (const question of asked) {
      messages = [...messages, say('user', question)];
      messages = [...messages, say('assistant', (await chat(llm, messages, more as never)).text)];
    }
  });

  it('is gone on with by a plain text and in a query', async () => {
    const llm = somebody();
    const text = 'once upon a time, in a land far away, there was a number, and it was not a small one';
    const first = ok(await llm.generate_with(text, options(request)[0]!));
    const longer = `${text}${first.text} then`;
    const expected = ok(await owner.generate_with(longer, options(request)[0]!));
    const query = ok(await llm.generate_query(longer, options(request)));
    const answer = ok(await llm.generate_with(longer, options(request)[0]!));
    expect([query.text, answer.text]).toEqual([expected.text, expected.text]);
    expect(unitOf(answer)).toBeLessThan(0.7 * unitOf(expected));
    expect(query.embedding_cached && answer.embedding_cached).toBe(true);
  });
});

describe('a system prompt that many share', () => {
  it('is made once, one after another and at the same time', async () => {
    const ask = (i: number) => [SYSTEM, say('user', `what is ${i}?`)];
    const alone = await without(ask(0));
    const first = unitOf(await chat(somebody(), ask(0), one));
    expect(Math.abs(first - alone)).toBeLessThan(0.08 * alone);
    for (let i = 1; i < 4; i++) expect(unitOf(await chat(somebody(), ask(i), one))).toBeLessThan(0.7 * first);
    ok(await owner.set_settings(change({ embedding_bytes: 0n })));
    ok(await owner.set_settings(change({ embedding_bytes: 1n << 26n })));
    const together = await Promise.all([4, 5, 6, 7].map(async (i) => unitOf(await chat(somebody(), ask(i), one))));
    expect(together.filter((took) => took > 0.8 * first)).toHaveLength(1);
  });

  it('tells nobody what others ask: who asks the same pays as who asks something else', async () => {
    const secret = [SYSTEM, say('user', 'my name is ada and the key lies under the third stone')];
    const guess = [SYSTEM, say('user', 'my name is bob and the key lies under the first stone')];
    const owners: Llm[] = [somebody(), installed.as(Principal.anonymous())];
    for (const own of owners) {
      const first = unitOf(await chat(own, secret, one));
      const [right, wrong] = [await chat(somebody(), secret, one), await chat(somebody(), guess, one)];
      expect(answerHere(secret).prompt).toBe(answerHere(guess).prompt);
      expect(right.embedding_cached).toBe(wrong.embedding_cached);
      // pages lie here and there; what is there already would save a good part
      expect(Math.abs(unitOf(right) - unitOf(wrong))).toBeLessThan(0.08 * unitOf(wrong));
      if (own === owners[0]) expect(unitOf(await chat(own, secret, one))).toBeLessThan(0.8 * unitOf(wrong));
      if (own === owners[0]) expect(unitOf(wrong)).toBeLessThan(first);
    }
    // nor a system prompt of which a part is known
    const part = { ...SYSTEM, content: `${SYSTEM.content.slice(0, 60)} at all times` };
    expect((await chat(somebody(), [part, say('user', 'x')])).embedding_cached).toBe(false);
  });

  it('and what anybody has asked without a name shows to who asks the whole of it alone', async () => {
    const anybody = installed.as(Principal.anonymous());
    await chat(anybody, [SYSTEM, say('user', 'my name is ada and the key lies under the third stone')], one);
    const [almost, other] = [
      await chat(anybody, [SYSTEM, say('user', 'my name is ada and the key lies under the third spoon')], one),
      await chat(anybody, [SYSTEM, say('user', 'her name is eve and the key lies under the third spoon')], one),
    ];
    expect(Math.abs(unitOf(almost) - unitOf(other))).toBeLessThan(0.08 * unitOf(other));
  });
});

describe('what is kept', () => {
  const talk = [SYSTEM, say('user', 'where is it?')];

  it('is bounded by embedding_bytes, and gone at once where that is 0', async () => {
    const llm = somebody();
    await chat(llm, talk);
    const { embeddings, embedding_bytes: one } = await owner.status();
    expect([embeddings, one > 0n]).toEqual([1, true]);
    const most = (one * 5n) / 2n;
    ok(await owner.set_settings(change({ embedding_bytes: most })));
    for (let i = 0; i < 5; i++) {
      await chat(llm, [SYSTEM, say('user', `where is ${i}?`)]);
      expect((await owner.status()).embedding_bytes).toBeLessThanOrEqual(most);
    }
    ok(await owner.set_settings(change({ embedding_bytes: 0n })));
    expect(await owner.status()).toMatchObject({ embeddings: 0, embedding_bytes: 0n });
    for (let i = 0; i < 2; i++) expect((await chat(llm, talk)).embedding_cached).toBe(false);
    expect(await owner.status()).toMatchObject({ embeddings: 0, embedding_bytes: 0n });
  });

  it('goes with its session: deleted, expired, or with its model', async () => {
    const llm = somebody();
    const { session } = await chat(llm, talk);
    ok(await llm.delete(session));
    expect((await owner.status()).embeddings).toBe(0);
    expect((await chat(llm, talk)).embedding_cached).toBe(false);
    const [info] = await owner.model_info();
    await upload(owner, await llamaPack('llama-a', 'int4', TEMPLATE));
    expect((await owner.status()).embeddings).toBe(0);
    ok(await owner.model_activate(info!.sha256));
    expect((await chat(llm, talk)).embedding_cached).toBe(false);
  });

  it('stays of what was cancelled, and is taken up where it is resumed', async () => {
    const llm = somebody();
    const id = ok(await llm.start_chat(talk, options({ max_new_tokens: 60 })));
    ok(await llm.cancel(id));
    const answer = ok(await llm.resume(id));
    expect(answer.text).toBe(answerHere(talk, { max_new_tokens: 60 }).text);
  });
});
