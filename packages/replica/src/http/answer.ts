/** What an endpoint answers, and how a request that cannot be served is refused. */
import { encode } from '../certification/cbor.ts';

export interface Answer {
  status: number;
  headers: readonly (readonly [name: string, value: string])[];
  body: Uint8Array;
}

/** A refusal: its message becomes the body of an answer with `status` (4xx or 5xx). */
export class RequestError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Answer['headers'] = [],
  ) {
    super(message);
    this.name = 'RequestError';
  }
}

export function cborAnswer(value: unknown): Answer {
  return { status: 200, headers: [['Content-Type', 'application/cbor']], body: encode(value) };
}

/** One line of text; a client shows it to its user. */
export function textAnswer(status: number, text: string, headers: Answer['headers'] = []): Answer {
  const body = new TextEncoder().encode(`${text.replace(/\s*\n\s*/g, ' ')}\n`);
  return { status, headers: [['Content-Type', 'text/plain; charset=utf-8'], ...headers], body };
}

/** 202: taken up, with nothing to say yet. */
export const ACCEPTED: Answer = { status: 202, headers: [], body: new Uint8Array() };
