/** A model over several canisters: each gets its stage, and is told of the others. */
import { Principal } from '@dfinity/principal';
import { uploadCycles } from '../cost/upload-cost.ts';
import type { PackFile } from '../model/model-folder.ts';
import { stagePacks } from '../model/stage-packs.ts';
import { uploadWithProgress } from '../model/upload-progress.ts';
import { cyclesText } from '../terminal/numbers.ts';
import { megabytes } from '../terminal/terminal.ts';
import { connectTo, type NetworkOptions } from './network.ts';

/**
 * The ids of `--stages`, the first canister's first.
 * @throws Error for fewer than two, one that is none, or one that comes twice
 */
export function stageIds(text: string): string[] {
  const ids = text.split(',').map((id) => id.trim());
  if (ids.length < 2) throw new Error(`--stages: expected at least two canister ids with commas between, got ${text}`);
  for (const [i, id] of ids.entries()) {
    try {
      Principal.fromText(id);
    } catch {
      throw new Error(`--stages: expected ids like rwlgt-iiaaa-aaaaa-aaaaa-cai, got ${JSON.stringify(id)}`);
    }
    if (ids.indexOf(id) !== i) throw new Error(`--stages: expected canisters that differ, got ${id} twice`);
  }
  return ids;
}

/**
 * Uploads the stages of a model, those behind the first one first, so that it is asked when all are there. What is
 * there already is not sent again.
 * @param agrees asked before anything is sent
 */
export async function uploadStages(
  pack: PackFile,
  ids: readonly string[],
  options: NetworkOptions & { retries: number },
  agrees: () => Promise<boolean>,
): Promise<void> {
  const parts = await stagePacks(pack, ids.length);
  const clients = [];
  for (const canister of ids) clients.push((await connectTo({ ...options, canister })).client);
  for (const [i, { bytes, head }] of parts.entries()) {
    const { layers, encoderLayers } = head.stage!.parts[i]!;
    const of = [encoderLayers && `encoder layers ${textOf(encoderLayers)}`, `layers ${textOf(layers)}`];
    console.log(`stage ${i + 1}, ${ids[i]}: ${of.filter(Boolean).join(', ')}, ${megabytes(bytes)}`);
  }
  const cycles = parts.reduce((sum, { bytes }) => sum + uploadCycles(bytes), 0n);
  console.log(`For the whole upload the canisters pay ${cyclesText(cycles)} together, on 13 nodes`);
  if (!(await agrees())) return;
  for (const i of [...ids.keys()].reverse()) {
    const active = (await clients[i]!.actor.models()).find((model) => model.active);
    if (active?.sha256 === parts[i]!.sha256) console.log(`${ids[i]} has its stage already`);
    else await uploadWithProgress(clients[i]!, parts[i]!, options.retries);
  }
  const canisters = ids.map((id) => Principal.fromText(id));
  for (const i of [...ids.keys()].reverse()) {
    const result = await clients[i]!.actor.set_stages(canisters);
    if ('Err' in result) throw new Error(`${ids[i]}: ${Object.values(result.Err)[0]}`);
  }
  console.log(`${pack.head.name} answers now, at ${ids[0]}`);
}

const textOf = ({ from, to }: { from: number; to: number }): string => (to > from ? `${from + 1} to ${to}` : 'none');
