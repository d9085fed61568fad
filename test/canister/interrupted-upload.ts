/**
 * An upload by the client's own code over a network that loses calls, loses answers, doubles and delays, and is broken
 * off again and again. Counts what was sent for nothing, and what the canister paid. Seeded; the calls' order is the
 * replica's.
 */
import { type AgentError, TimeoutWaitingForResponseErrorCode, UnknownError } from '@dfinity/agent';
import { uploadPack } from '../../src/client/upload/upload.ts';
import { randomFrom } from '../random.ts';
import type { Installed } from './llm.ts';

export interface UploadReport {
  bytes: number;
  chunks: number;
  interruptions: number;
  /** Calls of `upload_chunk` that the client made. */
  sent: number;
  /** Of those: lost on the way there, lost on the way back, doubled on the way. */
  lost: number;
  unanswered: number;
  doubled: number;
  /** Chunks that the client sent though the canister had them. */
  sentForNothing: number;
  /** What the canister paid. */
  cycles: bigint;
}

type Fate = 'lost' | 'doubled' | 'unanswered' | 'well';
type Actor = ReturnType<Installed['as']>;

const lostCall = (): AgentError => UnknownError.fromCode(new TimeoutWaitingForResponseErrorCode('lost'));

/**
 * Of every `calls` calls one is lost, one doubled, one left unanswered, in a random order: few calls or many, in
 * whichever order they come.
 */
function fatesFrom(random: () => number, calls: number): () => Fate {
  let deck: Fate[] = [];
  return () => {
    if (deck.length === 0) deck = ['lost', 'doubled', 'unanswered', ...Array<Fate>(calls - 3).fill('well')];
    return deck.splice(Math.floor(random() * deck.length), 1)[0]!;
  };
}

/**
 * Uploads, and makes the pack the model.
 * @param interruptions how often it is broken off at a random chunk, each time to begin anew
 * @param disturbedOf of so many calls three are disturbed
 */
export async function interruptedUpload(
  { replica, canisterId, as }: Pick<Installed, 'replica' | 'canisterId' | 'as'>,
  pack: Uint8Array,
  {
    seed,
    interruptions,
    disturbedOf = 10,
    onProgress = () => {},
  }: { seed: number; interruptions: number; disturbedOf?: number; onProgress?: (text: string) => void },
): Promise<UploadReport> {
  const random = randomFrom(seed);
  const nextFate = fatesFrom(randomFrom(seed + 1), disturbedOf);
  const owner = as();
  const chunks = Math.ceil(pack.length / 2 ** 20);
  const report = {
    bytes: pack.length,
    chunks,
    interruptions: 0,
    sent: 0,
    lost: 0,
    unanswered: 0,
    doubled: 0,
    sentForNothing: 0,
  };
  const before = replica.canister(canisterId)!.cycles;
  const arrived = new Set<number>();
  /** After so many more calls the upload is broken off. */
  let left = Number.POSITIVE_INFINITY;
  let abort = new AbortController();
  const disturbed = interruptions > 0;

  type Rest = Parameters<Actor['upload_chunk']> extends [number, ...infer R] ? R : never;
  const upload_chunk = async (index: number, ...rest: Rest) => {
    left -= 1;
    if (left <= 0) abort.abort(new Error('broken off'));
    const { signal } = abort;
    if (disturbed) {
      // of those on their way at once, any may be first
      for (let wait = Math.floor(random() * 20); wait > 0; wait--)
        await new Promise((resolve) => setImmediate(resolve));
    }
    // whoever is gone sends nothing more; what was sent arrives
    if (signal.aborted) throw lostCall();
    report.sent += 1;
    if (arrived.has(index)) report.sentForNothing += 1;
    if (!disturbed) return owner.upload_chunk(index, ...rest);
    const fate = nextFate();
    if (fate === 'lost') {
      report.lost += 1;
      throw lostCall();
    }
    const answer = owner.upload_chunk(index, ...rest);
    if (fate === 'doubled') {
      report.doubled += 1;
      await owner.upload_chunk(index, ...rest);
    }
    const given = await answer;
    if ('Ok' in given) arrived.add(index);
    if (fate === 'unanswered') {
      report.unanswered += 1;
      throw lostCall();
    }
    return given;
  };
  const network = { ...owner, upload_chunk } as Actor;

  for (;;) {
    // so that the last one comes near the end
    const remaining = interruptions - report.interruptions;
    left =
      remaining > 0
        ? 1 + Math.floor((random() * 2 * (chunks - arrived.size)) / (remaining + 1))
        : Number.POSITIVE_INFINITY;
    abort = new AbortController();
    try {
      await uploadPack(network, pack, { signal: abort.signal, pause: 0 });
      return { ...report, cycles: before - replica.canister(canisterId)!.cycles };
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      report.interruptions += 1;
      onProgress(`${report.interruptions} interruptions, ${arrived.size} of ${chunks} chunks there`);
    }
  }
}
