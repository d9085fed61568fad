/**
 * A page of one's own that asks a model's canister. A project to copy; the client comes into it by
 *   npm install …/stepwise-client-0.1.0.tgz      (npm run packages in Stepwise makes it)
 * The canister and its network are in the address: /?canister=rwlgt-iiaaa-aaaaa-aaaaa-cai&host=http://127.0.0.1:4943
 */
import { connect, GenerateError } from 'stepwise-client';

const find = <E extends Element>(selector: string): E => document.querySelector<E>(selector)!;
const [form, input] = [find<HTMLFormElement>('form'), find<HTMLInputElement>('input')];
const [output, status] = [find<HTMLOutputElement>('output'), find<HTMLElement>('[role=status]')];
const [ask, stop] = [find<HTMLButtonElement>('button'), find<HTMLButtonElement>('#stop')];

const address = new URLSearchParams(location.search);
const host = address.get('host') ?? 'https://icp-api.io';
const canisterId = address.get('canister') ?? '';

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const stopping = new AbortController();
  stop.onclick = () => stopping.abort(new Error('stopped'));
  [ask.disabled, stop.disabled] = [true, false];
  output.value = status.textContent = '';
  try {
    const llm = await connect({ host, canisterId });
    const answer = llm.stream(input.value, { signal: stopping.signal });
    for await (const text of answer) output.value += text;
    status.textContent = `${answer.usage?.output_tokens} tokens, ${answer.usage?.cycles} cycles`;
  } catch (error) {
    status.textContent = error instanceof GenerateError ? `${error.code}: ${error.message}` : (error as Error).message;
  }
  [ask.disabled, stop.disabled] = [false, true];
});
