/** What an upload is said to cost beforehand, against what the replica then charges. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { connect } from '../../../src/client/index.ts';
import { uploadCycles } from '../../../src/node/cost/upload-cost.ts';
import { packFolder } from '../../../src/node/model/model-folder.ts';
import { LocalNetwork } from '../../../src/node/network/local-network.ts';

it('is within 5%, for packs of 2 and 10 MB', async () => {
  const network = await LocalNetwork.start(0);
  try {
    const { canisterId } = await network.install('llm');
    const client = await connect({ host: network.url, canisterId, identity: network.identity });
    for (const weights of ['int4', 'float32'] as const) {
      const pack = new Uint8Array(readFileSync((await packFolder('models/little-flan', weights)).path));
      const { cycles } = await network.record(canisterId, () => client.uploadPack(pack));
      const ratio = Number(uploadCycles(pack.length)) / Number(cycles);
      console.log(
        `${pack.length} bytes: said ${uploadCycles(pack.length)}, charged ${cycles} cycles (${ratio.toFixed(3)})`,
      );
      expect(Math.abs(ratio - 1)).toBeLessThan(0.05);
    }
  } finally {
    await network.close();
  }
});
