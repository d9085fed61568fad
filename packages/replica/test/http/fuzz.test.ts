/**
 * A short run of what `packages/replica/test/long/fuzz-run.ts` does for long: malformed requests get an answer, and the
 * server goes on.
 */
import { expect, test } from 'vitest';
import { serve } from '../../src/http/serve.ts';
import { echoCore } from './echo.ts';
import { CANISTER_ID } from './fake-core.ts';
import { fuzz } from './fuzz.ts';
import { callContent, post } from './raw.ts';

test('2,000 malformed requests: none is answered by 5xx, none hangs', async () => {
  const server = await serve(echoCore(), { port: 0 });
  const { failures, answers } = await fuzz(server, 20261123, 2_000);
  expect(failures).toEqual([]);
  expect([...answers.values()].every((statuses) => (statuses.get(400) ?? 0) > 0)).toBe(true);
  const good = await post(`${server.url}/api/v3/canister/${CANISTER_ID}/call`, { content: callContent() });
  expect(good.status).toBe(200);
  await server.close();
});
