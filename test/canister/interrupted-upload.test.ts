/** An upload by the client over a bad network, small; test/long/upload-run.ts has the large one. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { interruptedUpload } from './interrupted-upload.ts';
import { install, sha256Of } from './llm.ts';

it('broken off three times, with calls lost, doubled and out of order: the whole pack, and nothing sent twice without need', async () => {
  const llm = await install();
  const pack = new Uint8Array(readFileSync((await packFolder('models/little-flan', 'int8')).path));
  const report = await interruptedUpload(llm, pack, { seed: 2, interruptions: 3, disturbedOf: 4 });
  console.log('upload, seed 2:', report);
  expect((await llm.as().model_info())[0]!.sha256).toBe(sha256Of(pack));
  expect(report).toMatchObject({ interruptions: 3, sentForNothing: 0 });
  expect(report.lost + report.unanswered + report.doubled).toBeGreaterThanOrEqual(2);
});
