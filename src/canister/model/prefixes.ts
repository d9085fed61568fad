/**
 * The prefix cache of a decoder-only model (service/prefix-cache.ts): keys and values of what was answered stay in the
 * arena, for prompts that begin in the same way. Bounded by `embedding_bytes`, as a T5's encodings are, and the first
 * to go where a session finds no room. An upgrade empties it: the arena is made anew.
 */
import type { Generation } from '../../model/generation/generation.ts';
import type { LanguageModel } from '../../model/language-model.ts';
import type { Sequence } from '../../model/sequence.ts';
import { type Entry, idsText, MAX_ENTRIES, PrefixCache, type Prompt } from '../../service/prefix-cache.ts';
import { anonymous } from '../runtime/anonymous.ts';
import { addChore } from '../runtime/housekeeping.ts';
import { settings } from '../storage/settings.ts';
import { embeddingCache } from './embeddings.ts';

/** Keys and values of fewer ids are made as quickly as found. */
const LEAST = 8;

/** What of a session is needed. */
interface Asked {
  id: string;
  owner: string;
  sourceIds: readonly number[];
  tokenIds: readonly number[];
  /** So many ids of the prompt are a system prompt. */
  systemIds?: number;
}

interface Kept {
  sequence: Sequence;
  model: LanguageModel;
  /** Whose session's they are. */
  session: string;
}

class Prefixes {
  private readonly cache = new PrefixCache<Kept>();
  /** Of sessions that are worked on. */
  private readonly inUse = new WeakMap<Generation, Entry<Kept>>();
  hits = 0;
  misses = 0;

  get count(): number {
    return this.cache.count;
  }

  get bytes(): number {
    return this.cache.bytes;
  }

  /**
   * Brings a session that has yet to read its prompt as far as another has come whose prompt begins in the same way,
   * which may have gone on since the last time.
   * @returns how many ids' keys and values were copied
   */
  borrow(session: Asked, writing: Generation, model: LanguageModel): number {
    if (model.hasEncoder || settings().embedding_bytes === 0) return 0;
    const { sequence } = writing;
    const before = sequence.cached;
    const most = sequence.given - 1;
    if (before + LEAST > most) return 0;
    let entry = this.inUse.get(writing);
    const prompt = entry ?? promptOf(session);
    const found = this.cache.find(
      prompt,
      ({ sequence: other }) => (other === sequence ? 0 : other.cached),
      before + LEAST,
    );
    if (found) model.borrow(sequence, found.entry.value.sequence, undefined, Math.min(found.length, most));
    if (!entry) {
      entry = this.cache.add(prompt, { sequence, model, session: session.id });
      this.inUse.set(writing, entry);
      if (found) this.hits += 1;
      else this.misses += 1;
    }
    return sequence.cached - before;
  }

  /** Closes what a session wrote. @param isKept whether its keys and values stay for prompts that begin so */
  close(writing: Generation, isKept: boolean): void {
    const entry = this.inUse.get(writing);
    this.inUse.delete(writing);
    const { cached, targetIds } = writing.sequence;
    if (!entry || !isKept || cached < LEAST || settings().embedding_bytes === 0) {
      if (entry) this.cache.remove(entry);
      writing.close();
      return;
    }
    const sequence = writing.leave();
    const bytes = entry.value.model.trim(sequence);
    for (const part of this.cache.keep(entry, idsText(targetIds.slice(0, cached)), bytes)) closeSequence(part);
    while (this.shrink());
  }

  /** Takes an entry out if the cache is larger than the settings let it be. @returns whether it was */
  shrink(): boolean {
    const isOver = this.bytes > settings().embedding_bytes || this.count > MAX_ENTRIES;
    return isOver && this.makeRoom();
  }

  /** Takes out what was used longest ago. @returns whether there was anything */
  makeRoom(): boolean {
    const oldest = this.cache.leastRecent();
    if (oldest) this.drop(oldest);
    return oldest !== undefined;
  }

  /** Takes out all, before its model goes. */
  clear(): void {
    while (this.makeRoom());
  }

  /** Takes out what a session has left, which is to be forgotten. */
  forget(id: string): void {
    for (const entry of this.cache.kept(({ session }) => session === id)) this.drop(entry);
  }

  private drop(entry: Entry<Kept>): void {
    this.cache.remove(entry);
    closeSequence(entry);
  }
}

const closeSequence = ({ value: { sequence, model } }: Entry<Kept>): void => model.close(sequence);

const promptOf = ({ owner, sourceIds, tokenIds, systemIds = 0 }: Asked): Prompt => ({
  owner,
  isAnybodys: owner === anonymous,
  text: idsText([...sourceIds, ...tokenIds]),
  shared: systemIds,
});

export const prefixes = new Prefixes();
addChore({ step: () => prefixes.shrink() });

/** What is kept of prompts, of either kind. */
export const keptOfPrompts = (): Record<'count' | 'bytes' | 'hits' | 'misses', number> => ({
  count: embeddingCache.count + prefixes.count,
  bytes: embeddingCache.bytes + prefixes.bytes,
  hits: embeddingCache.hits + prefixes.hits,
  misses: embeddingCache.misses + prefixes.misses,
});
