/**
 * What bringing a tokenizer's tables back costs after an upgrade: a byte of them, whatever they hold. No vocabulary is
 * parsed in the canister.
 */
import { expect, it } from 'vitest';
import { llamaPack, pairsTokenizer } from './llama-pack.ts';
import { install, ok, upload } from './llm.ts';

/** Bytes, pairs and groups of three letters. */
const LARGE = 18_000;

/** What all messages take from an upgrade until an answer of one token is there, pages apart and pages. */
async function loading(pieces: number): Promise<{ rest: number; pages: number; bytes: number }> {
  // a canister for each: what else is stored is loaded too
  const installed = await install();
  const llm = installed.as();
  const options = { template: '{{ messages[0].content }}', pieces, rows: LARGE, maxNewTokens: 1 };
  await upload(llm, await llamaPack('llama-a', 'int8', options));
  await installed.upgrade();
  installed.newMessages();
  ok(await llm.generate('ab'));
  let [rest, pages] = [0, 0];
  for (const { instructions } of installed.newMessages()) {
    rest += instructions.total - instructions.pages;
    pages += instructions.pages;
  }
  return { rest, pages, bytes: pairsTokenizer(pieces).tables.length };
}

it('takes at most 1.5 instructions a byte, pages apart', async () => {
  const [small, large] = [await loading(900), await loading(LARGE)];
  const bytes = large.bytes - small.bytes;
  const [rest, pages] = [(large.rest - small.rest) / bytes, (large.pages - small.pages) / bytes];
  console.info(
    `${bytes} bytes more of tables: ${rest.toFixed(3)} instructions a byte, and ${pages.toFixed(2)} for pages`,
  );
  expect(bytes).toBeGreaterThan(500_000);
  expect(rest).toBeLessThan(1.5);
  // and they were read
  expect(rest).toBeGreaterThan(0.9);
});
