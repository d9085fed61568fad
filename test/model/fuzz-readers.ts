// Spoils files at random and has the readers of src/model read them: npx tsx test/model/fuzz-readers.ts [MINUTES [SEED
// [NAME]]] Every reader must give something or an error of ours, in time and within memory. Not a part of `npm test`.

import { parseT5Config, readT5Config } from '../../src/model/checkpoint/config.ts';
import { readGenerationConfig } from '../../src/model/checkpoint/generation-config.ts';
import { Safetensors } from '../../src/model/checkpoint/safetensors.ts';
import { openWeights } from '../../src/model/checkpoint/weights.ts';
import { SPARE_TENSORS } from '../../src/model/families/t5/match-tensors.ts';
import { decodePackHead, encodePackHead, packBytes, packHeadBytes, planPack } from '../../src/model/pack/pack.ts';
import { convertTokenizer } from '../../src/model/tokenizer/files/convert.ts';
import { decodeTokenizer } from '../../src/model/tokenizer/unigram/tokenizer.ts';
import { filledTensors, fixture, memoryFolder, memorySource } from './checkpoint/memory.ts';
import { writeSafetensors } from './checkpoint/write-safetensors.ts';
import { fixturePath, readBytes, unit } from './tokenizer/fixtures.ts';

/** Of the processor: a machine that does other work is no hang. */
const SLOWEST_MS = 5000;
const MOST_BYTES = 1 << 30;

const utf8 = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const weights = writeSafetensors(
  filledTensors([
    { name: 'a', shape: [2, 3] },
    { name: 'b.weight', shape: [4] },
  ]),
);

/** A tokenizer.json with every kind of entry, as small as it can be. */
const tokenizerJson = utf8({
  normalizer: {
    type: 'Sequence',
    normalizers: [{ type: 'Precompiled', precompiled_charsmap: 'AAQAAAA=' }, { type: 'Strip' }],
  },
  pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Metaspace', prepend_scheme: 'first' }] },
  added_tokens: [
    { id: 0, content: '</s>', special: true },
    { id: 4, content: '[x]', special: false },
  ],
  model: {
    type: 'Unigram',
    unk_id: 1,
    vocab: [
      ['</s>', 0],
      ['<unk>', 0],
      ['\u2581a', -1.5],
      ['a', -2],
    ],
  },
});

const room = unit.grow(64 << 20);

const tokenize = (bytes: Uint8Array): void => {
  const tokenizer = decodeTokenizer(convertTokenizer(bytes, 'file'), unit, room);
  tokenizer.decode(tokenizer.encode('the of a\u2581b ﬁ😀 \u0000</s>'.repeat(20)));
};

const config = JSON.parse(Buffer.from(fixture('t5/flan-a/config.json')).toString());
const packs = (['int4', 'int8'] as const).map((kind) => {
  const model = { name: 'flan-a', json: { config, generation: {} }, weights: kind, tiedHead: false };
  return planPack(model, parseT5Config(config, 'config'), 4096);
});
const tables = ['bytes', 'user', 'across'].map((name) =>
  convertTokenizer(readBytes(fixturePath(`${name}.model`)), 'file'),
);

/** What is read, from which files. */
const targets: Record<string, { seeds: Uint8Array[]; read: (bytes: Uint8Array) => unknown }> = {
  spiece: {
    seeds: ['bytes', 'user', 'across', 'keep'].map((name) => readBytes(fixturePath(`${name}.model`))),
    read: tokenize,
  },
  'tokenizer.json': { seeds: [tokenizerJson], read: tokenize },
  safetensors: {
    seeds: [weights],
    read: async (bytes) => {
      const file = await Safetensors.open(memorySource(bytes), 'file');
      for (const name of file.tensors.keys()) await file.read(name);
    },
  },
  index: {
    seeds: [utf8({ metadata: {}, weight_map: { a: 'w.safetensors', 'b.weight': 'w.safetensors' } })],
    read: (bytes) =>
      openWeights(memoryFolder({ 'model.safetensors.index.json': bytes, 'w.safetensors': weights }), SPARE_TENSORS),
  },
  pack: {
    seeds: packs.map(encodePackHead),
    read: (bytes) => {
      const kind = Buffer.from(bytes).includes('"weights":"int4"') ? 0 : 1;
      decodePackHead(bytes.subarray(0, packHeadBytes(bytes)), packBytes(packs[kind]!));
    },
  },
  tables: {
    seeds: tables,
    read: (bytes) => {
      const tokenizer = decodeTokenizer(bytes, unit, room);
      tokenizer.decode(tokenizer.encode('the of a\u2581b ﬁ😀 \u0000</s>'.repeat(20)));
    },
  },
  config: { seeds: [fixture('t5/flan-a/config.json')], read: (bytes) => readT5Config(bytes) },
  generation: {
    seeds: [utf8({ max_new_tokens: 20, eos_token_id: [1, 2], early_stopping: 'never', top_p: 0.9, num_beams: 4 })],
    read: (bytes) => readGenerationConfig(bytes, 100),
  },
};

const [minutes = 1, seed = Date.now() & 0x7fffffff] = process.argv.slice(2, 4).map(Number);
let state = seed || 1;
const random = (below: number): number => {
  state = (state * 48271) % 2147483647;
  return state % below;
};

/**
 * One to eight changes: a byte, a bit, a number made huge, a part cut out, doubled or put elsewhere, the end cut off.
 */
function spoil(file: Uint8Array): Uint8Array {
  let bytes = file;
  for (let changes = 1 + random(8); changes > 0 && bytes.length > 0; changes--) {
    const at = random(bytes.length);
    const length = 1 + random(Math.min(bytes.length - at, 40));
    const part = bytes.slice(at, at + length);
    const kind = random(7);
    if (kind === 0) bytes = bytes.map((byte, i) => (i === at ? random(256) : byte));
    else if (kind === 1) bytes = bytes.map((byte, i) => (i === at ? byte ^ (1 << random(8)) : byte));
    else if (kind === 2)
      bytes = bytes.map((byte, i) => (i >= at && i < at + length ? [0xff, 0x39, 0x00][random(3)]! : byte));
    else if (kind === 3) bytes = join(bytes.slice(0, at), bytes.slice(at + length));
    else if (kind === 4) bytes = join(bytes.slice(0, at), part, bytes.slice(at));
    else if (kind === 5) bytes = join(part, bytes);
    else
      bytes =
        random(4) === 0
          ? bytes.slice(0, at)
          : join(bytes.slice(0, at), utf8([{}, [], -1, 1e308, 'x', null][random(6)]), bytes.slice(at + length));
  }
  return bytes;
}

const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

for (const [name, { seeds, read }] of Object.entries(targets)) {
  if (process.argv[4] && process.argv[4] !== name) continue;
  const counts = { read: 0, refused: 0 };
  const messages = new Set<string>();
  let slowest = 0;
  for (const end = Date.now() + minutes * 60_000; Date.now() < end; ) {
    const bytes = spoil(seeds[random(seeds.length)]!);
    const started = process.cpuUsage();
    try {
      await read(bytes);
      counts.read++;
    } catch (error) {
      const { message } = error as Error;
      if (!/^[^\n]*expected .* got /s.test(message)) {
        console.log(
          `${name}: an error that is not ours: ${(error as Error).stack}\n${Buffer.from(bytes).toString('base64')}`,
        );
        process.exit(1);
      }
      counts.refused++;
      messages.add(message.replace(/"[^"]*"|\d+/g, '…').slice(0, 60));
    }
    const { user, system } = process.cpuUsage(started);
    slowest = Math.max(slowest, (user + system) / 1000);
    if (slowest > SLOWEST_MS || process.memoryUsage.rss() > MOST_BYTES) {
      console.log(
        `${name}: ${slowest} ms, ${process.memoryUsage.rss()} bytes\n${Buffer.from(bytes).toString('base64')}`,
      );
      process.exit(1);
    }
  }
  const megabytes = (process.memoryUsage.rss() / 2 ** 20).toFixed(0);
  console.log(
    `${name}: seed ${seed}, ${counts.read} read, ${counts.refused} refused in ${messages.size} ways, slowest ${slowest.toFixed(0)} ms, ${megabytes} MiB`,
  );
}
