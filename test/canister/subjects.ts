/** Models that long runs put into a canister, one of each family, and what the same programs make of a prompt here. */
import { readFileSync } from 'node:fs';
import { copyTokenizer } from '../../src/model/tokenizer/pack-tokenizer.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { FixtureModel } from '../model/generation/models.ts';
import { newUnit } from '../tensor/machines.ts';
import { llamaPack, pairsTokenizer } from './llama-pack.ts';

export interface Subject {
  pack: Uint8Array;
  prompts: string[];
  /** Greedy, as many as `max` at most; spaces behind a prompt are a part of it. */
  idsOf(prompt: string, max: number): number[];
}

export const FAMILIES = ['t5', 'llama'] as const;
export type Family = (typeof FAMILIES)[number];

/** little-flan, or a random model with grouped queries and a tokenizer of bytes and pairs of letters. */
export const subjectOf = async (family: Family): Promise<Subject> =>
  family === 't5' ? await littleFlan() : await decoderOnly('llama-a');

async function littleFlan(): Promise<Subject> {
  const { cases }: { cases: { prompt: string; ids: number[] }[] } = JSON.parse(
    readFileSync('models/little-flan/expected.json', 'utf8'),
  );
  const ids = new Map(cases.map((recorded) => [recorded.prompt, recorded.ids]));
  return {
    pack: readFileSync((await packFolder('models/little-flan', 'int8')).path),
    prompts: cases.map(({ prompt }) => prompt),
    idsOf: (prompt, max) => ids.get(prompt.trimEnd())!.slice(0, max),
  };
}

async function decoderOnly(fixture: string): Promise<Subject> {
  const unit = newUnit();
  const tokenizer = copyTokenizer(pairsTokenizer(900), unit);
  const model = await FixtureModel.open(fixture, 'int8', unit);
  const known = new Map<string, number[]>();
  const idsOf = (prompt: string, max: number): number[] => {
    const key = `${max} ${prompt}`;
    const ids = known.get(key) ?? model.answer(tokenizer.encode(prompt), { max_new_tokens: max });
    known.set(key, ids);
    return ids;
  };
  const prompts = ['once upon a time', 'there was', 'a number: 4711.', 'in a land far away', 'x', 'Ünïcödé and 漢字'];
  return { pack: await llamaPack(fixture, 'int8'), prompts, idsOf };
}
