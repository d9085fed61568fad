/** The model that answers: a pack in stable memory, its weights in the arena, its tokenizer in the heap; brought there when first needed. */

import { decodePackHead, type OpenedHead, packShape } from '../model/pack/pack.ts';
import { T5 } from '../model/t5/t5.ts';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { decodeTokenizerData } from '../model/tokenizer/tokenizer-data.ts';
import { HEADER_BYTES } from '../tensor/assembly/protocol.ts';
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

  /** @throws Error for a stored pack whose head is wrong, RangeError where the arena has no room. */
  constructor(stored: StoredPack) {
    this.stored = stored;
    this.head = readHead(stored);
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

/** The active model, being loaded or ready; undefined where there is none. */
export function activeModel(): Model | undefined {
  if (!current) {
    const stored = readRecord<StoredPack>('active');
    if (stored) current = new Model(stored);
  }
  return current;
}

/** Puts a pack in the active one's place, whose room is given back. Sessions must not be open. */
export function activate(stored: StoredPack): void {
  const old = current?.stored ?? readRecord<StoredPack>('active');
  current?.t5.dispose();
  current = undefined;
  writeRecord('active', stored);
  if (old) removePack(old);
}

export function removePack({ pack, bytes }: StoredPack): void {
  for (let i = 0; i < chunkCount(bytes); i++) removeChunk(pack, i);
}
