/**
 * Whatever a prompt of 8,192 characters consists of, it is accepted or refused for far less than a billion instructions
 * (docs/security.md).
 */
import { readFileSync } from 'node:fs';
import { Principal } from '@dfinity/principal';
import { expect, it } from 'vitest';
import { KINDS, textOf } from '../../bench/tokenizer/dear-texts.ts';
import { decodePackHead, encodePackHead } from '../../src/model/pack/pack.ts';
import { rowOf } from '../../src/model/tokenizer/added-tokens.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { type Installed, install, ok, options, upload } from './llm.ts';

/** All of the message: reading the arguments, the tokenizer, writing down the session. */
const MOST = 600_000_000;
const MOST_ADDED = 900_000_000;

const packBytes = async (): Promise<Buffer> => readFileSync((await packFolder('models/little-flan', 'int8')).path);

/** The most that a message of `start` takes for any of these texts. */
async function dearest(llm: Installed, texts: readonly [what: string, text: string][]): Promise<[number, string]> {
  let tooLong = 0;
  let most: [number, string] = [0, ''];
  for (const [i, [what, text]] of texts.entries()) {
    const caller = llm.as(Principal.selfAuthenticating(Uint8Array.of(9, i)));
    llm.newMessages();
    const result = await caller.start(text, options({ max_new_tokens: 1 }));
    const messages = llm.newMessages().filter(({ kind, method }) => kind === 'update' && method === 'start');
    expect(messages, what).toHaveLength(1);
    const { total } = messages[0]!.instructions;
    if (total > most[0]) most = [total, what];
    if ('Ok' in result) ok(await caller.cancel(result.Ok));
    else if ('PromptTooLong' in result.Err) {
      tooLong++;
      expect(result.Err.PromptTooLong.message).toBe(
        'start: expected a prompt of at most 512 tokens, got more than 512',
      );
    } else expect(Object.keys(result.Err), what).toEqual(['EmptyPrompt']);
  }
  expect(tooLong).toBeGreaterThan(5);
  return most;
}

it(`takes at most ${MOST} instructions to begin an answer, or to say that the prompt is too long`, async () => {
  const llm = await install();
  await upload(llm.as(), await packBytes());
  await llm.as().generate('a');
  const [most, what] = await dearest(
    llm,
    Object.entries(KINDS).map(([kind, part]) => [kind, textOf(part)]),
  );
  expect(most, what).toBeLessThan(MOST);
});

/** The text is normalised to look for them, and what is between them once more. */
it(`takes at most ${MOST_ADDED} instructions where a model has added tokens that are sought in normalised text`, async () => {
  const llm = await install();
  const pack = new Uint8Array(await packBytes());
  const { config: _, generation: _g, ...head } = decodePackHead(pack, pack.length);
  const token = { special: false, normalized: true, lstrip: false, rstrip: false, singleWord: false };
  const addedTokens = [
    { id: 382, content: 'q', ...token },
    { id: 383, content: 'Zw', ...token },
  ].map(rowOf);
  const longer = encodePackHead({ ...head, addedTokens });
  pack.set(longer);
  await upload(llm.as(), pack);
  await llm.as().generate('a');
  const [most, what] = await dearest(
    llm,
    Object.entries({ ...KINDS, 'space symbols and letters by turns': '\u2581\u00e9' }).flatMap(
      ([kind, part]): [string, string][] => [
        [kind, textOf(part)],
        [`${kind}, tokens between`, textOf(`${part}q`)],
        [`${kind}, a token at the end`, `${textOf(part).slice(0, -2)}Zw`],
      ],
    ),
  );
  console.log(`the dearest with added tokens: ${(most / 1e6).toFixed(1)} M, ${what}`);
  expect(most, what).toBeLessThan(MOST_ADDED);
});
