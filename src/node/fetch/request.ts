/** HTTP with patience: a request that stalls is given up, one that fails in passing is made again, later and later. */
import { authorized, type Credentials } from './token.ts';

export interface Patience {
  /** Longest silence of a server, in milliseconds. */
  stallMs: number;
  /** Wait before the second attempt; doubled for each further one. */
  backoffMs: number;
  /** Attempts in a row that bring nothing. */
  attempts: number;
}

export const PATIENCE: Patience = { stallMs: 30_000, backoffMs: 1_000, attempts: 5 };
const MAX_WAIT_MS = 60_000;

/** A failure that another attempt will not mend. */
export class Final extends Error {}

/** A failure with the server's word on when to come again. */
export class Busy extends Error {
  constructor(
    message: string,
    readonly afterMs: number,
  ) {
    super(message);
  }
}

/** Stops a request after a silence: call `heard` at each sign of life, `stop` at the end. */
export class StallTimer {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly url: string,
    private readonly stallMs: number,
  ) {
    this.heard();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#controller.abort(new Error(`${this.url}: expected an answer within ${this.stallMs} ms, got silence`));
    }, this.stallMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Runs `attempt` until it succeeds. One that got further than the one before it counts as the first again.
 * @param progress how far it is, in any unit
 */
export async function persist<T>(patience: Patience, progress: () => number, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 0, reached = progress(); ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof Final) throw error;
      failures = progress() > reached ? 1 : failures + 1;
      reached = Math.max(reached, progress());
      if (failures >= patience.attempts) throw withCause(error as Error);
      const asked = error instanceof Busy ? error.afterMs : 0;
      const wait = Math.min(Math.max(patience.backoffMs * 2 ** (failures - 1), asked), MAX_WAIT_MS);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** Throws what `response`'s status means, unless it is one of the good ones. */
export function checkStatus(response: Response, url: string, good: number[]): void {
  const { status } = response;
  if (good.includes(status)) return;
  if (status === 429 || status === 408 || status >= 500) {
    const seconds = Number(response.headers.get('retry-after') ?? 0);
    throw new Busy(`${url}: expected ${good[0]}, got ${status}`, Number.isFinite(seconds) ? seconds * 1000 : 0);
  }
  const why =
    status === 404
      ? '; is the name right?'
      : status === 401 || status === 403
        ? '; it does not exist, or is only for those who sign in: accept its terms on the hub, and set HF_TOKEN'
        : '';
  throw new Final(`${url}: expected ${good[0]}, got ${status}${why}`);
}

/** JSON at a URL, and the address of the page that follows, if there is one (RFC 8288). */
export interface Page {
  json: unknown;
  next: string | undefined;
}

/** A page of JSON. */
export async function getJson(url: string, patience: Patience, who?: Credentials): Promise<Page> {
  return await persist(
    patience,
    () => 0,
    async () => {
      const timer = new StallTimer(url, patience.stallMs);
      try {
        const headers = authorized(url, { accept: 'application/json' }, who);
        const response = await fetch(url, { signal: timer.signal, headers });
        checkStatus(response, url, [200]);
        const text = await response.text();
        const next = nextOf(response.headers.get('link'), url);
        try {
          return { json: JSON.parse(text), next };
        } catch {
          throw new Final(`${url}: expected JSON, got ${JSON.stringify(text.slice(0, 60))}`);
        }
      } finally {
        timer.stop();
      }
    },
  );
}

/** The link of relation `next`, on the same server: another would be asked with no right to. */
function nextOf(link: string | null, url: string): string | undefined {
  for (const [, target, parameters] of (link ?? '').matchAll(/<([^>]*)>([^<]*)/g)) {
    if (!/;\s*rel\s*=\s*("[^"]*\bnext\b[^"]*"|next\b)/i.test(parameters!)) continue;
    const next = new URL(target!, url);
    if (next.origin !== new URL(url).origin)
      throw new Final(`${url}: expected the next page there, got ${next.origin}`);
    return next.href;
  }
  return undefined;
}

/** `fetch failed` says nothing; what it was caused by does. */
function withCause(error: Error): Error {
  const cause = error.cause as { code?: string; message?: string } | undefined;
  return cause ? new Error(`${error.message} (${cause.code ?? cause.message})`, { cause }) : error;
}
