/** `npm run upload -- --stages`, but for its terminal: over HTTP, broken off and gone on with, and what it refuses. */
import { Principal } from '@dfinity/principal';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Server, serve } from '../../../packages/replica/src/http/serve.ts';
import { Replica } from '../../../packages/replica/src/index.ts';
import { buildCanister } from '../../../src/node/build/canister.ts';
import { type PackFile, packFolder } from '../../../src/node/model/model-folder.ts';
import { connectTo } from '../../../src/node/network/network.ts';
import { stageIds, uploadStages } from '../../../src/node/network/upload-stages.ts';
import { ok } from '../../canister/llm.ts';

let replica: Replica;
let server: Server;
let ids: string[];
let pack: PackFile;
const options = () => ({ network: server.url, retries: 0 });

beforeAll(async () => {
  replica = new Replica({ seed: 1 });
  const { gz } = await buildCanister('llm');
  ids = [];
  for (let i = 0; i < 3; i++) {
    const { canisterId } = replica.createCanister({ controllers: [Principal.anonymous()], cycles: 10n ** 15n });
    await replica.installCode({ canisterId, wasm: gz });
    ids.push(canisterId.toText());
  }
  server = await serve(replica, { port: 0 });
  pack = await packFolder('models/little-flan', 'int8');
}, 120_000);
afterAll(async () => {
  replica.close();
  await server.close();
});

const uploads = (): number => replica.messages.filter(({ method }) => method === 'upload_chunk').length;

it('sends nothing where nobody agrees, and all of it once', async () => {
  await uploadStages(pack, ids, options(), async () => false);
  expect(uploads()).toBe(0);
  await uploadStages(pack, ids, options(), async () => true);
  const { client } = await connectTo({ ...options(), canister: ids[0]! });
  expect(ok(await client.actor.generate('opposite of hot:')).text).toBe('cold');
  const all = uploads();
  expect(all).toBeGreaterThanOrEqual(5);
  await uploadStages(pack, ids, options(), async () => true);
  expect(uploads()).toBe(all);
}, 60_000);

it('goes on where another upload stood', async () => {
  const before = uploads();
  // the same stages in another order: each canister has another one's pack, and needs its own
  const turned = [ids[1]!, ids[2]!, ids[0]!];
  await uploadStages(pack, turned, options(), async () => true);
  expect(uploads()).toBeGreaterThan(before);
  const { client } = await connectTo({ ...options(), canister: turned[0]! });
  expect(ok(await client.actor.generate('opposite of hot:')).text).toBe('cold');
}, 60_000);

it('refuses what cannot be, before anything is sent', async () => {
  const before = uploads();
  expect(() => stageIds('rwlgt-iiaaa-aaaaa-aaaaa-cai')).toThrow('--stages: expected at least two canister ids');
  expect(() => stageIds(`${ids[0]},nonsense`)).toThrow('--stages: expected ids like rwlgt-iiaaa-aaaaa-aaaaa-cai, got');
  expect(() => stageIds(`${ids[0]},${ids[0]}`)).toThrow(`expected canisters that differ, got ${ids[0]} twice`);
  const many = Array.from({ length: 20 }, () => ids[0]!);
  await expect(uploadStages(pack, many, options(), async () => true)).rejects.toThrow(
    /stages: expected 2 to \d+ stages of a model of \d+ layers, got 20/,
  );
  expect(uploads()).toBe(before);
});
