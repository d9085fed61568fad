/**
 * After an upgrade what was stored is read in parts, however much it is: no message is long, and nobody is answered by
 * half of it.
 */
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { beforeAll, expect, it } from 'vitest';
import { type _SERVICE as Llm, idlService as service } from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { change, chatStatus, controller, type Installed, install, ok, options, stranger, upload } from './llm.ts';
import { storeOver } from './many-sessions.ts';

const COUNT = 16_000;
const REFUSED = 'expected the sessions of before the upgrade to be read, got a part of them; try again in some seconds';
const one = options({ max_new_tokens: 1 });
let llm: Installed;
let owner: Llm;
let last: string;

beforeAll(async () => {
  llm = await install({ autoTick: false });
  owner = llm.as();
  await upload(owner, readFileSync((await packFolder('models/little-flan', 'int8')).path));
  ok(await owner.set_settings(change({ max_finished: 20_000, http_completions: true, tokens_per_day: 1_000n })));
  ok(await llm.as(stranger).generate_with('opposite of hot:', ...one));
  last = ok(await owner.start('opposite of cold:', one));
  await untilQuiet();
  storeOver(llm, last, COUNT);
});

async function untilQuiet(): Promise<void> {
  for (let quiet = 0; quiet < 3; ) {
    if ((await llm.replica.tick()) > 0) continue;
    quiet += 1;
    llm.replica.advanceTime(10);
  }
}

function dearest(): number {
  const messages = llm.newMessages().filter(({ kind }) => kind !== 'postUpgrade');
  return Math.max(...messages.map(({ instructions }) => instructions.total));
}

const statusByHttp = (): Promise<number> =>
  chatStatus(llm, { model: 'little-flan', messages: [{ role: 'user', content: 'hi' }] });

it('no message after it takes more than one for few sessions, and what needs them is refused till they are there', async () => {
  await llm.upgrade();
  llm.newMessages();
  expect(await owner.list([])).toEqual({ Err: { Unavailable: `list: ${REFUSED}` } });
  // what needs none of them is not refused
  expect((await owner.status()).sessions).toBeLessThan(COUNT);
  const refused = { Err: { Unavailable: `start: ${REFUSED}` } };
  expect(await llm.as(stranger).start('hi', one)).toEqual(refused);
  // an upgrade in the middle begins anew
  await llm.upgrade();
  await expect(owner.clear_queue()).rejects.toThrow(`clear_queue: ${REFUSED}`);
  await llm.upgrade();
  ok(await owner.set_settings(change({ max_active: 8 })));
  await llm.upgrade();
  expect(await statusByHttp()).toBe(503);
  await untilQuiet();
  expect((await owner.status()).sessions).toBe(COUNT + 2);
  expect(ok(await owner.progress(last, 0))).toMatchObject({ state: { finished: { length: null } }, output_tokens: 1 });
  ok(await llm.as(stranger).start('hi', one));
  await untilQuiet();
  expect(dearest()).toBeLessThan(800e6);
});

it('what callers have spent counts after two upgrades, of which the second comes while it is read', async () => {
  ok(await owner.set_settings(change({ tokens_per_day: 20n })));
  const overLimit = () => llm.as(stranger).start('hi', options({ max_new_tokens: 19 }));
  const before = await overLimit();
  expect(before).toMatchObject({ Err: { LimitReached: expect.stringMatching(/a day, got [1-9]/) } });
  await llm.upgrade();
  await llm.upgrade();
  await untilQuiet();
  expect(await overLimit()).toEqual(before);
});

it('a list that is called as an update goes through a few of those that have expired, not through all', async () => {
  const [, { argTypes, retTypes }] = service._fields.find(([name]) => name === 'list')!;
  const call = { canisterId: llm.canisterId, method: 'list', sender: controller };
  const list = async (): Promise<unknown> => {
    const arg = new Uint8Array(IDL.encode(argTypes, [[]]));
    const reply = await llm.replica.updateCall({ ...call, arg });
    return IDL.decode(retTypes, reply as Uint8Array<ArrayBuffer>)[0];
  };
  const MONTH = 31 * 86_400_000;
  llm.replica.advanceTime(MONTH);
  llm.newMessages();
  const expected = 'expected fewer than 500 expired sessions before the next one, got more';
  const todo = 'call list as a query, or try again when they are forgotten';
  expect(await list()).toEqual({ Err: { Unavailable: `list: ${expected}; ${todo}` } });
  const lists = llm.newMessages().filter(({ method, kind }) => method === 'list' && kind === 'query');
  expect(lists).toHaveLength(1);
  expect(lists[0]!.instructions.total).toBeLessThan(30e6);
  // nobody pays for a query
  expect(await owner.list([])).toEqual({ Ok: [] });
  // what is found before there are too many is a page
  const id = ok(await owner.start('hi', one));
  expect(await list()).toMatchObject({ Ok: [{ session: id }] });
  await untilQuiet();
  expect(await list()).toMatchObject({ Ok: [{ session: id }] });
  expect((await owner.status()).sessions).toBe(1);
});
