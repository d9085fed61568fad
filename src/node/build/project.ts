/** What the steps of a build share: where the project is, what it holds, and how a build may be asked for. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export const projectRoot = resolve(import.meta.dirname, '../../..');

export interface BuildOptions {
  /** Folder with dfx.json, node_modules and the sources; this project's by default. */
  root?: string;
  /** Build even what is up to date. */
  force?: boolean;
  /** Told in a few words what is being done, before it is done. Not called if there is nothing to do. */
  onProgress?: (step: string) => void;
}

export interface CanisterConfig {
  /** The TypeScript file whose default export is the canister's class, from the project's root. */
  main: string;
  /** The HTML file of the page that it serves, if it does. */
  page?: string;
  /** The step of this project that finds the layout of its heap (src/native/heap/), if it has one. */
  layout?: string;
  /** Its Candid file: a source, or what the build makes of its class, in `build/`. */
  candid?: string;
}

/** The canisters of `root`/dfx.json by name. @throws Error if there is no such file */
export async function dfxCanisters(root: string): Promise<Record<string, CanisterConfig>> {
  return JSON.parse(await readFile(join(root, 'dfx.json'), 'utf8')).canisters;
}

/** The Candid file that a canister is written after, where it has one. */
export const sourceDid = (root: string, { candid }: CanisterConfig): string | undefined =>
  candid === undefined || candid.startsWith('build/') ? undefined : join(root, candid);
