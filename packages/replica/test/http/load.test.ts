/**
 * Many agents at once, over the real core: every update is answered, none is executed twice, every certificate holds.
 */
import { Cbor, Certificate, type HashTree, HttpAgent, lookup_path, reconstruct } from '@dfinity/agent';
import { Ed25519KeyIdentity } from '@dfinity/identity';
import { expect, test } from 'vitest';
import { serve } from '../../src/http/serve.ts';
import { Replica } from '../../src/index.ts';
import { watCanister } from './wat-canister.ts';

const AGENTS = 50;
const UPDATES_EACH = 20;

test(`${AGENTS * UPDATES_EACH} updates from ${AGENTS} agents`, async () => {
  const replica = new Replica();
  const { canisterId } = replica.createCanister();
  await replica.installCode({ canisterId, wasm: watCanister() });
  const server = await serve(replica, { port: 0, callTimeoutMilliseconds: 60_000 });
  const { rootKey } = server.authority;
  const agents = Array.from({ length: AGENTS }, () =>
    HttpAgent.createSync({ host: server.url, rootKey, identity: Ed25519KeyIdentity.generate() }),
  );
  replica.messages.length = 0;

  const [began, usedBefore] = [performance.now(), process.cpuUsage()];
  const one = async (agent: HttpAgent, name: string) => {
    const arg = new TextEncoder().encode(name);
    const { requestId, response } = await agent.call(canisterId, { methodName: 'echo', arg });
    return { name, requestId, certificate: (response.body as { certificate: Uint8Array }).certificate };
  };
  const several = async (agent: HttpAgent, who: number) => {
    const answers = [];
    for (let n = 0; n < UPDATES_EACH; n++) answers.push(await one(agent, `agent ${who}, update ${n}`));
    return answers;
  };
  const answers = (await Promise.all(agents.map(several))).flat();
  const seconds = (performance.now() - began) / 1_000;
  const used = process.cpuUsage(usedBefore);
  const processorSeconds = (used.user + used.system) / 1e6;

  const executed = replica.messages.filter(({ method }) => method === 'echo').length;
  expect(executed).toBe(AGENTS * UPDATES_EACH);
  // Certificates that share a signature are certificates of one state: verify one of them, and the others' root hash.
  const states = new Map<string, string>();
  for (const { name, requestId, certificate } of answers) {
    const { tree, signature } = Cbor.decode<{ tree: HashTree; signature: Uint8Array }>(certificate);
    const key = Buffer.from(signature).toString('hex');
    const rootHash = Buffer.from(await reconstruct(tree)).toString('hex');
    if (!states.has(key)) await Certificate.create({ certificate, rootKey, canisterId });
    expect(states.get(key) ?? rootHash).toBe(rootHash);
    states.set(key, rootHash);
    const reply = lookup_path(['request_status', requestId, 'reply'], tree);
    expect(new TextDecoder().decode((reply as { value: Uint8Array }).value)).toBe(name);
  }
  const rate = (by: number) => (answers.length / by).toFixed(0);
  console.info(
    `${rate(seconds)} updates a second, ${rate(processorSeconds)} a second of processor for replica and agents; ${states.size} states signed`,
  );
  expect(states.size).toBeLessThan(AGENTS * UPDATES_EACH * 0.5);
  await server.close();
  replica.close();
});
