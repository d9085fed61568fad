/** Ids and draws before the subnet's randomness has come: none that anyone could work out. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { install, ok, options, upload } from './llm.ts';

const one = options({ max_new_tokens: 1 });

it('ids do not begin anew with an upgrade, whose timers get lost; what needs a seed asks for it', async () => {
  const llm = await install({ autoTick: false });
  const owner = llm.as();
  await upload(owner, readFileSync((await packFolder('models/little-flan', 'int8')).path));
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) {
    await llm.upgrade();
    llm.replica.canister(llm.canisterId)!.globalTimer = 0n;
    expect(await owner.generate_query('hi', options({ do_sample: true, max_new_tokens: 1 }))).toEqual({
      Err: { Unavailable: expect.stringContaining('no random seed yet') },
    });
    ids.push(ok(await owner.start('hi', one)));
    ok(await owner.generate_query('hi', options({ do_sample: true, max_new_tokens: 1 })));
  }
  expect(new Set(ids).size).toBe(3);
  expect((await owner.status()).sessions).toBe(3);
});
