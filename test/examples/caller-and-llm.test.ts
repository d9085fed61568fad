/** The caller example against the real model canister, on one replica: the text that `generate` gives. */
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { expect, it } from 'vitest';
import { buildCanister } from '../../scripts/build/canister.ts';
import { packFolder } from '../../scripts/lib/model-folder.ts';
import { install, upload } from '../canister/llm.ts';

const Answer = IDL.Variant({ Ok: IDL.Text, Err: IDL.Text });
const { cases } = JSON.parse(readFileSync('models/little-flan/expected.json', 'utf8'));

it('answers through another canister what it answers an agent', async () => {
  const { replica, canisterId: llm, as } = await install();
  await upload(as(), readFileSync((await packFolder('models/little-flan', 'int8')).path));
  const { canisterId } = replica.createCanister({});
  const { gz } = await buildCanister('caller');
  await replica.installCode({
    canisterId,
    wasm: gz,
    arg: new Uint8Array(IDL.encode([IDL.Opt(IDL.Principal)], [[llm]])),
  });
  for (const { prompt, text } of cases.slice(0, 3)) {
    const arg = new Uint8Array(IDL.encode([IDL.Text], [prompt]));
    const reply = await replica.updateCall({ canisterId, method: 'ask', arg });
    expect(IDL.decode([Answer], reply as Uint8Array<ArrayBuffer>)[0]).toEqual({ Ok: text });
    const direct = await as().generate(prompt, []);
    expect('Ok' in direct && direct.Ok.text).toBe(text);
  }
  replica.close();
});
