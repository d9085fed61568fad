/** `npx tsx bench/tokenizer/run.ts`: instructions to tokenise a prompt of 100 words in a canister; `--spiece FILE` for another model's tokenizer. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IDL } from '@dfinity/candid';
import { Command } from 'commander';
import { Replica } from '../../packages/replica/src/index.ts';
import { projectRoot } from '../../scripts/build/project.ts';
import { runNode } from '../../scripts/build/run.ts';
import { runCommand, userPath } from '../../scripts/lib/command.ts';
import { convertTokenizer } from '../../src/model/tokenizer/convert.ts';
import { withoutPages } from '../measure-unit.ts';
import { millions, setting, settingLine } from '../report.ts';

/** 100 words of a prompt as people write it. */
const PROMPT = `Reason, and give the final number at the end. A farmer who lives near the river has 22 apple trees in
his garden, and every tree gave him 15 apples this autumn. He sold half of all the apples at the market on Saturday, kept 40 for his family, and gave the rest to
three of his neighbours, who shared them equally among themselves. On Sunday one of these neighbours baked two large pies, each of which took 8 apples, and put what was
left into a basket. How many apples are there in the basket of that neighbour now?`;

const blob = IDL.Vec(IDL.Nat8);

async function build(): Promise<Uint8Array> {
  const root = import.meta.dirname;
  await mkdir(join(root, '.azle'), { recursive: true });
  const args = ['--import', 'tsx', join(projectRoot, 'node_modules/azle/src/build.ts'), 'build', 'tokenizer'];
  const env = { ...process.env, CANISTER_CANDID_PATH: join(root, '.azle/tokenizer.did') };
  await runNode('azle build tokenizer', args, { cwd: root, env });
  return await readFile(join(root, '.azle/tokenizer/tokenizer.wasm'));
}

async function run({ spiece }: { spiece: string }): Promise<void> {
  const file = userPath(spiece);
  const tables = convertTokenizer(new Uint8Array(await readFile(file)), file);
  const replica = new Replica({ autoTick: false, seed: 1 });
  const { canisterId } = replica.createCanister();
  const call = async (method: string, arg: ArrayBuffer | Uint8Array): Promise<Uint8Array> =>
    await replica.updateCall({ canisterId, method, arg: new Uint8Array(arg) });
  await replica.installCode({
    canisterId,
    wasm: await build(),
    arg: new Uint8Array(IDL.encode([], [])),
    mode: 'install',
  });
  await call('load', IDL.encode([blob], [tables]));
  const cost = async (times: number): Promise<{ tokens: number; instructions: number }> => {
    const reply = await call('encode', IDL.encode([IDL.Text, IDL.Nat32], [PROMPT, times]));
    const [tokens] = IDL.decode([IDL.Nat32], reply) as unknown as [number];
    return { tokens, instructions: withoutPages(replica.messages.at(-1)!.instructions) };
  };
  await cost(1);
  const [once, often] = [await cost(1), await cost(11)];
  console.log(`${settingLine(setting())}
${PROMPT.split(/\s+/).length} words, ${PROMPT.length} characters, ${once.tokens} tokens: ${millions((often.instructions - once.instructions) / 10)} M instructions, pages apart`);
}

await runCommand(
  new Command('npx tsx bench/tokenizer/run.ts')
    .description('What it takes to tokenise a prompt of 100 words in a canister.')
    .option('--spiece <file>', 'spiece.model or tokenizer.json', join(projectRoot, 'models/little-flan/spiece.model'))
    .action(run),
);
