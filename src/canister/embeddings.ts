/**
 * The embedding cache: what the encoder made of a prompt, by hash of model and prompt ids, in stable memory. Bounded in bytes; the least recently
 * used goes first. The order of use lives in the heap, and in stable memory beside the encodings, which an upgrade does not have to read.
 */
import { utf8 } from './bytes.ts';
import { settings } from './settings.ts';
import { encodings, encodingUses } from './stable.ts';
import { sha256 } from './unit.ts';

/** What brings the order back after an upgrade has to fit a message. */
const MAX_ENTRIES = 20_000;

const name = (key: Uint8Array): string => String.fromCharCode(...key);
const keyOf = (entry: string): Uint8Array => Uint8Array.from(entry, (c) => c.charCodeAt(0));

class EmbeddingCache {
  /** Bytes of each entry by key, least recently used first; undefined until first needed. */
  private entries: Map<string, number> | undefined;
  private uses = 0;
  bytes = 0;
  hits = 0;
  misses = 0;

  get count(): number {
    return this.order().size;
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
    const found = encodings.get(key);
    if (!found) {
      this.misses += 1;
      return undefined;
    }
    this.hits += 1;
    this.order().delete(name(key));
    this.use(key, found.length);
    return found;
  }

  put(key: Uint8Array, encoding: Uint8Array): void {
    const size = encoding.length;
    const most = settings().embedding_bytes;
    if (size > most) return;
    const order = this.order();
    this.remove(name(key));
    for (const oldest of order.keys()) {
      if (this.bytes + size <= most && order.size < MAX_ENTRIES) break;
      this.remove(oldest);
    }
    encodings.insert(key, encoding);
    this.use(key, size);
    this.bytes += size;
  }

  /** Puts an entry at the end of the order. */
  private use(key: Uint8Array, size: number): void {
    this.order().set(name(key), size);
    this.uses += 1;
    const bytes = new Uint8Array(12);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, size);
    view.setFloat64(4, this.uses);
    encodingUses.insert(key, bytes);
  }

  private remove(entry: string): void {
    const size = this.order().get(entry);
    if (size === undefined) return;
    encodings.remove(keyOf(entry));
    encodingUses.remove(keyOf(entry));
    this.order().delete(entry);
    this.bytes -= size;
  }

  private order(): Map<string, number> {
    if (!this.entries) {
      const all = Array.from(encodingUses.items(), ([key, value]) => {
        const view = new DataView(value.buffer, value.byteOffset);
        return { entry: name(key), size: view.getUint32(0), used: view.getFloat64(4) };
      });
      all.sort((a, b) => a.used - b.used);
      this.entries = new Map(all.map(({ entry, size }) => [entry, size]));
      this.bytes = all.reduce((sum, { size }) => sum + size, 0);
      this.uses = all.at(-1)?.used ?? 0;
    }
    return this.entries;
  }
}

export const embeddingCache = new EmbeddingCache();
