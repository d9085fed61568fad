/**
 * What a model's first stage has the others do: the rows of a program go on a tour from stage to stage, and come back.
 * Several tours are under way at once, of other sequences each. Knows who lacks what, and neither canisters nor calls.
 *
 * Whatever goes wrong on a tour, it is given up and its program begins anew: positions are written again, with the same
 * numbers. Copies alone are not repeated, since their source may have changed since: they have numbers, go with every
 * tour until one has come back, and a stage makes each once.
 */
import { joinBytes } from '../../text/bytes.ts';
import type { Sequence } from '../sequence.ts';
import { type StagePart, sizeOf } from './stage-plan.ts';
import {
  type CopyOf,
  CROSS,
  decodeReply,
  ENCODE,
  type ErrandKind,
  encodeRequest,
  FORWARD,
  goingOn,
  LACKING,
  PART,
  PAUSED,
  type Piece,
  PROMPT,
  type Request,
  ROWS_A_HOP,
  type SequenceOf,
} from './wire.ts';

/** What one stage is asked. */
export interface Errand {
  /** Its index; the first stage's own is 0. */
  stage: number;
  request: Uint8Array;
  /** Whose rows it is about. */
  load: Load;
}

/** What goes on a tour. */
export interface Load {
  kind: ErrandKind;
  /** Whom the program is for. */
  sequences: readonly Sequence[];
  /** Of a batch, or of no sequence where the encoder reads a prompt. */
  rows: readonly (readonly [sequence: Sequence | undefined, position: number])[];
  /** The sequence whose prompt's keys and values are made. */
  prompt?: Sequence;
  /** Rows that are wanted of the last stage, the first ones. */
  back: number;
}

/** What a stage's answer says of a sequence: what it lacks has to be made again, from that position on. */
export type Lack = (sequence: Sequence, from: number | 'prompt') => void;

interface Tour {
  load: Load;
  copies: readonly Copy[];
  closed: readonly number[];
  /** Stages that are yet to do their part. */
  left: readonly number[];
  /** Rows for the next of them, how many bytes of these are there, and what has come of that one's own. */
  hidden: Uint8Array;
  sent: number;
  got: Uint8Array[];
  /** Of the errand to that stage: once it was taken, and as long as its message was full. */
  number?: number;
  /** What is asked now; undefined until it is taken. */
  errand?: Errand | undefined;
}

type Copy = Pick<CopyOf, 'number' | 'from' | 'to'> & { target: Sequence; source: Sequence };

const freshRows = (hidden: Uint8Array) => ({ hidden, sent: 0, got: [] });

export class Errands {
  private readonly ids = new Map<Sequence, number>();
  private lastId = 0;
  private lastCopy = 0;
  private lastNumber = 0;
  /** What not all stages are known to have heard of. */
  private closed: number[] = [];
  private copies: Copy[] = [];
  private tours: Tour[] = [];
  /** Bytes of rows that a call carries at most. */
  mostBytes = ROWS_A_HOP;

  /**
   * @param epoch another one each time that a model is opened, in 32 bits
   * @param positionsOf the most positions that a sequence may have
   */
  constructor(
    private readonly parts: readonly StagePart[],
    private readonly epoch: number,
    private readonly hasEncoder: boolean,
    private readonly positionsOf: (sequence: Sequence) => number,
  ) {}

  begin(load: Load, hidden: Uint8Array): void {
    // what has no part in it does not see it
    const left = this.parts.flatMap((part, stage) =>
      stage === 0 || (load.kind === ENCODE && sizeOf(part.encoderLayers!) === 0) ? [] : [stage],
    );
    // what all stages are to hear of goes with a batch, which visits all of them
    const isBatch = load.kind === FORWARD;
    const copies = isBatch ? [...this.copies] : [];
    this.tours.push({ load, copies, closed: isBatch ? [...this.closed] : [], left, ...freshRows(hidden) });
  }

  /** Whether the encoder has layers elsewhere. */
  get encodesElsewhere(): boolean {
    return this.parts.some(({ encoderLayers }, stage) => stage > 0 && encoderLayers && sizeOf(encoderLayers) > 0);
  }

  /**
   * What is to be asked next, and is asked from now on; undefined where nothing is. Errands reach a stage in the order
   * in which they are taken.
   */
  take(): Errand | undefined {
    const tour = this.tours.find(({ errand }) => !errand);
    if (!tour) return undefined;
    const isNew = tour.number === undefined;
    if (isNew) this.lastNumber += 1;
    tour.number ??= this.lastNumber;
    const alive = this.tours.flatMap(({ number }) => number ?? []);
    const piece = this.nextPiece(tour);
    const request = isNew
      ? this.request(tour, tour.number, alive, piece)
      : goingOn(this.epoch, tour.number, alive, piece);
    tour.errand = { stage: tour.left[0]!, request: encodeRequest(request), load: tour.load };
    return tour.errand;
  }

  /** What goes with the next request: rows that are not there yet. */
  private nextPiece(tour: Tour): Piece {
    const { hidden, sent, got } = tour;
    const piece = hidden.subarray(sent, sent + this.mostBytes);
    tour.sent += piece.length;
    const taken = got.reduce((sum, { length }) => sum + length, 0);
    return { hidden: piece, sent, all: hidden.length, taken, most: this.mostBytes };
  }

  /**
   * Takes what a stage has answered.
   * @returns the rows that have come back, once all have done their part; `away` until then; `lost` where the tour was
   * given up: its program has to begin anew. An answer to an errand that is given up changes nothing.
   * @throws Error for an answer that cannot be one
   */
  answer(errand: Errand, bytes: Uint8Array, lack: Lack): Uint8Array | 'away' | 'lost' {
    const tour = this.tours.find((one) => one.errand === errand);
    if (!tour) return 'away';
    const reply = decodeReply(bytes);
    if (reply.kind === PAUSED) {
      tour.errand = undefined;
      return 'away';
    }
    if (reply.kind === LACKING) {
      const sequences = new Map([...this.ids].map(([sequence, id]) => [id, sequence]));
      this.giveUp(tour.load);
      for (const [id, from] of reply.from) {
        const sequence = sequences.get(id);
        if (sequence) lack(sequence, from === PROMPT ? 'prompt' : from);
      }
      return 'lost';
    }
    tour.got.push(reply.hidden);
    if (reply.kind === PART) {
      tour.errand = undefined;
      return 'away';
    }
    return this.goOn(tour, tour.got.length === 1 ? reply.hidden : joinBytes(tour.got));
  }

  private goOn(tour: Tour, hidden: Uint8Array): Uint8Array | 'away' {
    const { load } = tour;
    const [, ...left] = tour.left;
    const rowBytes = load.rows.length > 0 ? tour.hidden.length / load.rows.length : 0;
    const expected = load.kind === CROSS ? 0 : rowBytes * (left.length > 0 ? load.rows.length : load.back);
    if (hidden.length !== expected)
      throw new Error(`stage: expected ${expected} bytes of rows back, got ${hidden.length}`);
    this.giveUp(load);
    if (left.length === 0) {
      this.copies = this.copies.filter((copy) => !tour.copies.includes(copy));
      this.closed = this.closed.filter((id) => !tour.closed.includes(id));
      return hidden;
    }
    const { copies, closed } = tour;
    this.tours.push({ load, copies, closed, left, ...freshRows(load.kind === CROSS ? tour.hidden : hidden) });
    return 'away';
  }

  /** Gives up what is under way with these rows: it is not known how far it came. */
  giveUp(load: Load): void {
    this.tours = this.tours.filter((tour) => tour.load !== load);
  }

  /** A sequence takes keys and values from another. */
  copy(target: Sequence, source: Sequence, from: number, to: number): void {
    this.lastCopy += 1;
    this.copies.push({ number: this.lastCopy, target, source, from, to });
  }

  /** A sequence is no more. */
  close(sequence: Sequence): void {
    const id = this.ids.get(sequence);
    // where a stage has no copy of them yet, keys and values are made
    for (const { target, source, from } of this.copies)
      if (source === sequence) target.cached = Math.min(target.cached, from);
    this.copies = this.copies.filter(({ target, source }) => target !== sequence && source !== sequence);
    if (id === undefined) return;
    this.ids.delete(sequence);
    this.closed.push(id);
  }

  private request(tour: Tour, number: number, alive: readonly number[], piece: Piece): Request {
    const { load, left, closed } = tour;
    const { kind, rows, prompt } = load;
    // others are made by all, or were of what is closed
    const copies = tour.copies.filter((copy) => this.copies.includes(copy));
    const known = new Set<Sequence>(copies.flatMap(({ target, source }) => [target, source]));
    for (const [sequence] of rows) if (sequence) known.add(sequence);
    if (prompt) known.add(prompt);
    if (this.hasEncoder) for (const { forkOf } of [...known]) if (forkOf) known.add(forkOf);
    return {
      kind,
      epoch: this.epoch,
      number,
      alive,
      closed,
      sequences: [...known].map((sequence) => this.describe(sequence)),
      copies: copies.map(({ number, target, source, from, to }) => {
        return { number, target: this.idOf(target), source: this.idOf(source), from, to };
      }),
      rows: rows.map(([sequence, position]) => [sequence ? this.idOf(sequence) : 0, position] as const),
      back: kind === CROSS ? 0 : left.length > 1 ? rows.length : load.back,
      ...piece,
    };
  }

  private describe(sequence: Sequence): SequenceOf {
    const root = this.hasEncoder ? (sequence.forkOf ?? sequence) : sequence;
    const sourceLength = this.hasEncoder ? sequence.sourceIds.length : 0;
    return { id: this.idOf(sequence), capacity: this.positionsOf(sequence), sourceLength, root: this.idOf(root) };
  }

  private idOf(sequence: Sequence): number {
    let id = this.ids.get(sequence);
    if (id === undefined) {
      this.lastId += 1;
      id = this.lastId;
      this.ids.set(sequence, id);
    }
    return id;
  }
}
