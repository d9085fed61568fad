/** What `--model` may be: a folder. The one place to teach it more. */
import { join } from 'node:path';
import { projectRoot } from '../build/project.ts';
import { userPath } from './command.ts';

const LITTLE_FLAN = join(projectRoot, 'models/little-flan');

/** What little-flan is asked where nothing else is: the question that flan-t5 was shown off with. */
export const APPLES =
  'answer the following question reasoning step by step: joe has 22 apples, he gave away half and ate 6 apples how many apples does he have';

/** The folder that a `--model` argument names. */
export const findModel = (model: string | undefined): string => (model === undefined ? LITTLE_FLAN : userPath(model));
