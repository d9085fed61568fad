/** The names that a canister's source has for its Candid types: what `candid.ts` beside its class exports. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { IDL } from '@dfinity/candid';
import { parseType, type Type } from './did.ts';

/** @param main the file with the canister's class. @returns nothing where there is no `candid.ts` beside it */
export async function namedTypes(main: string): Promise<[string, Type][]> {
  const file = join(dirname(main), 'candid.ts');
  if (!existsSync(file)) return [];
  const exported: Record<string, unknown> = await import(pathToFileURL(file).href);
  return Object.entries(exported).flatMap(([name, value]): [string, Type][] =>
    value instanceof IDL.Type ? [[name, parseType(value.display())]] : [],
  );
}
