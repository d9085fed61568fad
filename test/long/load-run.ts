/**
 * The load run: many callers with many sessions each against a limit of 8 at once; all have to be answered, in messages
 * of at most 2 B, and fairly: when half of all are answered, no caller has more than twice the answers of another; and
 * what all bills say together is what the canister was charged, within 1%.
 *   npx tsx test/long/load-run.ts --callers 200 --sessions 20
 */
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { program } from 'commander';
import { GenerateOptions } from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { envelopeBytes, ingressFees } from '../../src/service/bill.ts';
import { MESSAGE_CYCLES } from '../../src/service/prices.ts';
import { change, install, listOptions, ok, options, upload } from '../canister/llm.ts';

program
  .option('--callers <n>', 'how many', Number, 200)
  .option('--sessions <n>', 'of each caller', Number, 20)
  .option('--tokens <n>', 'at most, of each session', Number, 4)
  .parse();
const given = program.opts<{ callers: number; sessions: number; tokens: number }>();

let messages = 0;
let most = 0;
/** What the messages of each kind took: how many, and their instructions. */
const byKind: Record<string, { messages: number; instructions: number }> = {};
const llm = await install({
  autoTick: false,
  keptMessages: 10,
  onMessage: ({ kind, method, instructions, pagesTouched }) => {
    if (kind === 'query') return;
    messages += 1;
    most = Math.max(most, instructions.total);
    // a message that does not enter the interpreter writes few pages
    const where = method === 'generate' && pagesTouched.heapWritten <= 12 ? 'native' : 'TypeScript';
    const name = `${kind} ${method} ${where}`;
    const { messages: before, instructions: sum } = byKind[name] ?? { messages: 0, instructions: 0 };
    byKind[name] = { messages: before + 1, instructions: sum + instructions.total };
  },
});
const owner = llm.as();
await upload(owner, readFileSync((await packFolder('models/little-flan', 'int8')).path));
ok(await owner.set_settings(change({ max_active: 8, max_finished: 20_000 })));
// the first call asks for the canister's randomness, which a queue of 500 could not do for all of them
ok(await owner.generate('what color is the sky?'));
most = 0;
const cycles = (): bigint => llm.replica.canister(llm.canisterId)!.cycles;
const before = cycles();
const actors = Array.from({ length: given.callers }, (_, i) =>
  llm.as(Principal.selfAuthenticating(Uint8Array.of(3, i >> 8, i & 255))),
);
messages = 0;
for (const kind of Object.keys(byKind)) delete byKind[kind];
// one caller after the other: the first to come would be the last to wait in a plain queue
const starts = [];
let ingress = 0;
for (const actor of actors) {
  for (let j = 0; j < given.sessions; j++) {
    const args: [string, [GenerateOptions]] = [
      `what color is the sky? ${j}`,
      options({ max_new_tokens: given.tokens }),
    ];
    starts.push(actor.start(...args));
    const bytes = IDL.encode([IDL.Text, IDL.Opt(GenerateOptions)], args as unknown[]).byteLength;
    ingress += ingressFees(envelopeBytes('start', bytes));
  }
}
const ids = (await Promise.all(starts)).map(ok);
console.error(
  `${ids.length} sessions started; ${JSON.stringify(await owner.status(), (_, v) => (typeof v === 'bigint' ? Number(v) : v))}`,
);

/** Callers' answers when half of all are there. */
let half: number[] | undefined;
const finishedOf = async (): Promise<number[]> =>
  Promise.all(
    actors.map(async (actor) => {
      const list = ok(await actor.list(listOptions({ limit: 200 })));
      return list.filter(({ state }) => 'finished' in state).length;
    }),
  );
for (;;) {
  await llm.replica.tick();
  const { generating, queued } = await owner.status();
  if (!half && queued < ids.length / 2) half = await finishedOf();
  if (generating + queued === 0) break;
}
const answered = (await finishedOf()).reduce((a, b) => a + b, 0);
const bills = await Promise.all(
  actors.map(async (actor) =>
    ok(await actor.list(listOptions({ limit: 200 }))).reduce((sum, s) => sum + Number(s.cycles), 0),
  ),
);
const [charged, billed] = [Number(before - cycles()), bills.reduce((a, b) => a + b, 0)];
/** Cycles that were charged for other messages than the calls of `start` and `list`. */
function withoutCalls() {
  let calls = 0;
  for (const [kind, { messages, instructions }] of Object.entries(byKind))
    if (/^update (start|list) /.test(kind)) calls += instructions + messages * MESSAGE_CYCLES;
  // what comes by ingress is charged by its bytes, too
  const others = charged - calls - ingress;
  return { startAndListCalls: calls + ingress, others, othersPerAnswer: Math.round(others / answered) };
}
const [fewest, largest] = [Math.min(...half!), Math.max(...half!)];
console.log(
  JSON.stringify({
    ...given,
    answered,
    messages,
    mostInstructionsInAMessage: most,
    charged,
    billed,
    billedOfCharged: billed / charged,
    byKind,
    ...withoutCalls(),
    answersOfACallerAtHalfTime: { fewest, most: largest },
  }),
);
process.exit(
  answered === ids.length && largest <= 2 * fewest && most <= 2e9 && Math.abs(billed / charged - 1) < 0.01 ? 0 : 1,
);
