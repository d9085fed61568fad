/** A model that `arena_bytes` has no room for: the same answers from weights that are read from stable memory. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { GenerateOptions } from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { change, type Installed, install, ok, options, upload } from './llm.ts';

/** little-flan's float32 weights are 16.6 MB. */
const SMALL = 16n << 20n;
const LARGE = 2_560n << 20n;
const PROMPT = 'what is the opposite of hot?';

let streamed: Installed;
let resident: Installed;

async function installed(arenaBytes: bigint): Promise<Installed> {
  const llm = await install();
  ok(await llm.as().set_settings(change({ arena_bytes: arenaBytes, tokens_per_call: 1 })));
  await upload(llm.as(), new Uint8Array(readFileSync((await packFolder('models/little-flan', 'float32')).path)));
  return llm;
}

beforeAll(async () => {
  streamed = await installed(SMALL);
  resident = await installed(LARGE);
});

const streamedBytes = async (llm: Installed): Promise<number> =>
  Number((await llm.as().model_info())[0]!.streamed_bytes[0]!);

it('is told from a model that has room, and takes no more than it may', async () => {
  expect(await streamedBytes(streamed)).toBeGreaterThan(2_000_000);
  expect(await streamedBytes(resident)).toBe(0);
  expect((await streamed.as().status()).arena_bytes).toBeLessThanOrEqual(SMALL);
});

describe.each<[string, [] | [GenerateOptions]]>([
  ['greedy, by the native loop', options({ max_new_tokens: 6 })],
  ['as many tokens a call as fit', options({ max_new_tokens: 12, tokens_per_call: { auto: null } })],
  ['drawn', options({ max_new_tokens: 8, do_sample: true, seed: 5n, temperature: 1.5 })],
  ['beams', options({ max_new_tokens: 6, num_beams: 4 })],
])('%s', (_, asked) => {
  it('answers the same, below the quote, no message near a slice', async () => {
    const llm = streamed.as();
    const expected = ok(await resident.as().generate_with(PROMPT, asked[0]!));
    const { instructions } = await llm.quote(PROMPT.length, asked[0]!.max_new_tokens[0]!);
    streamed.newMessages();
    const got = ok(await llm.generate_with(PROMPT, asked[0]!));
    expect(got.text).toBe(expected.text);
    expect(got.token_ids).toEqual(expected.token_ids);
    // beams and draws are quoted by their own options, which `quote` does not take
    if (asked[0]!.num_beams.length === 0) expect(got.instructions).toBeLessThan(instructions);
    expect(got.unit_instructions).toBeGreaterThan(expected.unit_instructions);
    for (const { instructions: taken } of streamed.newMessages()) expect(taken.total).toBeLessThan(2e9);
  });
});

it('queries, choices and several callers at once', async () => {
  const [llm, other] = [streamed.as(), resident.as()];
  expect(ok(await llm.generate_query(PROMPT, []))).toMatchObject({
    text: ok(await other.generate_query(PROMPT, [])).text,
  });
  const texts = ['warm', 'cold', 'a dog'];
  const chosen = async (of: typeof llm) => ok(await of.choose(PROMPT, texts, [])).choices;
  expect(await chosen(llm)).toEqual(await chosen(other));
  const prompts = ['is the sun hot?', 'what is 3 plus 4?', PROMPT, 'hello'];
  const all = async (of: typeof llm) => (await Promise.all(prompts.map((p) => of.generate(p)))).map((r) => ok(r).text);
  expect(await all(llm)).toEqual(await all(other));
});

it('goes on after an upgrade in the middle of an answer, and resident once there is room', async () => {
  const llm = streamed.as();
  const long = options({ max_new_tokens: 20, do_sample: true, seed: 9n, temperature: 2 });
  const expected = ok(await resident.as().generate_with('tell me a story', long[0]!)).text;
  const id = ok(await llm.start('tell me a story', long));
  for (let round = 0; round < 3; round++) await streamed.replica.tick();
  await streamed.upgrade();
  expect(ok(await llm.resume(id)).text).toBe(expected);
  expect(await streamedBytes(streamed)).toBeGreaterThan(0);
  ok(await llm.set_settings(change({ arena_bytes: LARGE })));
  await streamed.upgrade();
  expect(ok(await llm.generate(PROMPT)).text).toBe(ok(await resident.as().generate(PROMPT)).text);
  expect(await streamedBytes(streamed)).toBe(0);
});
