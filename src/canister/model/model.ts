/**
 * The models: packs in stable memory, one of them active, its weights and its tokenizer's tables in the arena; brought
 * there when first needed.
 */

import { fromHex } from '../../interface/hex.ts';
import { type GenerationModel, mostNewTokens } from '../../model/generation/options.ts';
import type { LanguageModel } from '../../model/language-model.ts';
import { MAX_SOURCE_LENGTH } from '../../model/limits.ts';
import { openInRoom } from '../../model/open-in-room.ts';
import { PackCheck } from '../../model/pack/check-pack.ts';
import { decodePackHead, type OpenedHead, packHeadBytes, packShape } from '../../model/pack/pack.ts';
import { openTokenizer } from '../../model/tokenizer/pack-tokenizer.ts';
import { HEADER_BYTES } from '../../tensor/assembly/protocol.ts';
import { Chat } from '../../text/chat.ts';
import { type ChatSource, TemplateError } from '../../text/chat-template.ts';
import type { Tokenizer } from '../../text/tokenizer.ts';
import { certifyModelOf } from '../certification/certified.ts';
import { now } from '../runtime/time.ts';
import { arena, instructionsNow, unit } from '../runtime/unit.ts';
import { readMailbox, readToArena, stablePieces } from '../storage/blocks.ts';
import { settings } from '../storage/settings.ts';
import { readRecord, shortenRecord, writeRecord } from '../storage/stable.ts';
import { arenaBytes } from './arena-bytes.ts';
import { Loading, type StoredPack } from './loading.ts';
import { prefixes } from './prefixes.ts';
import { StageHere } from './stage-here.ts';

export type { StoredPack };

/** A model that is being loaded or is ready. */
export class Model {
  readonly stored: StoredPack;
  readonly head: OpenedHead;
  readonly languageModel: LanguageModel;
  private readonly tokenizerAt: number;
  private opened: Tokenizer | undefined;
  /** What makes ids of conversations; undefined of a model that does not chat. */
  chat: Chat | undefined;
  /** Why it does not, though its pack has a template: an earlier version took one that is not safe. */
  notChatting: TemplateError | undefined;
  /** What the unit takes for a step of one row, as the last one was; 0 before the first. */
  stepInstructions = 0;
  /** What the unit has taken for the program that is in the middle. */
  takenSoFar = 0;
  private readonly loading: Loading;

  /**
   * @param isNew not so one that answered before an upgrade
   * @throws RangeError where the arena has no room
   */
  constructor(stored: StoredPack, head: OpenedHead, isNew: boolean) {
    this.stored = stored;
    this.head = head;
    const { languageModel, tokenizerAt } = openInRoom(packShape(head), {
      machine: unit,
      arena,
      most: arenaBytes(),
      tokenizerBytes: head.tokenizerBytes,
      piecesOf: (offset, bytes) => stablePieces(stored.blocks, head.weightsOffset + offset, bytes),
      isNew,
      // other stages hold nothing of this one's yet
      epoch: Math.floor(now()) % 2 ** 32,
    });
    this.languageModel = languageModel;
    this.tokenizerAt = tokenizerAt;
    this.loading = new Loading(stored.blocks, head.weightsOffset, languageModel.weights);
  }

  /** Gives the arena's room back. */
  dispose(): void {
    this.languageModel.dispose();
    arena.release(this.tokenizerAt);
  }

  /** What generation goes by: the configuration, with a context of at most what the settings allow. */
  get bounds(): GenerationModel {
    const { config } = this.head;
    if (!('contextLength' in config)) return config;
    return { ...config, contextLength: Math.min(config.contextLength, settings().max_context_tokens) };
  }

  /** The most tokens of a prompt, and of an answer. */
  get limits(): { promptTokens: number; newTokens: number } {
    const { contextLength } = this.bounds;
    const ofModel = contextLength === undefined ? MAX_SOURCE_LENGTH : contextLength - 1;
    return { promptTokens: Math.min(settings().max_prompt_tokens, ofModel), newTokens: mostNewTokens(this.bounds) };
  }

  get ready(): boolean {
    return this.opened !== undefined;
  }

  /**
   * Loads weights, a block at a time and at least one, until all are there or the message's counter passes `budget`.
   */
  load(budget: number): boolean {
    if (!this.loading.goOn(budget)) return false;
    if (!this.opened) {
      this.opened = this.openTokenizer();
      // read once: that takes some ten thousand instructions a character of the template
      if (this.head.chat) this.readChat(this.head.chat, this.opened);
    }
    return true;
  }

  private readChat(source: ChatSource, tokenizer: Tokenizer): void {
    try {
      this.chat = new Chat(source, tokenizer);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      this.notChatting = error;
    }
  }

  get tokenizer(): Tokenizer {
    if (!this.opened) throw new Error('tokenizer: expected a model that is loaded');
    return this.opened;
  }

  private openTokenizer(): Tokenizer {
    const { tokenizerOffset, tokenizerBytes, addedTokens } = this.head;
    readToArena(this.stored.blocks, tokenizerOffset, tokenizerBytes, this.tokenizerAt);
    return openTokenizer(unit, this.tokenizerAt, tokenizerBytes, addedTokens);
  }
}

const readPack = ({ blocks }: Pick<StoredPack, 'blocks'>, offset: number, bytes: number): Uint8Array =>
  readMailbox(blocks, offset, bytes).subarray(HEADER_BYTES);

/** The head of a stored pack. @throws Error for one that is wrong. */
export function readHead(stored: Pick<StoredPack, 'blocks' | 'bytes'>): OpenedHead {
  const { bytes } = stored;
  const start = readPack(stored, 0, Math.min(packHeadBytes(readPack(stored, 0, 64)), bytes));
  return decodePackHead(start, bytes);
}

/**
 * Goes on with the check of a pack until all of it is right, or the message's counter passes `budget`.
 * @returns parts checked and parts there are; the same number twice once the pack may become the model @throws Error
 * saying what is wrong
 */
export function checkOn(stored: StoredPack, budget: number): [checked: number, parts: number] {
  if (stored.checked === 'all') return [0, 0];
  const { blocks } = stored;
  const check = new PackCheck(
    readHead(stored),
    {
      mailbox: (offset, bytes) => readMailbox(blocks, offset, bytes),
      read: (offset, into) => into.set(readPack(stored, offset, into.length)),
    },
    unit,
    () => instructionsNow() > budget,
  );
  let next = stored.checked ?? 0;
  while (next < check.count && instructionsNow() < (check.isLarge(next) ? budget / 4 : budget)) check.part(next++);
  stored.checked = next === check.count ? 'all' : next;
  return [next, check.count];
}

/** Writes down what is known of a pack that is stored. */
export function updatePack(stored: StoredPack): void {
  setPacks(
    storedPacks().map((pack) => (pack.sha256 === stored.sha256 ? stored : pack)),
    writeRecord,
  );
}

let current: Model | undefined;
let currentStage: StageHere | undefined;

let packs: readonly StoredPack[] | undefined;

/** The packs that are stored, checked and whole. */
export const storedPacks = (): readonly StoredPack[] => (packs ??= readRecord<StoredPack[]>('models') ?? []);

function setPacks(next: readonly StoredPack[], write: (name: string, value: unknown) => unknown): void {
  write('models', next);
  packs = next;
}

/** The SHA-256 of the pack that is the model, or a stage of one. */
export const activePack = (): string | undefined => readRecord<string>('active');

/** Why there is no model, and what to do. */
let reason = '';
export const whyNoModel = (): string =>
  reason || currentStage?.whoAnswers() || 'no model loaded; upload one with npm run upload';

/**
 * The active model, being loaded or ready; undefined where there is none, or its pack is not for this program: another
 * version wrote it.
 */
export function activeModel(isNew = false): Model | undefined {
  if (!current && !currentStage && !reason) {
    const active = activePack();
    const stored = active && storedPacks().find(({ sha256 }) => sha256 === active);
    const head = stored && tryReadHead(stored);
    if (head instanceof Error) reason = `${head.message}, and upload it`;
    else if (stored && head) open(stored, head, isNew);
  }
  return current;
}

function open(stored: StoredPack, head: OpenedHead, isNew: boolean): void {
  if ((head.stage?.index ?? 0) > 0) currentStage = new StageHere(stored, head, isNew);
  else current = new Model(stored, head, isNew);
}

function tryReadHead(stored: StoredPack): OpenedHead | Error {
  try {
    return readHead(stored);
  } catch (error) {
    return error as Error;
  }
}

/** The stage behind the first that is active, being loaded or ready; undefined where there is none. */
export function activeStage(): StageHere | undefined {
  activeModel();
  return currentStage;
}

/** The active model if it is loaded. */
export const readyModel = (): Model | undefined => (current?.ready ? current : undefined);

export const isActive = ({ sha256 }: StoredPack): boolean => sha256 === activePack();

/** Adds a pack to those stored. */
export function keepPack(stored: StoredPack): void {
  setPacks([...storedPacks(), stored], writeRecord);
}

/**
 * Makes a stored pack the model that answers; the arena's room of the one before is used again. Sessions must not be
 * open.
 * @throws NoRoom where the arena has no room: the message has to trap then, which leaves the old model as it was
 */
export function activate(stored: StoredPack): void {
  prefixes.clear();
  current?.dispose();
  current = undefined;
  currentStage?.dispose();
  currentStage = undefined;
  reason = '';
  writeRecord('active', stored.sha256);
  activeModel(true);
  certifyModel();
}

/** Certifies the active pack's SHA-256, and the pages beside it. */
export const certifyModel = (): void => certifyModelOf(fromHex(activePack() ?? ''));

/** Takes a pack that is not active out of those stored; its blocks are free. */
export function dropPack(stored: StoredPack): void {
  setPacks(
    storedPacks().filter(({ sha256 }) => sha256 !== stored.sha256),
    shortenRecord,
  );
}
