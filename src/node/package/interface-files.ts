/**
 * What is made of src/interface/llm.did: TypeScript for canister and clients, by DFINITY's generator, and the copies
 * that examples hold.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from '@icp-sdk/bindgen/core';

/** @returns texts by file, from the project's folder. @throws Error where `did` is no Candid */
export async function interfaceFiles(did: string): Promise<Record<string, string>> {
  return { 'src/interface/llm.did.ts': await declarations(did), 'examples/motoko/llm.did': did };
}

/**
 * TypeScript for a Candid file: its types, and these and the service as values.
 * @throws Error where the text is no Candid
 */
async function declarations(did: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stepwise-candid-'));
  try {
    const didFile = join(folder, 'llm.did');
    await writeFile(didFile, did);
    const output = {
      actor: { disabled: true },
      declarations: { flat: true, typescript: true, rootExports: true },
    } as const;
    await generate({ didFile, outDir: folder, output });
    const made = await readFile(join(folder, 'llm.did.ts'), 'utf8');
    // what follows the service is the same once more, as functions of `IDL`
    const [once] = made.split('\nexport const idlInitArgs');
    // it writes for the agent's successor, which has the same types in one package
    return once!.replaceAll('@icp-sdk/core/', '@dfinity/');
  } finally {
    await rm(folder, { recursive: true });
  }
}
