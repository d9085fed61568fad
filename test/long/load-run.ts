/**
 * The load run: many callers with many sessions each against a limit of 8 at once; all have to be answered, in messages of at most 2 B, and fairly: when half
 * of all are answered, no caller has more than twice the answers of another; and what all bills say together is what the canister was charged, within 1%.
 *   npx tsx test/long/load-run.ts --callers 200 --sessions 20
 */
import { readFileSync } from 'node:fs';
import { Principal } from '@dfinity/principal';
import { program } from 'commander';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { change, install, listOptions, ok, options, upload } from '../canister/llm.ts';

program
  .option('--callers <n>', 'how many', Number, 200)
  .option('--sessions <n>', 'of each caller', Number, 20)
  .option('--tokens <n>', 'at most, of each session', Number, 4)
  .parse();
const given = program.opts<{ callers: number; sessions: number; tokens: number }>();

let messages = 0;
let most = 0;
const llm = await install({
  autoTick: false,
  keptMessages: 10,
  onMessage: ({ kind, instructions }) => {
    messages += 1;
    if (kind !== 'query') most = Math.max(most, instructions.total);
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
// one caller after the other: the first to come would be the last to wait in a plain queue
const starts = [];
for (const actor of actors) {
  for (let j = 0; j < given.sessions; j++)
    starts.push(actor.start(`what color is the sky? ${j}`, options({ max_new_tokens: given.tokens })));
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
    answersOfACallerAtHalfTime: { fewest, most: largest },
  }),
);
process.exit(
  answered === ids.length && largest <= 2 * fewest && most <= 2e9 && Math.abs(billed / charged - 1) < 0.01 ? 0 : 1,
);
