/** Receipts of answers: what they prove, to whom, for how long, and what of a wrong one is found out. */
import { readFileSync } from 'node:fs';
import { Cbor } from '@dfinity/agent';
import { Principal } from '@dfinity/principal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Server, serve } from '../../packages/replica/src/http/serve.ts';
import { type Client, connect, type Receipt, verifyReceipt } from '../../src/client/index.ts';
import { answerAgain } from '../../src/node/model/answer-again.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { change, type Installed, install, ok, options, upload } from './llm.ts';

const QUESTION = 'what is the opposite of hot?';

let installed: Installed;
let server: Server;
let client: Client;
let rootKey: Uint8Array;
/** The first answer, a drawn one, beams, one that a text stops, and a choice. */
let receipts: Receipt[];
let sessions: string[];

beforeAll(async () => {
  installed = await install();
  server = await serve(installed.replica, { port: 0 });
  ({ rootKey } = server.authority);
  client = await connect({ host: server.url, canisterId: installed.canisterId });
  const llm = installed.as();
  await upload(llm, readFileSync((await packFolder('models/little-flan', 'int8')).path));
  // the anonymous caller's, whose sessions the client may read
  const anyone = installed.as(Principal.anonymous());
  const answers = [
    ok(await anyone.generate(QUESTION)),
    ok(await anyone.generate_with('write 17 in words', options({ do_sample: true, seed: 7n, temperature: 3 })[0])),
    ok(await anyone.generate_with('what is 4 + 4?', options({ num_beams: 3 })[0])),
    ok(await anyone.generate_with(QUESTION, options({ stop_strings: ['ol'] })[0])),
    ok(await anyone.choose(QUESTION, ['cold', 'warm', 'wet'], [])),
  ];
  sessions = answers.map(({ session }) => session);
  receipts = [];
  for (const session of sessions) receipts.push(await client.receipt(session));
});
afterAll(async () => {
  await server.close();
  installed.replica.close();
});

const refusal = async (receipt: Receipt): Promise<string> => {
  try {
    await verifyReceipt(receipt, rootKey);
    return 'holds';
  } catch (error) {
    return (error as Error).message;
  }
};

it('holds with the root key alone, in JSON, and the model gives its answer again', async () => {
  for (const receipt of receipts) {
    const kept: Receipt = JSON.parse(JSON.stringify(receipt));
    const { answer, certifiedBy } = await verifyReceipt(kept, rootKey);
    expect(certifiedBy).toBeGreaterThan(0);
    expect(await answerAgain('models/little-flan', 'int8', answer!)).toMatchObject({ same: true });
  }
  const { answer } = receipts[0]!;
  const wrong = { ...answer!, token_ids: [...answer!.token_ids.slice(0, -1), 5] };
  expect(await answerAgain('models/little-flan', 'int8', wrong)).toMatchObject({ same: false });
  await expect(answerAgain('models/little-flan', 'int4', receipts[0]!.answer!)).rejects.toThrow(
    /^receipt: expected a model with the pack [0-9a-f]{64}, got models\/little-flan at int4, [0-9a-f]{64}$/,
  );
});

function isSameTree(...trees: [string, string]): boolean {
  try {
    const [a, b] = trees.map((tree) => JSON.stringify(Cbor.decode(Uint8Array.from(Buffer.from(tree, 'hex')))));
    return a === b;
  } catch {
    return false;
  }
}

describe('what is found out by name', () => {
  const fields = /^receipt: expected model, prompt, options, seed and answer with the hash [0-9a-f]{64}, got/;

  it('another model, prompt, option, seed or answer', async () => {
    const [first, drawn] = receipts as [Receipt, Receipt];
    const other = first.answer!;
    for (const changed of [
      { model: `${other.model.slice(0, -1)}${other.model.endsWith('0') ? '1' : '0'}` },
      { prompt_ids: drawn.answer!.prompt_ids },
      { prompt_ids: [...other.prompt_ids, ...other.token_ids], token_ids: [] },
      { options: other.options.replace('"maxNewTokens":128', '"maxNewTokens":127') },
      { seed: '7' },
      { token_ids: other.token_ids.slice(1) },
      { choices: '["a","b"]' },
    ])
      expect(await refusal({ ...first, answer: { ...other, ...changed } }), JSON.stringify(changed)).toMatch(fields);
    expect(await refusal({ ...drawn, answer: { ...drawn.answer!, seed: undefined } })).toMatch(fields);
    // the hash made to fit, or another receipt's place
    expect(await refusal({ ...drawn, answer: other, sha256: first.sha256 })).toMatch(/expected the tree to have/);
    expect(await refusal({ ...first, place: drawn.place })).toMatch(/expected the tree to have .* got none/);
  });

  it('an old or another tree, another canister’s certificate, another network', async () => {
    const [first, second] = receipts as [Receipt, Receipt];
    expect(await refusal({ ...first, tree: second.tree })).not.toBe('holds');
    ok(await installed.as().generate('what is 1 + 1?'));
    const later = await client.receipt(sessions[0]!);
    expect(later.sha256).toBe(first.sha256);
    expect(await refusal({ ...first, tree: later.tree })).toMatch(/^receipt: expected a tree with the certified root/);
    expect(await refusal({ ...first, certificate: later.certificate })).toMatch(
      /expected a tree with the certified root/,
    );
    expect(await refusal({ ...first, canister: 'aaaaa-aa' })).toMatch(/^receipt: expected a certificate/);
    const { canisterId } = installed.replica.createCanister({ cycles: 10n ** 13n });
    expect(await refusal({ ...first, canister: canisterId.toText() })).toMatch(/^receipt: expected a certificate/);
    await expect(
      verifyReceipt(
        first,
        rootKey.map((byte, i) => (i === 100 ? byte ^ 1 : byte)),
      ),
    ).rejects.toThrow(/^receipt:/);
  });

  it('any byte of tree and certificate, changed', async () => {
    const [first] = receipts as [Receipt];
    for (const part of ['tree', 'certificate'] as const) {
      const digits = first[part];
      // a signature takes a while to check: every 47th byte is enough
      for (let at = 0; at < digits.length / 2; at += part === 'tree' ? 5 : 47) {
        const byte = Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16) ^ 0x15;
        const changed = digits.slice(0, 2 * at) + byte.toString(16).padStart(2, '0') + digits.slice(2 * at + 2);
        // the decoder takes a length that goes past the end for what is there: the same tree
        if (part === 'tree' && isSameTree(changed, digits)) continue;
        expect(await refusal({ ...first, [part]: changed }), `${part} ${at}`).not.toBe('holds');
      }
    }
    expect(await refusal({ ...first, tree: 'xy' })).toBe('receipt: expected tree in hexadecimal, got xy');
    expect(await refusal({ ...first, certificate: 'd9d9f7' })).toMatch(/^receipt: expected a certificate/);
  }, 60_000);
});

describe('how long it is kept', () => {
  const bare = () => client.receipt(receipts[1]!.sha256);

  it('an upgrade keeps it, and what is certified beside it', async () => {
    const model = await client.certifiedModel();
    await installed.upgrade();
    expect(await client.certifiedModel()).toBe(model);
    const again = await client.receipt(sessions[1]!);
    expect(again).toMatchObject({
      sha256: receipts[1]!.sha256,
      place: receipts[1]!.place,
      answer: receipts[1]!.answer,
    });
    expect(await refusal(again)).toBe('holds');
    ok(await installed.as().generate('what is 2 + 2?'));
    expect(await refusal(await client.receipt(sessions[1]!))).toBe('holds');
  });

  it('a deleted session leaves its bare hash, as long as a setting says', async () => {
    ok(await installed.as().delete(sessions[1]!));
    await expect(client.receipt(sessions[1]!)).rejects.toThrow(/receipt: expected the id of a session/);
    const hash = await bare();
    expect(hash.answer).toBeUndefined();
    expect(await refusal(hash)).toBe('holds');
    ok(await installed.as().set_settings(change({ receipt_seconds: 0n })));
    await expect(bare()).rejects.toThrow(/receipt: expected a receipt of this canister that is not too old/);
    ok(await installed.as().set_settings(change({ receipt_seconds: 1_000_000n })));
    expect(await refusal(await bare())).toBe('holds');
    await expect(client.receipt('0'.repeat(64))).rejects.toThrow(/expected a receipt of this canister/);
  });

  it('there is none of what is not finished', async () => {
    const session = ok(await installed.as(Principal.anonymous()).start(QUESTION, options({ max_new_tokens: 4 })));
    ok(await installed.as().cancel(session));
    await expect(client.receipt(session)).rejects.toThrow(/expected a session that is finished/);
  });
});
