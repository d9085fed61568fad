/** Answers to the same prompts by every way there is. */
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { advance } from '../../src/model/generation/generation.ts';
import { openGeneration } from '../../src/model/generation/open-generation.ts';
import { type GenerationRequest, generationOptions } from '../../src/model/generation/options.ts';
import { buildCanister } from '../../src/node/build/canister.ts';
import { openLocalT5 } from '../../src/node/model/local-model.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { install, ok, options, upload } from './llm.ts';

const CallerAnswer = IDL.Variant({ Ok: IDL.Text, Err: IDL.Text });

type Same = Pick<GenerationRequest, 'do_sample' | 'temperature' | 'top_k' | 'repetition_penalty'> & { seed?: bigint };

/**
 * By generate, start and progress, generate_query, examples/caller, and by what `npm run local` does.
 * @param request how to generate, of what both Candid and the command line have by the same name; examples/caller is
 * not asked then
 */
export async function sameAnswers(
  prompts: string[],
  { request = {}, onProgress = () => {} }: { request?: Same; onProgress?: (done: number) => void } = {},
) {
  const plain = Object.keys(request).length === 0;
  const { replica, canisterId, as } = await install({ keptMessages: 10 });
  const owner = as();
  await upload(owner, readFileSync((await packFolder('models/little-flan', 'int8')).path));
  const caller = replica.createCanister({}).canisterId;
  const arg = new Uint8Array(IDL.encode([IDL.Opt(IDL.Principal)], [[canisterId]]));
  await replica.installCode({ canisterId: caller, wasm: (await buildCanister('caller')).gz, arg });
  const { t5, tokenizer, generation } = await openLocalT5('models/little-flan', 'int8');

  async function started(prompt: string): Promise<string> {
    const session = ok(await owner.start(prompt, options({ ...request, tokens_per_call: { fixed: 3 } })));
    let text = '';
    for (let from = 0; ; ) {
      const { text: more, state, output_tokens } = ok(await owner.progress(session, from));
      text += more;
      from = output_tokens;
      if ('finished' in state) return text;
      if ('failed' in state) return `failed: ${state.failed}`;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  async function asked(prompt: string): Promise<string> {
    const encoded = new Uint8Array(IDL.encode([IDL.Text], [prompt]));
    const reply = await replica.updateCall({ canisterId: caller, method: 'ask', arg: encoded });
    const [answer] = IDL.decode([CallerAnswer], reply as Uint8Array<ArrayBuffer>) as unknown as [
      { Ok: string } | { Err: string },
    ];
    return ok(answer);
  }
  function local(prompt: string): string {
    const decided = generationOptions(request, generation, t5.shape.config, () => 0n);
    const writing = openGeneration(t5, tokenizer!.encode(prompt), decided);
    while (advance(t5, writing) !== 'finished');
    const text = tokenizer!.decode(writing.tokenIds);
    writing.close();
    return text;
  }

  let same = 0;
  const texts: string[] = [];
  const different: Record<string, string>[] = [];
  for (const [i, prompt] of prompts.entries()) {
    const answers = {
      generate: ok(plain ? await owner.generate(prompt) : await owner.generate_with(prompt, options(request)[0])).text,
      started: await started(prompt),
      query: ok(await owner.generate_query(prompt, options(request))).text,
      local: local(prompt),
      ...(plain && { caller: await asked(prompt) }),
    };
    texts.push(answers.generate);
    if (new Set(Object.values(answers)).size === 1) same += 1;
    else different.push({ prompt, ...answers });
    onProgress(i + 1);
  }
  replica.close();
  return { same, different, texts };
}
