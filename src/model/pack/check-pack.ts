/**
 * Whether a pack may become the model: all of it that a program trusts. Its head is pack.ts's; here are the tokenizer's
 * tables, and every number that weights are made of. Done part by part, so that a canister can do it in as many
 * messages as it takes.
 */
import { CHECK_FINITE, CHECK_MULTIPLIERS } from '../../tensor/assembly/protocol.ts';
import { matrixParts } from '../../tensor/layout.ts';
import type { Unit } from '../../tensor/unit.ts';
import { ChatTemplate } from '../../text/chat-template.ts';
import { packTensors } from '../families/registry.ts';
import type { PackTensor } from '../tensor-table.ts';
import { checkTables, TABLES_HEAD_BYTES } from '../tokenizer/pack-tokenizer.ts';
import { type OpenedHead, packShape } from './pack.ts';

/** Bytes of a part at most; a multiple of 16. */
const PART_BYTES = 1 << 20;

/** Bytes of weights that are numbers of a kind. */
interface Part {
  tensor: string;
  kind: typeof CHECK_FINITE | typeof CHECK_MULTIPLIERS;
  offset: number;
  bytes: number;
}

/** Where a pack's bytes are. */
export interface PackBytes {
  /** `bytes` of the pack from `offset` on, behind HEADER_BYTES of room. */
  mailbox(offset: number, bytes: number): Uint8Array;
  /** The same into an array. */
  read(offset: number, into: Uint8Array): void;
}

export class PackCheck {
  private readonly parts: Part[];

  constructor(
    private readonly head: OpenedHead,
    private readonly pack: PackBytes,
    private readonly unit: Unit,
    /** Whether a chat template has taken as much as it may. */
    private readonly isSpent: () => boolean = () => false,
  ) {
    this.parts = packTensors(packShape(head)).flatMap(partsOf);
  }

  /** The tokenizer, then the weights, then the chat template. */
  get count(): number {
    return 1 + this.parts.length + (this.head.chat ? 1 : 0);
  }

  /** Whether a part may take most of a message: the tokenizer, and the chat template. */
  isLarge(index: number): boolean {
    return index === 0 || index > this.parts.length;
  }

  /** @throws Error saying what is wrong in part `index` */
  part(index: number): void {
    if (index === 0) this.tokenizer();
    else if (index <= this.parts.length) this.weights(this.parts[index - 1]!);
    else new ChatTemplate(this.head.chat!).check({ isSpent: this.isSpent });
  }

  private tokenizer(): void {
    const { tokenizerOffset: at, tokenizerBytes: bytes, config } = this.head;
    if (bytes === 0 && (this.head.stage?.index ?? 0) > 0) return;
    if (bytes === 0) throw new Error('pack: expected a tokenizer, got none; convert a folder that has one');
    const start = new Uint8Array(Math.min(TABLES_HEAD_BYTES, bytes));
    this.pack.read(at, start);
    const { vocabularySize } = checkTables(start, bytes, (into) => this.pack.read(at, into), this.unit);
    if (vocabularySize > config.vocabularySize) {
      throw new Error(
        `pack: expected a tokenizer of at most ${config.vocabularySize} pieces, as the embedding has rows, got ${vocabularySize}`,
      );
    }
  }

  private weights({ tensor, kind, offset, bytes }: Part): void {
    const wrong = this.unit.firstWrong(kind, this.pack.mailbox(this.head.weightsOffset + offset, bytes));
    if (wrong === undefined) return;
    const expected = kind === CHECK_FINITE ? 'finite numbers' : 'multipliers of -15 to 15';
    const at = offset + wrong * (kind === CHECK_FINITE ? 4 : 1);
    throw new Error(`pack: expected ${expected} in ${tensor}, got another at byte ${at} of the weights`);
  }
}

/** What of a tensor not any bytes may be: int8 weights may, their scales may not. */
function partsOf(tensor: PackTensor): Part[] {
  const { name, offset, bytes, layout, weights } = tensor;
  const cut = (kind: Part['kind'], from: number, to: number): Part[] => {
    const parts: Part[] = [];
    for (let at = from; at < to; at += PART_BYTES)
      parts.push({ tensor: name, kind, offset: offset + at, bytes: Math.min(PART_BYTES, to - at) });
    return parts;
  };
  if (layout.kind !== 'matrix' || weights === 'float32') return cut(CHECK_FINITE, 0, bytes);
  const { multipliers, scales } = matrixParts(weights, layout.rows.length, layout.cols.length);
  return [...cut(CHECK_MULTIPLIERS, multipliers, scales), ...cut(CHECK_FINITE, scales, bytes)];
}
