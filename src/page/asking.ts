/** An answer under way: read from the canister, shown, spoken and kept, until it is whole, stopped or lost. */
import { type Client, GenerateError, type Asking as Question, type TextStream } from '../client/index.ts';
import type { AnswerView } from './answer.ts';
import { counted } from './format.ts';
import type { Speech } from './speech.ts';
import type { Store } from './store.ts';

/**
 * How long the canister may be out of reach in the middle of an answer: it goes on by itself, and keeps what it wrote.
 * Milliseconds.
 */
const PATIENCE = 600_000;
/** A silence that is worth a word: polls come every 2 s at the slowest. */
const SILENCE = 5_000;

export interface Asking {
  view: AnswerView;
  /** The question, and what was said before it. */
  asking: Question;
  store: Store;
  speech: Speech;
  signal: AbortSignal;
  client(): Promise<Client>;
}

/** Asks, or goes on with a session that was begun before a reload. Never throws: what fails is the answer's end. */
export async function follow({ view, asking, store, speech, signal, client }: Asking): Promise<void> {
  const { kept } = view;
  const began = kept.session === undefined ? performance.now() : undefined;
  const seen = performance.now();
  const elapsed = () => (began === undefined ? undefined : performance.now() - began);
  let stream: TextStream | undefined;
  let said = '';
  const show = () => {
    if (stream?.usage) view.show(stream.text, stream.usage, elapsed());
  };
  const tick = () => {
    if (stream?.session !== undefined && kept.session === undefined) keepSession(stream.session);
    show();
    view.state = passing(stream, performance.now() - seen);
  };
  const keepSession = (session: string) => {
    kept.session = session;
    store.put(kept);
  };
  const listen = (use: typeof addEventListener | typeof removeEventListener) => {
    use('online', tick);
    use('offline', tick);
  };
  speech.begin();
  store.put(kept);
  tick();
  const clock = setInterval(tick, 250);
  listen(addEventListener);
  try {
    const llm = await client();
    const patience = PATIENCE;
    stream =
      kept.session === undefined
        ? llm.stream(asking, { signal, patience })
        : llm.follow(kept.session, { signal, patience });
    for await (const _ of stream) {
      tick();
      speech.hear(stream.text);
    }
    show();
    said = view.end(stream.finish_reason === 'length' ? 'length' : 'whole', stream.usage);
  } catch (error) {
    show();
    if (signal.aborted && began === undefined) void cancel(client, kept.session!);
    said = view.end(signal.aborted ? 'stopped' : 'failed', stream?.usage, signal.aborted ? '' : explain(error));
  } finally {
    clearInterval(clock);
    listen(removeEventListener);
    store.put(kept);
    speech.end(stream?.text ?? '', said);
  }
}

/** A stream of `follow` does not end the session that it reads. */
async function cancel(client: () => Promise<Client>, session: string): Promise<void> {
  await client()
    .then((llm) => llm.cancel(session))
    .catch(() => {});
}

/** What there is to say while nothing is to be seen. */
function passing(stream: TextStream | undefined, waited: number): string {
  const since = counted(Math.round(waited / 1000), 'second');
  if (!navigator.onLine) return 'No network. The canister goes on writing; the rest comes when you are back.';
  if (!stream?.session) return `Sending the question… ${since}`;
  const silent = Date.now() - stream.heard;
  if (silent > SILENCE) {
    return `No word from the canister for ${counted(Math.round(silent / 1000), 'second')}. It goes on writing; the rest comes when it is heard again.`;
  }
  return stream.usage?.output_tokens ? 'Writing…' : `The canister reads the question… ${since}`;
}

export function explain(error: unknown): string {
  if (error instanceof GenerateError) return error.message;
  return navigator.onLine ? `The canister could not be reached: ${(error as Error).message}` : 'There is no network.';
}
