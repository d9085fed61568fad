/**
 * A pack: one file with all that a canister needs of a model, laid out as the arena wants it. Not a Hugging Face file;
 * convert.ts makes it of one.
 *
 *   0         8         12          16              weightsOffset            tokenizerOffset
 *   +---------+---------+-----------+---------------+------------------------+-----------+
 *   | STEPWISE| version | head bytes| head, JSON    | weights, as in the     | tokenizer |
 *   |         | u32     | u32       |               | arena (tensors.ts)     |           |
 *   +---------+---------+-----------+---------------+------------------------+-----------+
 *
 * Numbers are little-endian; sections begin at multiples of 64. The head's `sha256` is over all that follows it.
 */
import { pad } from '../../tensor/layout.ts';
import type { ChatSource } from '../../text/chat-template.ts';
import { type About, parseAbout } from '../checkpoint/about.ts';
import { type GenerationConfig, parseGenerationConfig } from '../checkpoint/generation-config.ts';
import {
  type FamilyName,
  layerCounts,
  type ModelConfig,
  type PackShape,
  packTensors,
  parseConfig,
  shapeOf,
} from '../families/registry.ts';
import { namingWhatIsCut } from '../generation/cut-defaults.ts';
import { parseJson, show } from '../json/json.ts';
import { checkStage, type StageOf } from '../stages/stage-plan.ts';
import { type PackTensor, packWeightsBytes, WEIGHTS_KINDS, type WeightsKind } from '../tensor-table.ts';
import { type AddedTokenRow, checkRows } from '../tokenizer/added-tokens.ts';

const MAGIC = 'STEPWISE';
export const PACK_VERSION = 4;
const FIXED_BYTES = 16;
/** A head is some 15 kB for flan-t5-small; a file that claims more than this is not read on. */
export const MAX_HEAD_BYTES = 1 << 18;

/** Characters of a model's name. */
const MAX_NAME = 200;

export interface PackHead {
  /** What the model is called, for people. */
  name: string;
  /** The family of models that it is of; T5 where it is left out. */
  family?: FamilyName;
  /**
   * `config.json` and `generation_config.json` of the checkpoint, as they were: read and checked by whoever opens the
   * pack.
   */
  json: { config: unknown; generation: unknown };
  /** What the model is for, in words; from the folder's `about.json`, where it has one. */
  about?: About;
  weights: WeightsKind;
  tiedHead: boolean;
  /** Of a pack that is a part of a model (cut.ts). */
  stage?: PackStage;
  /** Tokens that were added to the tokenizer, special ones too; left out by versions that knew of none. */
  addedTokens?: AddedTokenRow[];
  /** The chat template, where the model chats. */
  chat?: ChatSource;
  tensors: { name: string; offset: number; bytes: number }[];
  weightsOffset: number;
  weightsBytes: number;
  tokenizerOffset: number;
  /** 0 for a model that is used by ids alone. */
  tokenizerBytes: number;
  /** Lowercase hex. */
  sha256: string;
}

/** Which part of a model a pack is. */
export interface PackStage extends StageOf {
  /** SHA-256 of the pack that was cut, in lowercase hex. */
  model: string;
}

/** A head that was read, with what its configurations mean. */
export interface OpenedHead extends PackHead {
  config: ModelConfig;
  generation: GenerationConfig;
}

export const packShape = (head: OpenedHead): PackShape => shapeOf(head, head.config);

const listed = (tensors: readonly PackTensor[]) => tensors.map(({ name, offset, bytes }) => ({ name, offset, bytes }));

/** Offsets and sizes for a model; `sha256` is 64 zeros until the body is known, so that the head keeps its length. */
export function planPack(
  model: Pick<
    PackHead,
    'name' | 'family' | 'json' | 'about' | 'weights' | 'tiedHead' | 'stage' | 'addedTokens' | 'chat'
  >,
  config: ModelConfig,
  tokenizerBytes: number,
): PackHead {
  const tensors = packTensors(shapeOf(model, config));
  const weightsBytes = packWeightsBytes(tensors);
  const head: PackHead = {
    ...model,
    tensors: listed(tensors),
    weightsOffset: 0,
    weightsBytes,
    tokenizerOffset: 0,
    tokenizerBytes,
    sha256: '0'.repeat(64),
  };
  // the offsets' own digits are part of the head: leave room for the longest
  const headRoom = pad(FIXED_BYTES + new TextEncoder().encode(JSON.stringify(head)).length + 32, 64);
  if (headRoom - FIXED_BYTES > MAX_HEAD_BYTES) {
    const tokens = `${model.addedTokens?.length ?? 0} added tokens`;
    throw new RangeError(`pack: expected a head of at most ${MAX_HEAD_BYTES} bytes, got ${headRoom} with ${tokens}`);
  }
  head.weightsOffset = headRoom;
  head.tokenizerOffset = pad(headRoom + weightsBytes, 64);
  return head;
}

export const packBytes = (head: PackHead): number => head.tokenizerOffset + head.tokenizerBytes;

/** The file's beginning, up to `weightsOffset`; the JSON is filled up with spaces. */
export function encodePackHead(head: PackHead): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(head));
  const bytes = new Uint8Array(head.weightsOffset).fill(0x20);
  bytes.set(new TextEncoder().encode(MAGIC));
  const view = new DataView(bytes.buffer);
  view.setUint32(8, PACK_VERSION, true);
  view.setUint32(12, head.weightsOffset - FIXED_BYTES, true);
  bytes.set(json, FIXED_BYTES);
  return bytes;
}

/**
 * Bytes that `decodePackHead` needs to see, read off the file's first 16.
 * @throws Error for a file that is no pack, or of another version.
 */
export function packHeadBytes(start: Uint8Array): number {
  const magic = String.fromCharCode(...start.slice(0, 8));
  if (start.length < FIXED_BYTES || magic !== MAGIC) {
    throw new Error(
      `pack: expected a file that begins with ${MAGIC}, got ${start.length < 16 ? `${start.length} bytes` : JSON.stringify(magic)}`,
    );
  }
  const view = new DataView(start.buffer, start.byteOffset);
  const version = view.getUint32(8, true);
  if (version !== PACK_VERSION) {
    throw new Error(`pack: expected version ${PACK_VERSION}, got ${version}; convert the model again`);
  }
  const headBytes = view.getUint32(12, true);
  if (headBytes > MAX_HEAD_BYTES)
    throw new Error(`pack: expected a head of at most ${MAX_HEAD_BYTES} bytes, got ${headBytes}`);
  return FIXED_BYTES + headBytes;
}

/**
 * Reads and checks the head of a pack of `fileBytes`. Nothing in it is believed that can be worked out from the
 * configuration.
 * @throws Error saying what was expected and what is there.
 */
export function decodePackHead(start: Uint8Array, fileBytes: number): OpenedHead {
  const end = packHeadBytes(start);
  if (start.length < end) throw new Error(`pack: expected a head of ${end} bytes, got ${start.length}`);
  const head = parseJson('pack head', start.slice(FIXED_BYTES, end)) as PackHead;
  const { json, weights, tiedHead } = head ?? {};
  if (!WEIGHTS_KINDS.includes(weights)) {
    throw new Error(`pack: expected weights int4, int8 or float32, got ${show(weights)}`);
  }
  if (typeof head.name !== 'string' || head.name.length > MAX_NAME)
    throw new Error(`pack: expected a name of at most ${MAX_NAME} characters, got ${show(head.name)}`);
  if (typeof tiedHead !== 'boolean') throw new Error(`pack: expected tiedHead to be a boolean, got ${show(tiedHead)}`);
  const config = parseConfig(head.family, json?.config, 'pack config');
  const opened = {
    ...head,
    ...(head.about !== undefined && { about: parseAbout(head.about, 'pack about') }),
    config,
    generation: namingWhatIsCut(
      parseGenerationConfig(json.generation, config.vocabularySize, 'pack generation'),
      config,
    ),
  };
  if (head.stage !== undefined) checkPackStage(opened, head.stage);
  if (head.addedTokens !== undefined) checkRows(head.addedTokens, config.vocabularySize);
  if (head.chat !== undefined) checkChat(head.chat);
  checkTable(opened, fileBytes);
  return opened;
}

function checkPackStage(head: OpenedHead, stage: PackStage): void {
  const { index } = checkStage(stage, layerCounts(shapeOf(head, head.config)), 'pack stage');
  if (!/^[0-9a-f]{64}$/.test(stage.model ?? ''))
    throw new Error(`pack: expected the SHA-256 of the model that a stage is of, got ${show(stage.model)}`);
  if (index > 0 && head.tokenizerBytes !== 0)
    throw new Error(`pack: expected a tokenizer in the first stage only, got one in stage ${index + 1}`);
}

/** What the template does is looked at where it is opened. */
function checkChat(chat: ChatSource): void {
  const { template, bos, eos } = chat ?? {};
  const isText = (value: unknown): boolean => value === undefined || typeof value === 'string';
  if (typeof template !== 'string' || !isText(bos) || !isText(eos))
    throw new Error(`pack: expected chat to be a template, bos and eos, texts each, got ${show(chat)}`);
}

/** Compares the tensor table and all sizes with what the configuration makes them. */
function checkTable(head: OpenedHead, fileBytes: number): void {
  const tensors = packTensors(packShape(head));
  const found = Array.isArray(head.tensors) ? head.tensors : [];
  for (let i = 0; i < tensors.length; i++) {
    const expected = tensors[i]!;
    const { name, offset, bytes } = found[i] ?? ({} as Partial<PackHead['tensors'][0]>);
    if (name !== expected.name || offset !== expected.offset || bytes !== expected.bytes) {
      const got = `${show(name)} of ${show(bytes)} at ${show(offset)}`;
      throw new Error(`pack: expected ${expected.name} of ${expected.bytes} bytes at ${expected.offset}, got ${got}`);
    }
  }
  if (found.length !== tensors.length) throw new Error(`pack: expected ${tensors.length} tensors, got ${found.length}`);
  const sizes: [string, number, number][] = [
    ['weightsBytes', packWeightsBytes(tensors), head.weightsBytes],
    ['tokenizerOffset', pad(head.weightsOffset + head.weightsBytes, 64), head.tokenizerOffset],
    ['file bytes', packBytes(head), fileBytes],
  ];
  for (const [what, expected, got] of sizes) {
    if (expected !== got) throw new Error(`pack: expected ${what} ${expected}, got ${show(got)}`);
  }
}
