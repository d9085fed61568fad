/**
 * Counts and sizes in Prometheus' text form. Counters begin anew with an upgrade, as Prometheus expects of a restart.
 */
import { canisterCycleBalance } from 'azle';
import { cyclesOf } from '../../service/bill.ts';
import { activeModel, storedPacks } from '../model/model.ts';
import { keptOfPrompts } from '../model/prefixes.ts';
import { arena, unit } from '../runtime/unit.ts';
import { ownBill } from '../sessions/billing.ts';
import { counters } from '../sessions/counters.ts';
import { sessionCounts } from '../sessions/sessions.ts';
import { collect } from '../sessions/settlement.ts';
import { waitingCalls } from '../sessions/waiting.ts';

type Metric = [name: string, kind: 'gauge' | 'counter', help: string, value: number | bigint, labels?: string];

function metrics(): Metric[] {
  collect();
  const { all, active, queued } = sessionCounts();
  const waiting = waitingCalls();
  const kept = keptOfPrompts();
  const ended = (['stop', 'length', 'cancelled', 'failed'] as const).map(
    (how): Metric => [
      'sessions_ended_total',
      'counter',
      'Sessions that ended, by how.',
      counters[how],
      `{how="${how}"}`,
    ],
  );
  return [
    ['sessions', 'gauge', 'Sessions in the generation cache.', all],
    ['sessions_active', 'gauge', 'Sessions that are worked on.', active],
    ['sessions_queued', 'gauge', 'Sessions that wait for their turn.', queued],
    ['calls_waiting', 'gauge', 'Calls in progress that wait for their answer.', waiting],
    ...ended,
    ['tokens_total', 'counter', 'Tokens made.', counters.tokens],
    ['messages_total', 'counter', 'Messages that worked on a session.', counters.messages],
    ['stumbles_total', 'counter', 'Steps that trapped or were rejected.', counters.stumbles],
    ['revived_total', 'counter', 'Sessions that the watchdog took up again.', counters.revived],
    ['unit_instructions_total', 'counter', 'Instructions of the tensor unit.', unit.instructions],
    ['own_messages_total', 'counter', 'Messages that are on no bill: waiting, refusing.', ownBill.messages],
    ['own_cycles_total', 'counter', 'Cycles that those cost.', cyclesOf(ownBill)],
    ['embeddings', 'gauge', 'Entries of the embedding cache and the prefix cache.', kept.count],
    ['embedding_bytes', 'gauge', 'Bytes of the embedding cache and the prefix cache.', kept.bytes],
    ['embedding_hits_total', 'counter', 'Prompts whose encoding, or whose beginning, was in the cache.', kept.hits],
    ['embedding_misses_total', 'counter', 'Prompts of which nothing was.', kept.misses],
    ['arena_bytes', 'gauge', 'Memory of the tensor unit.', arena.grown],
    ['heap_bytes', 'gauge', 'The Wasm memory, of 3 GiB at most.', unit.grow(0)],
    ['pack_bytes', 'gauge', 'Packs stored.', storedPacks().reduce((sum, { bytes }) => sum + bytes, 0)],
    ['model_ready', 'gauge', 'Whether the model is in the arena.', Number(activeModel()?.ready ?? false)],
    ['cycles', 'gauge', 'Cycles in the canister.', canisterCycleBalance()],
  ];
}

export function metricsText(): string {
  const lines: string[] = [];
  let last = '';
  for (const [name, kind, help, value, labels = ''] of metrics()) {
    if (name !== last) lines.push(`# HELP stepwise_${name} ${help}`, `# TYPE stepwise_${name} ${kind}`);
    last = name;
    lines.push(`stepwise_${name}${labels} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}
