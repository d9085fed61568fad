/**
 * Packs that are garbled section by section, with the right hash: none may be committed and then trap, and while they
 * are refused the model that is there goes on. Small models, so that many can be tried: bad-packs.test.ts some,
 * test/long/bad-packs-run.ts as many as one likes.
 */
import assert from 'node:assert/strict';
import { parseT5Config } from '../../src/model/checkpoint/config.ts';
import { decodePackHead, type PackHead, packHeadBytes } from '../../src/model/pack/pack.ts';
import { WEIGHTS_KINDS, type WeightsKind } from '../../src/model/tensor-table.ts';
import { decodeTokenizerData, readTokenizerHead } from '../../src/model/tokenizer/unigram/tokenizer-data.ts';
import { randomModel } from '../../src/node/model/random-model.ts';
import { type Installed, install, ok, options, sha256Of, upload } from './llm.ts';

const json = {
  vocab_size: 1216,
  d_model: 16,
  d_kv: 16,
  d_ff: 32,
  num_layers: 1,
  num_heads: 1,
  relative_attention_num_buckets: 32,
  relative_attention_max_distance: 128,
  feed_forward_proj: 'gated-gelu',
  tie_word_embeddings: false,
};

/** A pack of some 200 kB. */
export async function tinyPack(weights: WeightsKind, seed = 1): Promise<Uint8Array> {
  const shape = { name: 'tiny', json, config: parseT5Config(json, 'tiny') };
  return (await randomModel(shape, { weights, seed })).pack;
}

export type Random = (below: number) => number;

/** Lehmer's generator: the same for the same seed. */
export function randomOf(seed: number): Random {
  let state = (seed % 2147483646) + 1;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}

/** What bytes a spoilt place gets: what numbers, offsets and texts are broken by. */
const VALUES = [0, 1, 0x7f, 0x80, 0xff];

function spoil(bytes: Uint8Array, from: number, to: number, random: Random): void {
  const times = 1 + random(random(2) ? 3 : 200);
  for (let i = 0; i < times; i++) {
    const at = from + random(to - from);
    const run = random(8) === 0 ? Math.min(1 + random(64), to - at) : 1;
    const value = random(3) === 0 ? random(256) : VALUES[random(VALUES.length)]!;
    if (random(3) === 0) bytes[at]! ^= 1 << random(8);
    else bytes.fill(value, at, at + run);
  }
}

/** Puts another number into the head's JSON, which keeps its length. */
function spoilHead(pack: Uint8Array, random: Random): void {
  const end = packHeadBytes(pack);
  const text = Buffer.from(pack.subarray(16, end)).toString();
  const numbers = [...text.matchAll(/(?<=[:[,])(-?\d+(\.\d+)?|true|false|null|"[^"]{1,40}")(?=[,\]}])/g)];
  const { index, 0: old } = numbers[random(numbers.length)]!;
  const values = [
    '0',
    '1',
    '-1',
    '3',
    '1e9',
    '1.5',
    'null',
    'true',
    '""',
    '[]',
    '{}',
    '4294967296',
    '"\\ud800"',
    '"x"',
  ];
  const value = values[random(values.length)]!;
  const changed = text.slice(0, index) + value + text.slice(index! + old.length);
  pack.fill(0x20, 16, end);
  pack.set(Buffer.from(changed).subarray(0, end - 16), 16);
}

/** Spoils one section, and says which. */
export function garble(whole: Uint8Array, random: Random): [pack: Uint8Array, section: string] {
  const pack = whole.slice();
  const head: PackHead = decodePackHead(pack, pack.length);
  const kind = random(12);
  if (kind === 0) {
    spoil(pack, 0, packHeadBytes(pack), random);
    return [pack, 'head'];
  }
  if (kind < 3) {
    spoilHead(pack, random);
    return [pack, "head's values"];
  }
  if (kind < 6) {
    const { name, offset, bytes } = head.tensors[random(head.tensors.length)]!;
    const from = head.weightsOffset + offset;
    // numbers that are not integers stand at the end
    spoil(pack, random(2) ? from : from + bytes - Math.min(bytes, 64), from + bytes, random);
    return [pack, name];
  }
  const at = head.tokenizerOffset;
  const { sections } = readTokenizerHead(pack.subarray(at), head.tokenizerBytes);
  const names = Object.keys(sections) as (keyof typeof sections)[];
  const name = names[random(names.length + 1)];
  const section = name === undefined ? { at: 0, bytes: 80 } : sections[name];
  if (section.bytes === 0) return garble(whole, random);
  if (random(4) === 0 && (name === 'units' || name === 'userUnits')) {
    const { units } = decodeTokenizerData(pack.slice(at, at + head.tokenizerBytes));
    cyclic(pack, at + sections.units.at, units, random);
    return [pack, 'units, a ring'];
  }
  spoil(pack, at + section.at, at + section.at + section.bytes, random);
  return [pack, `tokenizer: ${name ?? 'head'}`];
}

/** Leads a unit of the trie back to where its parent's children are, so that the same bytes may come for ever. */
function cyclic(pack: Uint8Array, at: number, units: Int32Array, random: Random): void {
  const view = new DataView(pack.buffer, pack.byteOffset + at);
  for (;;) {
    const slot = 1 + random(units.length - 1);
    const unit = units[slot]!;
    if ((unit & 0xff) === 0) continue;
    view.setInt32(slot * 4, ((slot ^ (unit & 0xff)) << 10) | (unit & 0x3ff), true);
    return;
  }
}

/** Texts whose tokenizing goes through all tables. */
const PROMPTS = ['joe has 22 apples', 'é… ½ ﷺ\u0301 </s>', 'a'.repeat(600)];

/** What came of a pack: refused, or the model, which must answer then. */
export async function tryPack(llm: Installed, pack: Uint8Array, about: string): Promise<'refused' | 'committed'> {
  const owner = llm.as();
  const [before] = await owner.model_info();
  llm.newMessages();
  let refused: string | undefined;
  try {
    await upload(owner, pack);
  } catch (error) {
    refused = (error as Error).message;
  }
  for (const { instructions, method } of llm.newMessages())
    assert(instructions.total < 2e9, `${about}: ${method}: ${instructions}`);
  const [info] = await owner.model_info();
  if (refused === undefined) assert.equal(info!.sha256, sha256Of(pack), about);
  else {
    assert.match(refused, /^\{"InvalidPack":\{?.*upload_commit: .*expected .*, got /s, about);
    assert.equal(info!.sha256, before!.sha256, about);
  }
  for (const prompt of PROMPTS) {
    const result = await owner.generate_with(prompt, options({ max_new_tokens: 3 })[0]);
    if ('Err' in result)
      assert.deepEqual(Object.keys(result.Err), ['PromptTooLong'], `${about}: ${JSON.stringify(result.Err)}`);
  }
  if (info!.sha256 !== before!.sha256) ok(await owner.model_delete(before!.sha256));
  return refused === undefined ? 'committed' : 'refused';
}

export const kinds = WEIGHTS_KINDS;

/** Tries so many packs, of all kinds of weights by turns. @throws where one is committed and traps */
export async function badPacks(
  seed: number,
  packs: number,
  onProgress: (text: string) => void,
): Promise<Record<string, Record<string, number>>> {
  const llm = await install();
  await upload(llm.as(), await tinyPack('int8'));
  const random = randomOf(seed);
  const wholes = await Promise.all(kinds.map((kind) => tinyPack(kind, 2)));
  const counts: Record<string, Record<string, number>> = {};
  for (let i = 0; i < packs; i++) {
    const [pack, section] = garble(wholes[i % wholes.length]!, random);
    const what = await tryPack(llm, pack, `seed ${seed}, pack ${i}, ${section}`);
    const of =
      section.startsWith('tokenizer') || section.startsWith('head') || section.startsWith('units')
        ? section
        : 'weights';
    counts[of] ??= { refused: 0, committed: 0 };
    counts[of][what]! += 1;
    onProgress(`${i + 1} of ${packs}`);
  }
  return counts;
}
