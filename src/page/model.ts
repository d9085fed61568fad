/** Which model answers, and whether the subnet certifies its hash. */
import type { Client, ModelInfo } from '../client/index.ts';
import { pair } from './answer.ts';
import { short } from './format.ts';
import { notice } from './notice.ts';

/** @returns what the canister says of it; undefined where it has none */
export async function showModel(client: Client, list: HTMLElement): Promise<ModelInfo | undefined> {
  const info = await client.modelInfo();
  notice.classList.remove('notice');
  if (!info) notice.textContent = 'There is none yet. The canister’s keeper brings one with “npm run upload”.';
  else notice.textContent = info.ready ? '' : 'Not in memory yet: the first answer takes a moment longer.';
  notice.hidden = notice.textContent === '';
  if (!info) return undefined;
  const trust = document.createElement('span');
  trust.textContent = 'checking its certificate…';
  list.replaceChildren(...rows(info), pair('Certified', trust));
  client
    .certifiedModel()
    .then((certified) =>
      certified === info.sha256
        ? 'Yes: this hash is signed by the subnet.'
        : `No: the subnet signed ${certified ?? 'that there is no model'}.`,
    )
    .catch((error) => `Not known: ${(error as Error).message}`)
    .then((text) => {
      trust.textContent = text;
    });
  return info;
}

function rows(info: ModelInfo): HTMLElement[] {
  const hash = document.createElement('code');
  hash.textContent = info.sha256;
  const layers = `${info.encoder_layers} + ${info.decoder_layers} layers`;
  return [
    pair('Name', info.name),
    pair('Weights', `${info.weights}, ${short(Number(info.bytes))} bytes`),
    pair('Shape', `${layers} of width ${info.d_model}, ${info.vocabulary_size.toLocaleString('en')} pieces`),
    pair('SHA-256', hash),
  ];
}
