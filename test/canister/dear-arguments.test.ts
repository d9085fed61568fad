/**
 * What reading and refusing arguments costs, at the most: by every method, whoever calls.
 * test/long/dear-arguments-run.ts searches longer.
 */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { beforeAll, describe, expect, it } from 'vitest';
import { idlService as service } from '../../src/interface/llm.did.ts';
import { randomFrom } from '../random.ts';
import { allowed, bombs, type Cost, dearest, fromCanister, locked, skipped } from './dear-arguments.ts';
import { llamaPack } from './llama-pack.ts';
import { change, type Installed, install, ok, options, sha256Of, stranger } from './llm.ts';

const methods = service._fields.map(([name]) => name);
const encode = (types: IDL.Type[], values: unknown[]): Uint8Array => new Uint8Array(IDL.encode(types, values));

describe('arguments from another canister', () => {
  let llm: Installed;
  let cost: Cost;
  beforeAll(async () => {
    llm = await locked();
    ({ cost } = await fromCanister(llm));
  });

  it('a search over types and values: reading or refusing n bytes takes at most 20 M and 150 a byte', async () => {
    const seed = 1;
    const random = randomFrom(seed);
    for (const method of methods) {
      const { bytes, instructions } = await dearest(method, 9, random, cost);
      expect(instructions, `${method}, seed ${seed}, ${bytes} bytes`).toBeLessThan(allowed(bytes));
    }
  });

  it('4 MiB and more are refused by their length, unread', async () => {
    const [part] = [encode([IDL.Vec(IDL.Nat8)], [new Uint8Array(2 ** 20)])];
    for (const method of methods) expect(await cost(method, part, 9), method).toBeLessThan(15e6);
  });

  it('who takes nothing reads nothing', async () => {
    const more = encode([IDL.Vec(IDL.Float32)], [Array(25_000).fill(1)]);
    for (const [method, { argTypes }] of service._fields) {
      if (argTypes.length > 0) continue;
      const [without, withMore] = [await cost(method, encode([], [])), await cost(method, more)];
      expect(withMore - without, method).toBeLessThan(100_000);
    }
  });

  it('below the floor of cycles nothing but queries that are cheap is answered, and refusing costs the least', async () => {
    ok(await llm.as().set_settings(change({ min_cycles: 9n * 10n ** 15n })));
    const text = encode([IDL.Text], ['x'.repeat(90_000)]);
    for (const method of ['generate', 'generate_with', 'start', 'resume', 'cancel', 'delete', 'list', 'http_request'])
      expect(await cost(method, text), method).toBeLessThan(12e6);
    for (const method of ['status', 'settings', 'models', 'model_info', 'upload_status', 'quote', 'model_certificate'])
      expect(await cost(method, encode([], [])), method).toBeLessThan(20e6);
    const other = llm.as(stranger);
    expect(await other.cancel('x')).toMatchObject({
      Err: { Unavailable: expect.stringContaining('cancel: expected 9') },
    });
    expect(await llm.as().cancel('x')).toMatchObject({ Err: { NoSuchSession: expect.any(String) } });
    ok(await llm.as().set_settings(change({ min_cycles: 0n })));
  });
});

describe('ingress', () => {
  it('what inspect_message refuses costs the canister nothing, and what it lets through little', async () => {
    const llm = await install();
    const { replica, canisterId } = llm;
    ok(await llm.as().set_settings(change({ access: { allow_list: null }, min_cycles: 500_000_000_000n })));
    const cycles = (): bigint => replica.canister(canisterId)!.cycles;
    const before = cycles();
    const call = (method: string, arg: Uint8Array) => replica.updateCall({ canisterId, method, arg, sender: stranger });
    for (const [, arg] of bombs) await expect(call('cancel', arg)).rejects.toThrow(/cancel: expected/);
    for (const method of ['start', 'set_settings', 'upload_chunk', 'generate_query'])
      await expect(call(method, skipped[1]!)).rejects.toThrow(`${method}: expected`);
    for (const method of ['nothing', '_azle_chunk', '_azle_heap_allocation', '<ic-cdk internal> timer_executor'])
      await expect(call(method, encode([], []))).rejects.toThrow(/expected a method of this canister|no .*method/);
    await expect(call('status', new Uint8Array(110_001))).rejects.toThrow(
      'status: expected at most 110000 bytes of arguments, got 110001',
    );
    expect(cycles()).toBe(before);
    const more = encode([IDL.Vec(IDL.Float32)], [Array(25_000).fill(1)]);
    llm.newMessages();
    await call('status', more);
    const [update] = llm.newMessages().filter(({ kind }) => kind !== 'inspectMessage');
    expect(update!.instructions.total).toBeLessThan(15e6);
  });

  it('long ones leave nothing in the heap, which would grow by them until an upgrade', async () => {
    const llm = await install();
    const canister = llm.replica.canister(llm.canisterId)!;
    const anyone = llm.as(Principal.anonymous());
    const long = 'x'.repeat(100_000);
    const ask = async (): Promise<void> => {
      await anyone.cancel(long);
      await anyone.generate_with(long, ...options({ eos_token_id: [1, 2, 3] }));
    };
    await ask();
    const before = canister.instance!.memoryBytes;
    for (let i = 0; i < 60; i++) await ask();
    expect(canister.instance!.memoryBytes - before).toBeLessThan(2 ** 21);
  });
});

it('a list of as many packs as there may be is cheap; one more is refused', async () => {
  const llm = await install({ autoTick: false });
  const owner = llm.as();
  const pack = await llamaPack('llama-a', 'int8');
  const store = async (n: number) => {
    const other = pack.slice();
    other[pack.length - 100 - n]! ^= 1;
    const started = await owner.upload_start(BigInt(other.length), sha256Of(other));
    if ('Err' in started) return started;
    ok(await owner.upload_chunk(0, other, []));
    return await owner.upload_store();
  };
  for (let n = 0; n < 24; n++) ok(await store(n));
  const expected = 'upload_start: expected at most 24 stored packs, got one more; delete a model';
  expect(await store(24)).toEqual({ Err: { NoRoom: expected } });
  expect(await owner.models()).toHaveLength(24);
  llm.newMessages();
  await llm.replica.updateCall({ canisterId: llm.canisterId, method: 'models', arg: encode([], []), sender: stranger });
  const [, message] = llm.newMessages();
  expect(message!.instructions.total).toBeLessThan(20e6);
});
