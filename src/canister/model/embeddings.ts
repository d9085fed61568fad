/**
 * The embedding cache: what the encoder made of a prompt, by hash of model and prompt ids, in stable memory. Bounded in
 * bytes; the least recently used goes first. The order of use lies in a table of its own, so that nothing ever reads
 * all encodings.
 */
import { UseOrder } from '../../service/use-order.ts';
import { addChore } from '../runtime/housekeeping.ts';
import { Restored } from '../runtime/restoring.ts';
import { sha256 } from '../runtime/unit.ts';
import { NoStableRoom } from '../storage/blocks.ts';
import { utf8 } from '../storage/bytes.ts';
import { settings } from '../storage/settings.ts';
import { encodings, put } from '../storage/stable.ts';
import { useTable } from '../storage/tables.ts';

const MAX_ENTRIES = 20_000;
/** An encoding that would push out more than this many is not kept: a message's work is bounded. */
const MOST_REMOVED = 100;

const name = (key: Uint8Array): string => String.fromCharCode(...key);
const keyOf = (entry: string): Uint8Array => Uint8Array.from(entry, (c) => c.charCodeAt(0));

class EmbeddingCache {
  private readonly uses = new UseOrder(useTable());
  private readonly restored = new Restored(this.uses.open());
  hits = 0;
  misses = 0;

  /** After an upgrade, of those that are read. */
  get count(): number {
    return this.uses.size;
  }

  get bytes(): number {
    return this.uses.bytes;
  }

  /** The key of a prompt for the model with this hash. */
  key(model: string, ids: readonly number[]): Uint8Array {
    const modelBytes = utf8(model);
    const bytes = new Uint8Array(modelBytes.length + ids.length * 4);
    bytes.set(modelBytes);
    bytes.set(new Uint8Array(Uint32Array.from(ids).buffer), modelBytes.length);
    return sha256().digest(sha256().begin(), bytes);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    // of a cache that was turned off nothing is read, even while it is being emptied
    const found = settings().embedding_bytes === 0 ? undefined : encodings.get(key);
    if (!found) {
      this.misses += 1;
      return undefined;
    }
    this.hits += 1;
    this.order().use(name(key), found.length);
    return found;
  }

  put(key: Uint8Array, encoding: Uint8Array): void {
    const most = settings().embedding_bytes;
    if (encoding.length > most) return;
    this.remove(name(key));
    for (let removed = 0; this.isOver(most - encoding.length, MAX_ENTRIES - 1); removed++) {
      if (removed === MOST_REMOVED) return;
      this.remove(this.order().leastRecent()!);
    }
    try {
      put(encodings, key, encoding);
    } catch (error) {
      // a cache can do without
      if (error instanceof NoStableRoom) return;
      throw error;
    }
    if (!this.order().use(name(key), encoding.length)) encodings.remove(key);
  }

  /** Takes an entry out if the cache is larger than the settings let it be. @returns whether it was */
  shrink(): boolean {
    const over = this.isOver(settings().embedding_bytes, MAX_ENTRIES);
    if (over) this.remove(this.order().leastRecent()!);
    return over;
  }

  private isOver(bytes: number, entries: number): boolean {
    const order = this.order();
    return order.size > 0 && (order.bytes > bytes || order.size > entries);
  }

  private remove(entry: string): void {
    if (this.order().remove(entry)) encodings.remove(keyOf(entry));
  }

  private order(): UseOrder {
    this.restored.finish();
    return this.uses;
  }
}

export const embeddingCache = new EmbeddingCache();
addChore({ step: () => embeddingCache.shrink() });
