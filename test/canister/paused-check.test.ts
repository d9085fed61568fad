/**
 * A pack whose check does not fit a message is checked over several, through an upgrade; until its last part is, it
 * is not the model.
 */
import { afterAll, expect, it } from 'vitest';
import type { Execution } from '../../packages/replica/src/execution.ts';
import { systemApi } from '../../packages/replica/src/system-api.ts';
import type { UploadError } from '../../src/interface/llm.did.ts';
import { decodePackHead } from '../../src/model/pack/pack.ts';
import { tinyPack } from './bad-packs.ts';
import { type Installed, install, ok, sha256Of } from './llm.ts';

/** What every look at the counter adds to it: a message is spent after a few parts. */
let spend = 0;
const SPEND = 300_000_000;
const counter = systemApi['performance_counter']!;
let looks = 0;
let message: Execution | undefined;
// a canister binds its imports once: so before it is installed
systemApi['performance_counter'] = (e: Execution, kind: number) => {
  looks = e === message ? looks + 1 : 1;
  message = e;
  return (counter(e, kind) as bigint) + BigInt(looks * spend);
};
afterAll(() => {
  systemApi['performance_counter'] = counter;
});

async function sendChunks(llm: Installed, pack: Uint8Array): Promise<void> {
  const owner = llm.as();
  const { chunk_bytes, chunks } = ok(await owner.upload_start(BigInt(pack.length), sha256Of(pack)));
  for (let i = 0; i < chunks; i++)
    ok(await owner.upload_chunk(i, pack.slice(i * chunk_bytes, (i + 1) * chunk_bytes), []));
}

/** Commits until it is done. @returns what each call said before the last one's outcome */
async function commit(llm: Installed, between: (calls: number) => Promise<void>): Promise<[string[], object]> {
  const said: string[] = [];
  for (;;) {
    const result = await llm.as().upload_commit();
    const error: Partial<Record<string, { message: string }>> =
      'Err' in result ? (result.Err as UploadError as object) : {};
    if (!error['Incomplete']) return [said, result];
    said.push(error['Incomplete'].message);
    if (said.length > 500) throw new Error(`commit: expected an end, got ${said.at(-1)}`);
    await between(said.length);
  }
}

it('over messages: it says how far it is, the old model goes on, an upgrade keeps what was checked, and the last part counts', async () => {
  const llm = await install();
  const owner = llm.as();
  const [old, next] = [await tinyPack('float32', 3), await tinyPack('float32', 4)];
  const active = async () => (await owner.model_info())[0]?.sha256;
  await sendChunks(llm, old);
  ok(await owner.upload_commit());
  ok(await owner.generate('a'));

  // the last number of the last tensor is none
  const { weightsOffset, tensors } = decodePackHead(next, next.length);
  const last = tensors.reduce((a, b) => (b.offset > a.offset ? b : a));
  const bad = next.slice();
  bad.set([0, 0, 0xc0, 0x7f], weightsOffset + last.offset + last.bytes - 4);

  for (const [pack, isGood] of [
    [bad, false],
    [next, true],
  ] as const) {
    await sendChunks(llm, pack);
    spend = SPEND;
    const [said, outcome] = await commit(llm, async (calls) => {
      expect(await active()).toBe(sha256Of(old));
      if (calls === 2) await llm.upgrade();
      spend = 0;
      ok(await owner.generate(`a ${calls}`));
      spend = SPEND;
    });
    spend = 0;
    expect(said.length).toBeGreaterThan(3);
    const checked = said.map((text) =>
      Number(text.match(/^upload_commit: (\d+) of \d+ parts are checked; call again to go on$/)?.[1]),
    );
    // none is checked twice, after the upgrade neither
    expect(checked).toEqual([...new Set(checked)].sort((a, b) => a - b));
    if (isGood) expect(outcome).toHaveProperty('Ok');
    else expect(JSON.stringify(outcome)).toContain('expected finite numbers in');
    expect(await active()).toBe(sha256Of(isGood ? next : old));
  }
  ok(await owner.generate('a'));
});
