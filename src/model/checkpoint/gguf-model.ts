// What models of all families take from a GGUF file in the same way: their name, and tensors checked by a table.
import { GGML_FORMATS } from './ggml-formats.ts';
import type { Gguf } from './gguf.ts';
import { TensorCheck } from './tensor-check.ts';

/** Characters of a model's name. */
const MAX_NAME = 200;

/** What the file calls its model; the file's own name where it does not. */
export function ggufName({ metadata, where }: Gguf): string {
  const named = metadata.get('general.name');
  const name = typeof named === 'string' && named.trim() !== '' ? named : where.replace(/\.gguf$/, '');
  return name.slice(0, MAX_NAME);
}

interface Line {
  /** The tensor's name in a GGUF file. */
  gguf: string;
  shape: readonly number[];
}

/**
 * @param spare what may be there or not @param model what errors call it
 * @throws Error that names what is missing, what is too many, and what has another shape or type
 */
export function checkGgufTensors(
  { tensors, where }: Gguf,
  table: readonly Line[],
  spare: readonly Line[],
  model: string,
): void {
  const check = new TensorCheck(Object.keys(GGML_FORMATS));
  for (const { gguf, shape } of table) {
    const info = tensors.get(gguf);
    if (info) check.found(info, shape);
    else check.missing(gguf, shape);
  }
  for (const { gguf, shape } of spare) {
    const info = tensors.get(gguf);
    if (info) check.found(info, shape);
  }
  check.finish(tensors, where, model, 'its metadata');
}
