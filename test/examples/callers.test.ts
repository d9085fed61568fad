/**
 * Canisters that ask the model's canister, on one replica with it. The one in Rust is not built by these tests:
 * STEPWISE_RUST_CALLER names its Wasm where it was (examples/rust/README.md). The one in Motoko is compiled, by its own
 * compiler from npm, and not run: it is Wasm of 64 bits, which this replica has not.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { IDL } from '@dfinity/candid';
import type { Principal } from '@dfinity/principal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GenerateOptions, GenerateResult, Quote } from '../../examples/caller/model.ts';
import { buildCanister } from '../../src/node/build/canister.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { breaks } from '../canister/candid-file.ts';
import { change, type Installed, install, ok, upload } from '../canister/llm.ts';

const { cases } = JSON.parse(readFileSync('models/little-flan/expected.json', 'utf8'));
const did = readFileSync('src/interface/llm.did', 'utf8');
const rustWasm = process.env.STEPWISE_RUST_CALLER;

let llm: Installed;
beforeAll(async () => {
  llm = await install();
  await upload(llm.as(), readFileSync((await packFolder('models/little-flan', 'int8')).path));
});
afterAll(() => llm.replica.close());

const noArg = () => new Uint8Array(IDL.encode([], []));
const callers: [string, () => Promise<Uint8Array>][] = [
  ['caller', async () => (await buildCanister('caller')).gz],
  ...(rustWasm ? [['rust', async () => readFileSync(rustWasm)] as (typeof callers)[0]] : []),
];

describe.each(callers)('examples/%s', (_, module) => {
  const Answer = IDL.Variant({ Ok: IDL.Text, Err: IDL.Text });
  let canisterId: Principal;
  beforeAll(async () => {
    const wasm = await module();
    const arg = new Uint8Array(IDL.encode([IDL.Opt(IDL.Principal)], [[llm.canisterId]]));
    canisterId = llm.replica.createCanister({ cycles: 10n ** 13n }).canisterId;
    await llm.replica.installCode({ canisterId, wasm, arg });
    ok(await llm.as().set_settings(change({ price_percent: 0, access: { public: null }, answer_cache: false })));
  });

  async function ask(prompt: string): Promise<unknown> {
    const arg = new Uint8Array(IDL.encode([IDL.Text], [prompt]));
    const reply = await llm.replica.updateCall({ canisterId, method: 'ask', arg });
    return IDL.decode([Answer], reply as Uint8Array<ArrayBuffer>)[0];
  }

  async function spent(): Promise<bigint> {
    const reply = await llm.replica.queryCall({ canisterId, method: 'spent', arg: noArg() });
    return IDL.decode([IDL.Nat], reply as Uint8Array<ArrayBuffer>)[0] as unknown as bigint;
  }

  it('gives the text that the model canister gives', async () => {
    for (const { prompt, text } of cases.slice(0, 2)) {
      expect(await ask(prompt)).toEqual({ Ok: text });
      expect(ok(await llm.as().generate(prompt)).text).toBe(text);
    }
    expect(await spent()).toBe(0n);
  });

  it('attaches cycles where they are asked for, and keeps what comes back', async () => {
    ok(await llm.as().set_settings(change({ price_percent: 100 })));
    const quote = await llm.as().quote(40, 200);
    expect(await ask(cases[2].prompt)).toEqual({ Ok: cases[2].text });
    expect(await spent()).toBeGreaterThan(0n);
    expect(await spent()).toBeLessThan(quote.cycles);
  });

  it('says why there is no answer', async () => {
    // one example gives options, another has none to give
    expect(await ask(' ')).toEqual({
      Err: expect.stringMatching(/^generate(_with)?: expected a prompt, got no text$/),
    });
    ok(await llm.as().set_settings(change({ access: { allow_list: null } })));
    expect(await ask('hi')).toEqual({
      Err: expect.stringMatching(/^this canister may not ask: generate(_with)?: expected a caller on the allow list/),
    });
  });
});

it('examples/motoko is compiled, without a warning, against the Candid file', () => {
  const require = createRequire(import.meta.url);
  const motoko = require('motoko');
  motoko.loadPackage(require('motoko/packages/latest/core.json'));
  const id = llm.canisterId.toText();
  motoko.write(`idl/${id}.did`, did);
  motoko.setAliases('idl', { llm: id });
  motoko.write('main.mo', readFileSync('examples/motoko/main.mo', 'utf8'));
  expect(motoko.check('main.mo')).toEqual([]);
  const { wasm } = motoko.wasm('main.mo', 'ic');
  expect([...wasm.slice(0, 4)]).toEqual([0, 0x61, 0x73, 0x6d]);
  expect(motoko.candid('main.mo')).toMatch(/ask: \(prompt: text\) -> \(Result\);/);
});

it('examples/caller reads by types that the Candid file follows', () => {
  const result = GenerateResult.display();
  const seen = `service: () -> {
    generate_with: (text, ${GenerateOptions.display()}) -> (${result});
    resume: (text) -> (${result});
    quote: (nat32, nat32) -> (${Quote.display()}) query;
  }`;
  expect(breaks(seen, did)).toEqual([]);
});
