/**
 * The run of bills: many cases (test/canister/bills.ts), what each was charged against what it reports; the largest
 * differences at the end.
 *   npx tsx test/long/bills-run.ts --cases 500 --seed 1
 */
import { program } from 'commander';
import fc from 'fast-check';
import { anyCase, Bills, type Case, type Outcome } from '../canister/bills.ts';

program
  .option('--cases <n>', 'how many', Number, 500)
  .option('--seed <n>', 'another seed is another run', Number, 1)
  .option('--from <n>', 'begin with this one of them', Number, 0)
  .option('--verbose', 'a line for each case')
  .parse();
const { cases, seed, from, verbose } = program.opts<{ cases: number; seed: number; from: number; verbose?: boolean }>();
const bills = await Bills.install();
await bills.run({ method: 'generate', pays: false, prompt: [0], tokens: 1, perCall: 1, choice: 'greedy', company: [] });
const M = (cycles: number): string => (cycles / 1e6).toFixed(2).padStart(9);
const done: { asked: Case; outcome: Outcome }[] = [];
const failed: string[] = [];
for (const asked of fc
  .sample(anyCase({ words: 120, tokens: 150, company: 12 }), { numRuns: cases, seed })
  .slice(from)) {
  try {
    const outcome = await bills.run(asked);
    done.push({ asked, outcome });
    const { charged, reported, own, difference, asked: price = Number.NaN, paid = Number.NaN } = outcome;
    const { method, tokens, perCall, choice, company, pays, prompt } = asked;
    if (verbose)
      console.log(
        `${difference.toFixed(2).padStart(6)} %  charged ${M(charged)} reported ${M(reported)} own ${M(own)} asked ${M(price)} paid ${M(paid)}  ${method} ${pays ? 'pays' : ''} in ${prompt.length} out ${tokens} per ${perCall} ${choice} company ${company.length}`,
      );
  } catch (error) {
    failed.push(`${JSON.stringify(asked)}: ${(error as Error).message}`);
  }
  process.stderr.write(`\r${done.length + failed.length} of ${cases - from}   `);
}
const isWrong = ({ outcome: { difference } }: (typeof done)[number]): boolean => Math.abs(difference) > 1;
const differences = done.map(({ outcome }) => outcome.difference);
const lost = done.filter(
  ({ outcome: { paid, charged, own }, asked: { company, method } }) =>
    paid !== undefined && company.length === 0 && method.startsWith('generate') && paid < charged - own,
);
console.log(
  JSON.stringify(
    {
      seed,
      cases: done.length,
      failed,
      largest: Math.max(...differences),
      smallest: Math.min(...differences),
      wrong: done.filter(isWrong).map(({ asked, outcome }) => ({ ...asked, prompt: asked.prompt.length, ...outcome })),
      paying: done.filter(({ outcome }) => outcome.paid !== undefined).length,
      lostByPayers: lost.map(({ asked, outcome }) => ({ ...asked, prompt: asked.prompt.length, ...outcome })),
      askedLessThanPaid: done.filter(({ outcome: { asked = 0, paid = 0 } }) => paid > asked).length,
      billedMoreThanQuoted: done
        .filter(({ outcome: { bill, quoted } }) => bill > quoted)
        .map(({ asked, outcome }) => ({ ...asked, prompt: asked.prompt.length, ...outcome })),
      askedOverBill: Math.max(...done.map(({ outcome: { asked = 0, bill } }) => asked / bill)),
    },
    undefined,
    2,
  ),
);
process.exitCode = failed.length > 0 || lost.length > 0 || done.some(isWrong) ? 1 : 0;
