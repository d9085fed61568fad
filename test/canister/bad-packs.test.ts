/** A bad pack never becomes the model (docs/security.md). */
import { beforeAll, expect, it } from 'vitest';
import { decodePackHead, encodePackHead } from '../../src/model/pack/pack.ts';
import { garble, kinds, randomOf, tinyPack, tryPack } from './bad-packs.ts';
import { type Installed, install, ok, options, sha256Of, upload } from './llm.ts';

const seed = Number(process.env['SEED'] ?? 2026);
const EACH = 8;

let llm: Installed;
beforeAll(async () => {
  llm = await install();
  await upload(llm.as(), await tinyPack('int8'));
});

it.each(kinds)(
  `${EACH} packs of %s, each with a section garbled, are refused or answer (seed ${seed})`,
  async (kind) => {
    const random = randomOf(seed);
    const whole = await tinyPack(kind, 2);
    const counts = { refused: 0, committed: 0 };
    for (let i = 0; i < EACH; i++) {
      const [pack, section] = garble(whole, random);
      counts[await tryPack(llm, pack, `seed ${seed}, ${kind}, pack ${i}, ${section}`)]++;
    }
    expect(counts.refused + counts.committed).toBe(EACH);
  },
);

/** A pack with bytes changed. */
const changed = (pack: Uint8Array, at: number, ...bytes: number[]): Uint8Array => {
  const copy = pack.slice();
  copy.set(bytes, at);
  return copy;
};

it('says what is wrong, and the old model and its sessions go on', async () => {
  const owner = llm.as();
  const good = await tinyPack('int8', 3);
  await upload(owner, good);
  const sha256 = sha256Of(good);
  const session = ok(
    await owner.start('joe has 22 apples', options({ max_new_tokens: 500, tokens_per_call: { fixed: 1 } })),
  );
  const { config: _, generation: _g, ...head } = decodePackHead(good, good.length);
  const tensor = (name: string) => head.tensors.find((t) => t.name === name)!;
  const norm = head.weightsOffset + tensor('encoder.final_layer_norm.weight').offset;
  const shared = tensor('shared.weight');
  const withHead = (change: object): Uint8Array => {
    const copy = good.slice();
    copy.set(encodePackHead({ ...head, ...change }));
    return copy;
  };
  const cases: [string, Uint8Array, string][] = [
    [
      'NaN in a norm',
      changed(good, norm + 8, 0, 0, 0xc0, 0x7f),
      'expected finite numbers in encoder.final_layer_norm.weight',
    ],
    [
      'an infinite scale',
      changed(good, head.weightsOffset + shared.offset + shared.bytes - 4, 0, 0, 0x80, 0xff),
      'in shared.weight',
    ],
    ['no tokenizer', withHead({ tokenizerBytes: 0 }).slice(0, head.tokenizerOffset), 'expected a tokenizer, got none'],
    ['a name that is none', withHead({ name: 7 }), 'expected a name of at most 200 characters, got 7'],
    [
      'a trie of zeros',
      good.slice().fill(0, head.tokenizerOffset + 80, head.tokenizerOffset + 2000),
      'tokenizer: expected',
    ],
  ];
  for (const [what, pack, message] of cases) {
    await expect(upload(owner, pack), what).rejects.toThrow(message);
    expect((await owner.model_info())[0]!.sha256, what).toBe(sha256);
  }
  expect(ok(await owner.progress(session, 0)).state).toMatchObject({ generating: null });
  expect((await owner.models()).filter(({ active }) => active).map((m) => m.sha256)).toEqual([sha256Of(good)]);
  ok(await owner.cancel(session));
});
