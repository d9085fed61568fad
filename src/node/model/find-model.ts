/** What `--model` may be: a folder, or the id of a model on the hub, which is fetched if it is not in the cache yet. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../build/project.ts';
import { cacheFolder, fetchedModel } from '../fetch/fetch-model.ts';
import { fetchWithProgress } from '../fetch/fetch-with-progress.ts';
import { DEFAULT_ENDPOINT, isModelId } from '../fetch/hub.ts';
import { userPath } from '../terminal/command.ts';

const LITTLE_FLAN = join(projectRoot, 'models/little-flan');

/** What little-flan is asked where nothing else is: the question that flan-t5 was shown off with. */
export const APPLES =
  'answer the following question reasoning step by step: joe has 22 apples, he gave away half and ate 6 apples how many apples does he have';

/** The folder that a `--model` argument names. @throws Error where a model cannot be fetched, saying what to do */
export async function findModel(model: string | undefined): Promise<string> {
  if (model === undefined) return LITTLE_FLAN;
  const folder = userPath(model);
  // whatever is there goes before a model of that name; what is no id is a path with a slip in it
  if ((await stat(folder).catch(() => undefined)) || !isModelId(model)) return folder;
  const wanted = { id: model, revision: 'main', cache: cacheFolder() };
  const endpoint = process.env['HF_ENDPOINT'] || DEFAULT_ENDPOINT;
  const fetched = await fetchedModel(wanted);
  if (fetched) return fetched;
  try {
    return await fetchWithProgress({ ...wanted, endpoint });
  } catch (error) {
    throw new Error(`model: no folder ${folder}, so it was sought on the hub: ${(error as Error).message}`);
  }
}
