/** Whatever a prompt of 8,192 characters consists of, it is accepted or refused for far less than a billion instructions (docs/security.md). */
import { readFileSync } from 'node:fs';
import { Principal } from '@dfinity/principal';
import { expect, it } from 'vitest';
import { KINDS, textOf } from '../../bench/tokenizer/dear-texts.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { install, ok, options, upload } from './llm.ts';

/** All of the message: reading the arguments, the tokenizer, writing down the session. */
const MOST = 600_000_000;

it(`takes at most ${MOST} instructions to begin an answer, or to say that the prompt is too long`, async () => {
  const llm = await install();
  await upload(llm.as(), readFileSync((await packFolder('models/little-flan', 'int8')).path));
  await llm.as().generate('a');
  let tooLong = 0;
  for (const [i, [what, part]] of Object.entries(KINDS).entries()) {
    const caller = llm.as(Principal.selfAuthenticating(Uint8Array.of(9, i)));
    llm.newMessages();
    const result = await caller.start(textOf(part), options({ max_new_tokens: 1 }));
    const messages = llm.newMessages().filter(({ kind, method }) => kind === 'update' && method === 'start');
    expect(messages, what).toHaveLength(1);
    expect(messages[0]!.instructions.total, what).toBeLessThan(MOST);
    if ('Ok' in result) ok(await caller.cancel(result.Ok));
    else if ('PromptTooLong' in result.Err) {
      tooLong++;
      expect(result.Err.PromptTooLong.message).toBe(
        'start: expected a prompt of at most 512 tokens, got more than 512',
      );
    } else expect(Object.keys(result.Err), what).toEqual(['EmptyPrompt']);
  }
  expect(tooLong).toBeGreaterThan(5);
});
