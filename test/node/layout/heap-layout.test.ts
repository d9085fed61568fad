/** What messages touch of the heap, of the canister as it is built: what its layout (src/node/layout/) is for. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { MessageRecord } from '../../../packages/replica/src/index.ts';
import { installBuilt } from '../../../src/node/cost/built-canister.ts';
import { packFolder } from '../../../src/node/model/model-folder.ts';

/** Pages of the heap that messages of each kind touch at most; without the layout 63, 72 and 112. */
const MOST = { inspectMessage: 50, replyCallback: 50, beams: 90 };

test('a message touches few pages of the heap, after an upgrade too', async () => {
  const canister = await installBuilt();
  await canister.upload(new Uint8Array(await readFile((await packFolder('models/little-flan', 'int8')).path)));
  await canister.load();
  const answers = async (): Promise<Record<keyof typeof MOST, number>> => {
    const one = { max_new_tokens: 3, tokens_per_call: { fixed: 1 } };
    const { messages: plain } = await canister.ask('opposite of wide:', one);
    const { messages: searched } = await canister.ask('opposite of near:', { ...one, num_beams: 4 });
    return {
      inspectMessage: mostPages(plain, ({ kind }) => kind === 'inspectMessage'),
      replyCallback: mostPages(plain, ({ kind }) => kind === 'replyCallback'),
      beams: mostPages(searched, ({ kind, method }) => kind === 'update' && method === 'generate'),
    };
  };
  const touched = [await answers()];
  await canister.upgrade();
  await canister.load();
  touched.push(await answers());
  for (const pages of touched)
    for (const kind of Object.keys(MOST) as (keyof typeof MOST)[]) {
      expect(pages[kind], kind).toBeGreaterThan(0);
      expect(pages[kind], kind).toBeLessThanOrEqual(MOST[kind]);
    }
});

function mostPages(messages: readonly MessageRecord[], which: (message: MessageRecord) => boolean): number {
  return Math.max(0, ...messages.filter(which).map(({ pagesTouched }) => pagesTouched.heap));
}
