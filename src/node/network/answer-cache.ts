/**
 * Switches the canister's answer cache on. Off by default, since it tells whether something was asked before: on one's
 * own machine one knows.
 */
import type { Client } from '../../client/index.ts';
import { type SettingsChange, SettingsChange as SettingsChangeType } from '../../interface/llm.did.ts';

export async function answerFromCache({ actor }: Client): Promise<void> {
  const unset = Object.fromEntries(SettingsChangeType._fields.map(([name]) => [name, []]));
  await actor.set_settings({ ...(unset as unknown as SettingsChange), answer_cache: [true] });
}
