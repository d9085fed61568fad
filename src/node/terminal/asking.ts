/** What a command asks a canister: by its chat template where the model has one, else as a plain text. */
import { Option } from 'commander';
import type { Asking, Client } from '../../client/index.ts';

export const rawOption = (): Option =>
  new Option('--raw', 'go on from the prompt as it is, though the model has a chat template');

export async function askingOf(client: Client, prompt: string, raw = false): Promise<Asking> {
  // what is wrong with the network or the canister, the question itself is told
  // the agent warns on the console, later too, of what it throws
  console.warn = () => {};
  const info = raw ? undefined : await client.modelInfo().catch(() => undefined);
  const chats = info?.chats[0];
  return chats ? [{ role: 'user', content: prompt }] : prompt;
}
