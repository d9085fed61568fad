/**
 * `npm run cost` against what the replica charges the same canister for the same work, asked as anyone asks it: over
 * HTTP, with a real question.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type GenerateOptions } from '../../../src/client/index.ts';
import { buildCanister } from '../../../src/node/build/canister.ts';
import { projectRoot } from '../../../src/node/build/project.ts';
import type { Costs } from '../../../src/node/cost/measure.ts';
import { costTable } from '../../../src/node/cost/table.ts';
import { APPLES } from '../../../src/node/model/find-model.ts';
import { packFolder } from '../../../src/node/model/model-folder.ts';
import { LocalNetwork } from '../../../src/node/network/local-network.ts';
import { run } from '../../scripts/command.ts';

const littleFlan = join(projectRoot, 'models/little-flan');
const [apples] = JSON.parse(readFileSync(join(littleFlan, 'expected.json'), 'utf8')).cases;
/** Of the question that README asks. */
const [promptTokens, outputTokens]: [number, number] = [apples.prompt_ids.length, apples.ids.length];

describe('npm run cost', () => {
  let said: Costs;
  let network: LocalNetwork;
  const charged = {} as Pick<Costs, 'upload' | 'generate' | 'start' | 'auto' | 'storageDay'>;

  beforeAll(async () => {
    await buildCanister('llm');
    const { code, stdout, stderr } = await run('cost', [
      ...['--prompt-tokens', `${promptTokens}`, '--tokens', `${outputTokens}`, '--json'],
    ]).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    said = JSON.parse(stdout);

    network = await LocalNetwork.start(0);
    const { canisterId } = await network.install('llm');
    const client = await connect({ host: network.url, canisterId, identity: network.identity });
    const charge = async (work: () => Promise<unknown>): Promise<number> =>
      Number((await network.record(canisterId, work)).cycles);
    const pack = new Uint8Array(readFileSync((await packFolder(littleFlan, 'int8')).path));
    charged.upload = await charge(() => client.uploadPack(pack));
    // as many tokens each, and no prompt twice: one that is known costs less
    const about = (apples: number) => APPLES.replace('22', String(apples));
    // with padding for a stop token, and otherwise as they are where nothing is said
    const options = { eos_token_id: [0], max_new_tokens: outputTokens };
    const ask = async (prompt: string, tokens_per_call: GenerateOptions['tokens_per_call']) =>
      expect(await client.generate(prompt, { ...options, tokens_per_call })).toMatchObject({
        prompt_tokens: promptTokens,
        output_tokens: outputTokens,
        embedding_cached: false,
      });
    await ask(about(20), 'auto');
    // as anybody asks it
    charged.generate = await charge(async () =>
      expect(await client.generate(APPLES)).toMatchObject({
        prompt_tokens: promptTokens,
        output_tokens: outputTokens,
        calls: outputTokens,
      }),
    );
    charged.auto = await charge(() => ask(about(24), 'auto'));
    charged.start = await charge(async () => {
      const answer = client.stream(about(26), { ...options, tokens_per_call: 1 });
      for await (const _ of answer);
      expect(answer.usage).toMatchObject({
        prompt_tokens: promptTokens,
        output_tokens: outputTokens,
        embedding_cached: false,
      });
    });
    charged.storageDay = Number(network.replica.canister(canisterId)!.idleFee(86_400n));
  });
  afterAll(() => network?.close());

  it.each(['upload', 'generate', 'start', 'auto', 'storageDay'] as const)(
    'is within 10%% of what is charged: %s',
    (what) => {
      console.log(`${what}: said ${said[what]}, charged ${charged[what]} (${(said[what] / charged[what]).toFixed(3)})`);
      expect(said[what] / charged[what]).toBeGreaterThan(0.9);
      expect(said[what] / charged[what]).toBeLessThan(1.1);
    },
  );
});

describe('its table', () => {
  const costs: Costs = {
    create: 500e9,
    install: 2.5e9,
    upload: 6e9,
    storageDay: 1e9,
    storageBytes: 100e6,
    generate: 1e9,
    start: 0.8e9,
    auto: 0.1e9,
    token: 20e6,
    tokenMessages: 2,
    tokenInstructions: 12e6,
  };
  const lines = costTable('little-flan', 2.8e6, costs, { promptTokens: 33, tokens: 40, perDay: 1000 }).split('\n');
  const cells = (row: string) =>
    lines
      .find((line) => line.trimStart().startsWith(row))!
      .slice(-67)
      .trim()
      .split(/ {2,}/);

  it('has cycles, XDR and USD on 13 nodes and on 34', () => {
    expect(cells('create')).toEqual(['500 B', '0.5', '0.675', '1.31 T', '1.31', '1.77']);
    expect(cells('upload, 2.8 MB')).toEqual(['6.00 B', '0.006', '0.0081', '15.7 B', '0.0157', '0.0212']);
  });

  it('multiplies by answers and days', () => {
    expect(cells('1,000 answers, one token')[0]).toBe('1.00 T');
    // 30 days of a trillion and a billion
    expect(cells('one token a call')[0]).toBe('30.0 T');
    expect(cells('auto')[0]).toBe('3.03 T');
  });
});

it.each([
  [['--model', 'nosuch'], /^model: expected a folder .*which is not there\n$/],
  [['--model', 'models/little-flan', '--shape', 'flan-t5-small'], /^cost: expected --model or --shape, got both\n$/],
  [['--shape', 'gpt'], /^--shape: expected one of little-flan, flan-t5-small.*, got gpt\n$/],
  [['--prompt-tokens', '1000'], /'1000' is invalid\. Expected a whole number from 2 to 512\.\n$/],
])('answers %j in a line', async (args, line) => {
  const { code, stdout, stderr } = await run('cost', args).ended;
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(line);
});
