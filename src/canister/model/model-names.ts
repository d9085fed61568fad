/**
 * Names by which callers ask for a model: its own, its SHA-256, and those that the setting `model_names` maps to it.
 */

import { settings } from '../storage/settings.ts';
import type { Model } from './model.ts';

/** What stands for the active pack, and for any name. */
const ANY = '*';

const isPack = ({ head, stored }: Model, pack: string): boolean =>
  pack === ANY || pack === head.name || pack === stored.sha256;

/** Names that a model answers to, its own first; its SHA-256 is one, too, that is not listed. */
export function namesOf(model: Model): string[] {
  const others = settings().model_names.filter(({ name, pack }) => name !== ANY && isPack(model, pack));
  return [...new Set([model.head.name, ...others.map(({ name }) => name)])];
}

/** Why a model of this name cannot answer. */
export function notThisModel(method: string, wanted: string, model: Model): string | undefined {
  if (wanted === model.head.name || wanted === model.stored.sha256) return undefined;
  const names = settings().model_names;
  const entry = names.find(({ name }) => name === wanted) ?? names.find(({ name }) => name === ANY);
  if (entry && isPack(model, entry.pack)) return undefined;
  const shown = JSON.stringify(wanted.slice(0, 100));
  const known = namesOf(model).map((name) => JSON.stringify(name));
  const got = entry ? `${shown}, which stands for the pack ${JSON.stringify(entry.pack)}` : shown;
  return `${method}: expected a name of the active model, ${known.join(' or ')}, got ${got}; a controller can add names with set_settings, "model_names"`;
}
