/**
 * What of the canister's heap lies side by side (src/native/heap/): a step of the canister's build that
 * src/node/build/canister.ts starts through tsx, since what it uses is itself built there:
 *   node --import tsx heap-layout.ts <traced.wasm> <layout.json>
 * The canister that marks what it touches is installed on the replica and answers questions. What its start allocated
 * and these messages touched is hot. The same module gives the same layout.
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { HeapLayout } from '../build/heap/variants.ts';
import { projectRoot } from '../build/project.ts';
import { BenchCanister } from '../cost/bench-canister.ts';
import { packFolder } from '../model/model-folder.ts';

// as src/native/heap/ has them
const MAGIC = 'eaptrace';
const [GRANULE_BYTES, MARKS_AT, MARKS, LOG_AT, ENTRY_BYTES, TRACE_BYTES] = [
  8,
  1 << 16,
  8 << 20,
  16 << 20,
  12,
  3000 << 16,
];
const HEADER = 8;

async function heapLayout(traced: Uint8Array): Promise<HeapLayout> {
  const canister = await BenchCanister.install(traced);
  const instance = canister.replica.canister(canister.canisterId)!.instance!;
  const trace = traceIn(instance.view(0, instance.memoryBytes));
  const log = instance.view(trace + LOG_AT, TRACE_BYTES - LOG_AT);
  const touched = started(log).map((thing) => ({ ...thing, calls: 0 }));
  for (const call of CALLS) {
    instance.view(trace + MARKS_AT, MARKS, true).fill(0);
    instance.commit();
    await call(canister);
    const marks = instance.view(trace + MARKS_AT, MARKS);
    for (const thing of touched) if (isTouched(thing, trace, marks)) thing.calls++;
  }
  const hot = touched.filter(({ calls }) => calls > 0).sort((a, b) => a.number - b.number);
  return {
    things: hot.map(({ number, calls }) => ({ number, isHottest: calls > CALLS.length / 2 })),
    bytes: hot.reduce((sum, { bytes }) => sum + Math.ceil((HEADER + bytes) / 8) * 8, 0),
  };
}

/** Where what the traced canister wrote down begins: at a page. */
function traceIn(heap: Uint8Array): number {
  for (let at = 0; at < heap.length; at += 1 << 16)
    if (Buffer.from(heap.buffer, heap.byteOffset + at, MAGIC.length).toString('latin1') === MAGIC) return at;
  throw new Error('heap: expected what the traced canister wrote down in its heap, got nothing');
}

const LITTLE_FLAN = `${projectRoot}/models/little-flan`;

const one = { tokens_per_call: { fixed: 1 }, max_new_tokens: 4 };
/** An upload, then calls of the kinds that there are most of. */
const CALLS: ((canister: BenchCanister) => Promise<unknown>)[] = [
  async (canister) => {
    await canister.upload(new Uint8Array(await readFile((await packFolder(LITTLE_FLAN, 'int8')).path)));
    await canister.load();
  },
  (canister) => canister.ask('what is the capital of france?', one),
  (canister) => canister.ask('what is the capital of france?', one),
  (canister) => canister.ask('opposite of hot:', { max_new_tokens: 4, tokens_per_call: { auto: null } }),
  (canister) => canister.ask('opposite of cold:', { ...one, num_beams: 4 }),
  (canister) => canister.ask('opposite of tall:', { ...one, temperature: 1, seed: 1n }),
  (canister) => canister.askTogether(['opposite of up:', 'opposite of in:', 'opposite of big:'], one),
  (canister) => canister.start('opposite of old:', one),
  (canister) => canister.update('chat', [[{ role: { user: null }, content: 'opposite of new:' }], []]),
  (canister) =>
    canister.update('v1_chat', [
      { model: 'little-flan', messages: [{ user: { content: 'opposite of wet:' } }], tools: [] },
    ]),
  (canister) => canister.update('generate', ['']),
];

interface Thing {
  number: number;
  at: number;
  bytes: number;
}

/** What the start allocated and did not give back. */
function started(log: Uint8Array): Thing[] {
  const entries = new DataView(log.buffer, log.byteOffset, log.byteLength);
  const things = new Map<number, Thing>();
  let number = 0;
  for (let i = 0; ; i += ENTRY_BYTES) {
    const [bytes, at, before] = [0, 4, 8].map((field) => entries.getUint32(i + field, true)) as [
      number,
      number,
      number,
    ];
    if (at === 0 && before === 0) return [...things.values()];
    if (before !== 0) things.delete(before);
    if (at !== 0) things.set(at, { number: number++, at, bytes });
  }
}

function isTouched({ at, bytes }: Thing, trace: number, marks: Uint8Array): boolean {
  const from = at >= trace ? at - TRACE_BYTES : at;
  const [first, last] = [from, from + Math.max(bytes, 1) - 1].map((byte) => Math.floor(byte / GRANULE_BYTES));
  return marks.subarray(first, last! + 1).includes(1);
}

const [from, to] = process.argv.slice(2) as [string, string];
await writeFile(to, JSON.stringify(await heapLayout(new Uint8Array(await readFile(from)))));
