/** The kernels for Node, from the package's file. A browser fetches `stepwise-tensor/kernels.wasm` itself. */
import { readFileSync } from 'node:fs';
import { kernelsInNode, Unit } from './index.ts';

/** The kernels' module, with all ops. */
export const kernels = (): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL('kernels.wasm', import.meta.url)));

/** A unit with a memory of its own. */
export const nodeUnit = (): Unit => new Unit(kernelsInNode(kernels()));
