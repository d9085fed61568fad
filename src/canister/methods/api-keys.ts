/**
 * Keys by which callers of HTTP are let in, and counted each for itself. Only their SHA-256 is known. All are compared,
 * each in full, so that what it takes says nothing of them.
 */
import { fromHex } from '../../interface/hex.ts';
import { sha256 } from '../runtime/unit.ts';
import { utf8 } from '../storage/bytes.ts';
import { type ApiKey, keyAccount, settings } from '../storage/settings.ts';

/** What comes as a key is not hashed beyond this. */
const MOST_CHARACTERS = 512;

let known: { keys: readonly ApiKey[]; words: Uint32Array[] } | undefined;

function hashes(): Uint32Array[] {
  const { api_keys: keys } = settings();
  if (known?.keys !== keys) known = { keys, words: keys.map(({ sha256: hex }) => wordsOf(fromHex(hex))) };
  return known.words;
}

const wordsOf = (bytes: Uint8Array): Uint32Array => new Uint32Array(bytes.slice().buffer);

/**
 * Whose account the bearer of a key has; undefined for no key that is known.
 * @param authorization the header's value
 */
export function accountOfBearer(authorization: string | undefined): string | undefined {
  const [, key] = /^Bearer +(\S+) *$/i.exec((authorization ?? '').slice(0, MOST_CHARACTERS)) ?? [];
  if (key === undefined) return undefined;
  const given = wordsOf(sha256().digest(sha256().begin(), utf8(key)));
  let found = -1;
  hashes().forEach((words, i) => {
    let difference = 0;
    for (let at = 0; at < 8; at++) difference |= words[at]! ^ given[at]!;
    found = difference === 0 ? i : found;
  });
  const name = settings().api_keys[found]?.name;
  return name === undefined ? undefined : keyAccount(name);
}
