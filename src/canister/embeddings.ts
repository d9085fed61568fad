/**
 * The embedding cache: what the encoder made of a prompt, by hash of model and prompt ids, in stable memory. Bounded in bytes; the least recently
 * used goes first. The order of use lives in the heap: after an upgrade it begins anew.
 */
import { utf8 } from './bytes.ts';
import { settings } from './settings.ts';
import { encodings } from './stable.ts';
import { sha256 } from './unit.ts';

const name = (key: Uint8Array): string => Array.from(key, (b) => String.fromCharCode(b)).join('');

class EmbeddingCache {
  /** Bytes of each entry by key, least recently used first; undefined until first needed. */
  private entries: Map<string, number> | undefined;
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
    const order = this.order();
    order.delete(name(key));
    order.set(name(key), found.length);
    return found;
  }

  put(key: Uint8Array, encoding: Uint8Array): void {
    const size = encoding.length;
    const most = settings().embedding_bytes;
    if (size > most) return;
    const order = this.order();
    this.remove(name(key));
    for (const oldest of order.keys()) {
      if (this.bytes + size <= most) break;
      this.remove(oldest);
    }
    encodings.insert(key, encoding);
    order.set(name(key), size);
    this.bytes += size;
  }

  private remove(entry: string): void {
    const size = this.order().get(entry);
    if (size === undefined) return;
    encodings.remove(Uint8Array.from(entry, (c) => c.charCodeAt(0)));
    this.order().delete(entry);
    this.bytes -= size;
  }

  private order(): Map<string, number> {
    if (!this.entries) {
      this.entries = new Map();
      for (const [key, value] of encodings.items()) {
        this.entries.set(name(key), value.length);
        this.bytes += value.length;
      }
    }
    return this.entries;
  }
}

export const embeddingCache = new EmbeddingCache();
