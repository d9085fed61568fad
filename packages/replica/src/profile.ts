/**
 * Sums up executed messages: by method and kind, how often, and where the instructions went.
 */
import type { MessageKind, MessageRecord } from './messages.ts';
import type { Instructions } from './meter.ts';

export interface ProfileRow {
  canister: string;
  method: string;
  kind: MessageKind;
  messages: number;
  trapped: number;
  /** Sums over the messages; `rest` is the module's own instructions. */
  instructions: Instructions;
  /** The dearest message. */
  largest: number;
}

/**
 * Rows by canister, method and kind, the dearest first.
 * @example console.table(profile(replica.messages).map(({ instructions, ...row }) => ({ ...row, ...instructions })))
 */
export function profile(messages: Iterable<MessageRecord>): ProfileRow[] {
  const rows = new Map<string, ProfileRow>();
  for (const { canisterId, method, kind, instructions, outcome } of messages) {
    const canister = canisterId.toText();
    const key = `${canister} ${kind} ${method}`;
    let row = rows.get(key);
    if (!row) {
      const none = { total: 0, pages: 0, systemCalls: 0, rest: 0 };
      row = { canister, method, kind, messages: 0, trapped: 0, instructions: none, largest: 0 };
      rows.set(key, row);
    }
    row.messages++;
    if (outcome.status === 'trapped') row.trapped++;
    row.largest = Math.max(row.largest, instructions.total);
    for (const part of ['total', 'pages', 'systemCalls', 'rest'] as const) row.instructions[part] += instructions[part];
  }
  return [...rows.values()].sort((a, b) => b.instructions.total - a.instructions.total);
}
