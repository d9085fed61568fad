/**
 * `npx tsx bench/tokenizer/run.ts`: instructions to tokenise a prompt of 100 words in a canister; `--spiece FILE` for
 * another model's tokenizer.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IDL } from '@dfinity/candid';
import { Command } from 'commander';
import { Replica } from '../../packages/replica/src/index.ts';
import { convertTokenizer } from '../../src/model/tokenizer/files/convert.ts';
import { buildKernels } from '../../src/node/build/kernels.ts';
import { mergeKernels } from '../../src/node/build/link.ts';
import { projectRoot } from '../../src/node/build/project.ts';
import { runNode } from '../../src/node/build/run.ts';
import { runCommand, userPath } from '../../src/node/terminal/command.ts';
import { millions, setting, settingLine } from '../report.ts';
import { KINDS, textOf } from './dear-texts.ts';

/** 100 words of a prompt as people write it. */
const PROMPT = `Reason, and give the final number at the end. A farmer who lives near the river has 22 apple trees in
his garden, and every tree gave him 15 apples this autumn. He sold half of all the apples at the market on Saturday, kept 40 for his family, and gave the rest to
three of his neighbours, who shared them equally among themselves. On Sunday one of these neighbours baked two large pies, each of which took 8 apples, and put what was
left into a basket. How many apples are there in the basket of that neighbour now?`;

const blob = IDL.Vec(IDL.Nat8);
const UNBOUNDED = 2 ** 32 - 1;

async function build(): Promise<Uint8Array> {
  const root = import.meta.dirname;
  await mkdir(join(root, '.azle'), { recursive: true });
  const args = ['--import', 'tsx', join(projectRoot, 'node_modules/azle/src/build.ts'), 'build', 'tokenizer'];
  const env = { ...process.env, CANISTER_CANDID_PATH: join(root, '.azle/tokenizer.did') };
  await runNode('azle build tokenizer', args, { cwd: root, env });
  return await mergeKernels(await readFile(join(root, '.azle/tokenizer/tokenizer.wasm')), await buildKernels());
}

async function run({ spiece, dearest }: { spiece: string; dearest?: boolean }): Promise<void> {
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
  console.log(settingLine(setting()));
  const cost = async (text: string, most: number): Promise<{ tokens: bigint; instructions: bigint }> => {
    const reply = await call('encode', IDL.encode([IDL.Text, IDL.Nat32], [text, most]));
    const [[tokens, instructions]] = IDL.decode([IDL.Vec(IDL.Nat64)], reply as Uint8Array<ArrayBuffer>) as unknown as [
      [bigint, bigint],
    ];
    return { tokens: tokens!, instructions: instructions! };
  };
  await cost(PROMPT, UNBOUNDED);
  const once = await cost(PROMPT, UNBOUNDED);
  console.log(
    `${PROMPT.split(/\s+/).length} words, ${PROMPT.length} characters, ${once.tokens} tokens: ${millions(Number(once.instructions))} M instructions, pages included`,
  );
  if (!dearest) return;
  console.log(
    '| text | characters | UTF-8 bytes | tokens, no bound | M instructions | up to 512 tokens, M |\n|---|---:|---:|---:|---:|---:|',
  );
  for (const [name, part] of Object.entries({ 'the same words': PROMPT, ...KINDS })) {
    const text = textOf(part);
    const [all, bound] = [await cost(text, UNBOUNDED), await cost(text, 512)];
    const bytes = new TextEncoder().encode(text).length;
    const figures = [
      text.length,
      bytes,
      all.tokens,
      millions(Number(all.instructions)),
      millions(Number(bound.instructions)),
    ];
    console.log(`| ${name} | ${figures.join(' | ')} |`);
  }
}

await runCommand(
  new Command('npx tsx bench/tokenizer/run.ts')
    .description('What it takes to tokenise a prompt of 100 words in a canister.')
    .option('--spiece <file>', 'spiece.model or tokenizer.json', join(projectRoot, 'models/little-flan/spiece.model'))
    .option('--dearest', 'and texts of 8,192 characters of every kind that might be dear')
    .action(run),
);
