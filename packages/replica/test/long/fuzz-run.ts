/**
 * Fuzzes the replica's HTTP interface: npx tsx packages/replica/test/long/fuzz-run.ts [--count 100000] [--seed N]
 * Prints answers by kind of request, and every request that crashed, hung or was answered by 5xx; then exits with 1.
 */
import { parseArgs } from 'node:util';
import { serve } from '../../src/http/serve.ts';
import { echoCore } from '../http/echo.ts';
import { fuzz } from '../http/fuzz.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 32) },
  },
});
const count = Number(values.count);
const seed = Number(values.seed);

const megabytes = () => {
  globalThis.gc?.();
  return Math.round(process.memoryUsage().heapUsed / 1e6);
};

const server = await serve(echoCore(), { port: 0, callTimeoutMilliseconds: 1_000 });
const before = megabytes();
const began = performance.now();
const result = await fuzz(server, seed, count, (sent) => process.stderr.write(`\r${sent} of ${count}`));
const seconds = (performance.now() - began) / 1_000;
await server.close();

process.stderr.write('\r');
console.log(
  `seed ${seed}: ${result.sent} requests in ${seconds.toFixed(1)} s, slowest ${result.slowestMilliseconds.toFixed(0)} ms`,
);
console.log(`heap ${before} MB before, ${megabytes()} MB after`);
for (const [kind, statuses] of result.answers) {
  const shown = [...statuses].sort(([a], [b]) => a - b).map(([status, times]) => `${status}: ${times}`);
  console.log(`${kind.padEnd(18)} ${shown.join('  ')}`);
}
for (const failure of result.failures.slice(0, 20)) console.log(failure);
console.log(`${result.failures.length} failures`);
process.exitCode = result.failures.length > 0 ? 1 : 0;
