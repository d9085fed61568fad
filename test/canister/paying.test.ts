/**
 * Canisters that call: cycles attached, what is taken of them and what goes back; methods that inspect_message cannot
 * keep them from.
 */
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { idlService as service } from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { change, controller, type Installed, install, ok, options, upload } from './llm.ts';
import { installPayer, type Payer } from './payer.ts';

const { prompt, text }: { prompt: string; text: string } = JSON.parse(
  readFileSync('models/little-flan/expected.json', 'utf8'),
).cases[0];

let llm: Installed;
let owner: ReturnType<Installed['as']>;
let payerId: Payer['id'];
let pay: Payer['pay'];

beforeAll(async () => {
  llm = await install();
  owner = llm.as();
  await upload(owner, readFileSync((await packFolder('models/little-flan', 'int8')).path));
  ({ id: payerId, pay } = await installPayer(llm));
});

beforeEach(async () => {
  ok(await owner.set_settings(change({ price_percent: 150, max_active: 8, tokens_per_call: 8 })));
});

type Answer = { Ok: { text: string; cycles: bigint; session: string } } | { Err: Record<string, unknown> };
const quoted = async (): Promise<bigint> => (await owner.quote(32, 512)).cycles;

describe('a canister', () => {
  it('pays what the answer took, with the percentage, and gets the rest back', async () => {
    const cycles = await quoted();
    const { refunded, result } = await pay<Answer>('generate', cycles, prompt);
    const answer = ok(result);
    expect(answer.text).toBe(text);
    expect(cycles - refunded).toBe((answer.cycles * 150n + 99n) / 100n);
    // the session has the same on record
    expect(ok(await llm.as(payerId).progress(answer.session, 0)).cycles).toBe(answer.cycles);
  });

  it('is told what is missing, and gets that back', async () => {
    const { refunded, result } = await pay<Answer>('generate', 1000n, prompt);
    expect(result).toMatchObject({ Err: { PaymentRequired: { message: expect.stringContaining('got 1000') } } });
    expect(refunded).toBe(1000n);
  });

  it('gets everything back where the generation fails', async () => {
    ok(await owner.set_settings(change({ tokens_per_call: 1 })));
    const [first] = await owner.models();
    const other = readFileSync((await packFolder('models/little-flan', 'int8')).path);
    other[100_000]! ^= 1;
    await upload(owner, other);
    const cycles = await quoted();
    const answer = pay<Answer>('generate', cycles, prompt);
    while ((await owner.status()).generating === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    ok(await owner.model_activate(first!.sha256));
    const { refunded, result } = await answer;
    expect(result).toMatchObject({ Err: { Failed: { message: 'the model was replaced' } } });
    expect(refunded).toBe(cycles);
  });

  it('pays for what was made until it cancels, and for the rest when it resumes: no answer is free', async () => {
    ok(await owner.set_settings(change({ tokens_per_call: 1 })));
    const cycles = await quoted();
    const answer = pay<Answer>('generate', cycles, prompt);
    const list = async () =>
      ok((await llm.as(payerId).list([])) as { Ok: { session: string; output_tokens: number; state: object }[] });
    let session: string | undefined;
    while (session === undefined) {
      session = (await list()).find(({ state, output_tokens }) => 'generating' in state && output_tokens > 1)?.session;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await llm.as(payerId).cancel(session);
    const { refunded, result } = await answer;
    expect(result).toMatchObject({ Err: { Cancelled: { session } } });
    expect(cycles - refunded).toBeGreaterThan(10_000_000n);
    const free = await pay<Answer>('resume', 0n, session);
    expect(free.result).toMatchObject({
      Err: { PaymentRequired: { message: expect.stringContaining('resume: expected') } },
    });
    const resumed = await pay<Answer>('resume', cycles, session);
    const { cycles: whole } = ok(resumed.result);
    const paid = cycles - refunded + (cycles - resumed.refunded);
    expect(Number(paid)).toBeGreaterThan(Number(whole) * 1.49);
    expect(Number(paid)).toBeLessThan(Number(whole) * 1.51);
  });

  it('pays for what was made where the canister is stopped, and the rest is not made for nothing', async () => {
    ok(await owner.set_settings(change({ tokens_per_call: 1 })));
    const cycles = await quoted();
    const answer = pay<Answer>('generate', cycles, prompt);
    const me = llm.as(payerId);
    const list = async () =>
      ok((await me.list([])) as { Ok: { session: string; output_tokens: number; state: object }[] });
    let session: string | undefined;
    while (session === undefined) {
      session = (await list()).find(({ state, output_tokens }) => 'generating' in state && output_tokens > 1)?.session;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await llm.replica.stopCanister({ canisterId: llm.canisterId, sender: controller });
    const { refunded, result } = await answer;
    expect(result).toMatchObject({ Err: { Failed: { session, message: expect.stringContaining('interrupted') } } });
    const paid = cycles - refunded;
    expect(paid).toBeGreaterThan(50_000_000n);
    await llm.replica.startCanister({ canisterId: llm.canisterId, sender: controller });
    llm.replica.advanceTime(120_000);
    await owner.cancel('nothing, but it wakes the canister');
    const { state, cycles: billed } = ok(await me.progress(session, 0));
    expect(state).toMatchObject({ failed: expect.stringContaining('resume it') });
    expect(paid).toBe((billed * 150n + 99n) / 100n);
    const resumed = await pay<Answer>('resume', cycles, session);
    expect(ok(resumed.result).text).toBe(text);
    expect(cycles - resumed.refunded).toBe(((ok(resumed.result).cycles - billed) * 150n + 99n) / 100n);
  });

  it('pays for the reading of a prompt that is refused after it', async () => {
    const long = 'what color is the sky? '.repeat(150);
    const { refunded, result } = await pay<Answer>('generate', 10n ** 11n, long);
    expect(result).toMatchObject({ Err: { PromptTooLong: {} } });
    expect(10n ** 11n - refunded).toBeGreaterThan(15_000_000n);
  });

  it('cannot begin what it would not pay for', async () => {
    const { result } = await pay<Answer>('start', await quoted(), prompt, []);
    expect(result).toMatchObject({
      Err: { PaymentRequired: { message: expect.stringContaining('expected a call of generate') } },
    });
  });
});

describe('generate_query', () => {
  it('is no update: it would cost 5 B cycles, past every limit', async () => {
    const { result } = await pay<Answer>('generate_query', 0n, prompt, []);
    expect(result).toEqual({
      Err: { NotAllowed: 'generate_query: expected a query call, got an update call; use generate' },
    });
    const [, type] = service._fields.find(([name]) => name === 'generate_query')!;
    const arg = new Uint8Array(IDL.encode(type.argTypes, [prompt, options({ max_new_tokens: 1 })]));
    const call = { canisterId: llm.canisterId, method: 'generate_query', arg };
    await expect(llm.replica.updateCall(call)).rejects.toThrow('expected a query call');
  });
});
