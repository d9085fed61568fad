/** What a command asks a canister: by its chat template where the model has one, else as a plain text. */
import { Option } from 'commander';
import type { Asking, Client } from '../../client/index.ts';

export const rawOption = (): Option =>
  new Option('--raw', 'go on from the prompt as it is, though the model has a chat template');

export async function askingOf(client: Client, prompt: string, raw = false): Promise<Asking> {
  const chats = !raw && (await client.modelInfo())?.chats[0];
  return chats ? [{ role: 'user', content: prompt }] : prompt;
}
