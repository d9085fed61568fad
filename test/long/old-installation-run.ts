/**
 * An installation of an older module, upgraded to what is built here: its model, its half-done upload and its sessions,
 * one finished, one that waits, others in the middle of their answers.
 *   npx tsx test/long/old-installation-run.ts --wasm OLD/build/llm/llm.wasm.gz --pack OLD.pack
 * The pack is one that the older module takes, as its own `npm run upload` wrote it.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { IDL } from '@dfinity/candid';
import { program } from 'commander';
import { Replica } from '../../packages/replica/src/index.ts';
import { buildCanister } from '../../src/node/build/canister.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { actor, controller, ok, sha256Of } from '../canister/llm.ts';

program.requiredOption('--wasm <file>', 'the older module').requiredOption('--pack <file>', 'its model').parse();
const files = program.opts<{ wasm: string; pack: string }>();
const newer = (await buildCanister('llm')).gz;
const next = readFileSync((await packFolder('models/little-flan', 'int8')).path);
const { cases }: { cases: { prompt: string; text: string }[] } = JSON.parse(
  readFileSync('models/little-flan/expected.json', 'utf8'),
);

const replica = new Replica({ seed: 1, autoTick: true });
const { canisterId } = replica.createCanister({ controllers: [controller], cycles: 10n ** 15n });
await replica.installCode({ canisterId, wasm: readFileSync(files.wasm), sender: controller });
const owner = actor(replica, canisterId, controller);

/** A call of the older module: what every version has of a method's types is enough for it. */
async function old<T>(method: string, types: IDL.Type[], args: unknown[], ok: IDL.Type = IDL.Reserved): Promise<T> {
  const arg = new Uint8Array(IDL.encode(types, args));
  const reply = await replica.updateCall({ canisterId, method, sender: controller, arg });
  const [result] = IDL.decode([IDL.Variant({ Ok: ok, Err: IDL.Reserved })], reply as Uint8Array<ArrayBuffer>);
  if ('Ok' in (result as object)) return (result as { Ok: T }).Ok;
  throw new Error(`${method}: expected Ok, got Err of the older module`);
}

const ANSWER = IDL.Record({ text: IDL.Text, session: IDL.Text });
const oldGenerate = (prompt: string) =>
  old<{ text: string; session: string }>('generate', [IDL.Text], [prompt], ANSWER);

/** Begins an upload of the older module, and sends so many chunks. */
async function oldUpload(pack: Uint8Array, most = Number.POSITIVE_INFINITY): Promise<(i: number) => Uint8Array> {
  const started = await old<{ chunk_bytes: number; chunks: number }>(
    'upload_start',
    [IDL.Nat64, IDL.Text],
    [BigInt(pack.length), sha256Of(pack)],
    IDL.Record({ chunk_bytes: IDL.Nat32, chunks: IDL.Nat32 }),
  );
  const chunk = (i: number) => pack.slice(i * started.chunk_bytes, (i + 1) * started.chunk_bytes);
  for (let i = 0; i < Math.min(started.chunks, most); i++)
    await old('upload_chunk', [IDL.Nat32, IDL.Vec(IDL.Nat8)], [i, chunk(i)]);
  return chunk;
}
await oldUpload(readFileSync(files.pack));
await old('upload_commit', [], []);

/** Answers of 60 tokens, so that they are in the middle when the upgrade comes. */
const LONG = IDL.Record({ min_new_tokens: IDL.Opt(IDL.Nat32), max_new_tokens: IDL.Opt(IDL.Nat32) });
const long = { min_new_tokens: [60], max_new_tokens: [60] };

const prompts = cases.slice(0, 12).map(({ prompt }) => prompt);
const alone: { text: string; session: string }[] = [];
for (const prompt of prompts) alone.push(await oldGenerate(prompt));
const whole: string[] = [];
for (const prompt of prompts)
  whole.push((await old<{ text: string }>('generate_with', [IDL.Text, LONG], [prompt, long], ANSWER)).text);
const chunk = await oldUpload(next, 1);
/** Sent together: while a call is waited for, those before it go on. */
const sent: Uint8Array[] = [];
for (const prompt of prompts) {
  const arg = new Uint8Array(IDL.encode([IDL.Text, IDL.Opt(LONG)], [prompt, [long]]));
  sent.push(await replica.submitCall({ canisterId, method: 'start', sender: controller, arg }));
}
const begun: string[] = [];
for (const id of sent) {
  const [result] = IDL.decode(
    [IDL.Variant({ Ok: IDL.Text })],
    (await replica.awaitCall(id)) as Uint8Array<ArrayBuffer>,
  );
  begun.push((result as unknown as { Ok: string }).Ok);
}
const WRITTEN = IDL.Variant({ Ok: IDL.Record({ output_tokens: IDL.Nat32 }) });
const oldTokens = async (session: string): Promise<number> => {
  const arg = new Uint8Array(IDL.encode([IDL.Text, IDL.Nat32], [session, 0]));
  const reply = await replica.queryCall({ canisterId, method: 'progress', sender: controller, arg });
  const [result] = IDL.decode([WRITTEN], reply as Uint8Array<ArrayBuffer>);
  return (result as unknown as { Ok: { output_tokens: number } }).Ok.output_tokens;
};
while ((await oldTokens(begun[0]!)) < 8) await sleep(1);
await replica.installCode({ canisterId, wasm: newer, mode: 'upgrade', sender: controller });
const wrong: string[] = [];
const same = (what: string, got: unknown, expected: unknown): void => {
  if (JSON.stringify(got) !== JSON.stringify(expected))
    wrong.push(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
};
const states = await Promise.all(begun.map((session) => owner.progress(session, 0).then(ok)));
for (const [i, prompt] of prompts.entries()) {
  same(`a finished session, ${i}`, ok(await owner.resume(alone[i]!.session)).text, alone[i]!.text);
  same(`a session, ${i}`, ok(await owner.resume(begun[i]!)).text, whole[i]);
  same(`asked anew, ${i}`, ok(await owner.generate(prompt)).text, alone[i]!.text);
}
const status = (await owner.upload_status())[0]!;
same('the upload', [status.received, status.sha256], [1, sha256Of(next)]);
for (let i = 1; i < status.chunks; i++) ok(await owner.upload_chunk(i, chunk(i), []));
ok(await owner.upload_commit());
for (const { prompt, text } of cases.slice(0, 4)) same(prompt, ok(await owner.generate(prompt)).text, text);
console.log(
  JSON.stringify({ states: states.map(({ state, output_tokens }) => [Object.keys(state)[0], output_tokens]), wrong }),
);
process.exit(wrong.length === 0 ? 0 : 1);
