/** The models: packs in stable memory, one of them active, its weights in the arena, its tokenizer in the heap; brought there when first needed. */
import { decodePackHead, type OpenedHead, packShape } from '../model/pack/pack.ts';
import { T5 } from '../model/t5/t5.ts';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { decodeTokenizerData } from '../model/tokenizer/tokenizer-data.ts';
import { HEADER_BYTES } from '../tensor/assembly/protocol.ts';
import { fromHex } from './bytes.ts';
import { certify } from './certified.ts';
import { settings } from './settings.ts';
import { readChunk, readRecord, removeChunk, writeRecord } from './stable.ts';
import { arena, instructionsNow, unit } from './unit.ts';

/** Well under the 2 MiB of an ingress message, and a multiple of SHA-256's blocks. */
export const CHUNK_BYTES = 1 << 20;

/** A pack in stable memory. */
export interface StoredPack {
  /** Number of its chunks' keys. */
  pack: number;
  bytes: number;
  /** Lowercase hex, of the whole file. */
  sha256: string;
  /** What its head calls it; unknown until it is whole. */
  name: string;
}

export const chunkCount = (bytes: number): number => Math.ceil(bytes / CHUNK_BYTES);

/** A model that is being loaded or is ready. */
export class Model {
  readonly stored: StoredPack;
  readonly head: OpenedHead;
  readonly t5: T5;
  private readonly tokenizerBytes: Uint8Array;
  private decoded: Tokenizer | undefined;
  /** Chunks already brought to where they belong. */
  private loaded = 0;

  /** @throws RangeError where the arena has no room. */
  constructor(stored: StoredPack, head: OpenedHead) {
    this.stored = stored;
    this.head = head;
    this.t5 = new T5(unit, arena, packShape(this.head));
    this.tokenizerBytes = new Uint8Array(this.head.tokenizerBytes);
  }

  get ready(): boolean {
    return this.loaded === chunkCount(this.stored.bytes);
  }

  /** Loads chunk after chunk, at least one, until all are there or the message's counter passes `budget`. */
  load(budget: number): boolean {
    while (!this.ready) {
      this.loadChunk(this.loaded);
      this.loaded += 1;
      if (instructionsNow() > budget) break;
    }
    return this.ready;
  }

  get tokenizer(): Tokenizer {
    if (!this.ready) throw new Error('tokenizer: expected a model that is loaded');
    this.decoded ??= new Tokenizer(decodeTokenizerData(this.tokenizerBytes));
    return this.decoded;
  }

  private loadChunk(index: number): void {
    const chunk = readChunk(this.stored.pack, index);
    if (!chunk) throw new Error(`model: expected chunk ${index} of pack ${this.stored.pack}, got none`);
    const { weightsOffset, weightsBytes, tokenizerOffset, tokenizerBytes } = this.head;
    const start = index * CHUNK_BYTES;
    const end = start + chunk.length - HEADER_BYTES;
    // what of a section lies in this chunk, as offsets in the file
    const part = (from: number, bytes: number): [number, number] => [
      Math.max(from, start),
      Math.min(from + bytes, end),
    ];

    const [t0, t1] = part(tokenizerOffset, tokenizerBytes);
    if (t0 < t1) {
      this.tokenizerBytes.set(
        chunk.subarray(HEADER_BYTES + t0 - start, HEADER_BYTES + t1 - start),
        t0 - tokenizerOffset,
      );
    }
    const [w0, w1] = part(weightsOffset, weightsBytes);
    // the header goes over the bytes before the part, which are room or already read
    if (w0 < w1) {
      unit.writeMailbox(this.t5.weightsAt + w0 - weightsOffset, chunk.subarray(w0 - start, HEADER_BYTES + w1 - start));
    }
  }
}

/** The head of a stored pack. @throws Error for one that is wrong, or whose first chunk is missing. */
export function readHead(stored: StoredPack): OpenedHead {
  const first = readChunk(stored.pack, 0);
  if (!first) throw new Error(`pack: expected a first chunk, got none`);
  return decodePackHead(first.slice(HEADER_BYTES), stored.bytes);
}

let current: Model | undefined;

/** The packs that are stored, checked and whole. */
export const storedPacks = (): StoredPack[] => readRecord<StoredPack[]>('models') ?? [];

const activePack = (): string | undefined => readRecord<string>('active');

/** Why there is no model, and what to do. */
let reason = '';
export const whyNoModel = (): string => reason || 'no model loaded; upload one with npm run upload';

/** The active model, being loaded or ready; undefined where there is none, or its pack is not for this program: another version wrote it. */
export function activeModel(): Model | undefined {
  if (!current && !reason) {
    const active = activePack();
    const stored = active && storedPacks().find(({ sha256 }) => sha256 === active);
    const head = stored && tryReadHead(stored);
    if (head instanceof Error) reason = `${head.message}, and upload it`;
    else if (head) current = new Model(stored!, head);
  }
  return current;
}

function tryReadHead(stored: StoredPack): OpenedHead | Error {
  try {
    return readHead(stored);
  } catch (error) {
    return error as Error;
  }
}

/** What a stored pack's head calls it; nothing where it cannot be read, which is no reason to refuse an upgrade. */
export function nameOf(pack: Omit<StoredPack, 'name'>): string {
  const head = tryReadHead({ ...pack, name: '' });
  return head instanceof Error ? '' : head.name;
}

/** The active model if it is loaded. */
export const readyModel = (): Model | undefined => (current?.ready ? current : undefined);

export const isActive = ({ sha256 }: StoredPack): boolean => sha256 === activePack();

/** Adds a pack to those stored. */
export function keepPack(stored: StoredPack): void {
  writeRecord('models', [...storedPacks(), stored]);
}

/**
 * Makes a stored pack the model that answers; the arena's room of the one before is used again. Sessions must not be open.
 * @throws RangeError where the arena has no room: the message has to trap then, which leaves the old model as it was
 */
export function activate(stored: StoredPack): void {
  current?.t5.dispose();
  current = undefined;
  reason = '';
  writeRecord('active', stored.sha256);
  const { t5 } = activeModel()!;
  const most = settings().arena_bytes;
  if (arena.grown > most) {
    throw new RangeError(
      `model: expected at most ${most} bytes of arena, got ${arena.grown} with ${t5.weightsBytes} of weights`,
    );
  }
  certifyModel();
}

/** Certifies the active pack's SHA-256, and the pages beside it. */
export const certifyModel = (): void => certify(fromHex(activePack() ?? ''));

/** Takes a pack that is not active out of those stored. */
export function dropPack(stored: StoredPack): void {
  writeRecord(
    'models',
    storedPacks().filter(({ sha256 }) => sha256 !== stored.sha256),
  );
  removePack(stored);
}

export function removePack({ pack, bytes }: StoredPack): void {
  for (let i = 0; i < chunkCount(bytes); i++) removeChunk(pack, i);
}
