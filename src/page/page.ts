/** The page that the canister serves: ask, see the answer come, stop it, see what it took. */
import { GenerateError, type TextStream } from '../client/index.ts';
import { AnswerView } from './answer.ts';
import { llm } from './canister.ts';
import { showModel } from './model.ts';
import { fail } from './notice.ts';
import { Speech } from './speech.ts';

const element = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;

const form = element<HTMLFormElement>('form');
const prompt = element<HTMLTextAreaElement>('prompt');
const askButton = element<HTMLButtonElement>('ask');
const stopButton = element<HTMLButtonElement>('stop');
const speech = new Speech(element('spoken'));
/** How long the canister may be out of reach in the middle of an answer: it goes on by itself, and keeps what it wrote. */
const PATIENCE = 600_000;

/** The answer under way. */
let running: AbortController | undefined;

async function ask(question: string): Promise<void> {
  if (running) return;
  running = new AbortController();
  const { signal } = running;
  element('examples').hidden = true;
  const view = new AnswerView(element('answers'), question, () => void ask(question));
  const connection = () => {
    view.state = navigator.onLine ? '' : 'No network. The canister goes on writing; the rest comes when you are back.';
  };
  buttons();
  speech.begin();
  addEventListener('online', connection);
  addEventListener('offline', connection);
  let stream: TextStream | undefined;
  let said = '';
  try {
    stream = (await llm()).stream(question, { signal, patience: PATIENCE });
    for await (const _ of stream) {
      view.show(stream.text, stream.usage!);
      speech.hear(stream.text);
    }
    view.show(stream.text, stream.usage!);
    said = view.end(stream.finish_reason === 'length' ? 'length' : 'whole', stream.usage);
  } catch (error) {
    said = view.end(signal.aborted ? 'stopped' : 'failed', stream?.usage, signal.aborted ? '' : explain(error));
  } finally {
    removeEventListener('online', connection);
    removeEventListener('offline', connection);
    running = undefined;
    speech.end(stream?.text ?? '', said);
    buttons();
    void model();
  }
}

/**
 * One of the two buttons is there. The focus goes to it where what had it goes, and away from the text on a phone, whose keyboard would cover the answer.
 */
function buttons(): void {
  const focused = document.activeElement as HTMLElement;
  askButton.hidden = running !== undefined;
  stopButton.hidden = running === undefined;
  const covered = focused === prompt && running !== undefined && matchMedia('(pointer: coarse)').matches;
  if (covered || focused.closest('[hidden]')) (running ? stopButton : askButton).focus({ preventScroll: true });
}

function explain(error: unknown): string {
  if (error instanceof GenerateError) return error.message;
  return navigator.onLine ? `The canister could not be reached: ${(error as Error).message}` : 'There is no network.';
}

async function model(): Promise<void> {
  try {
    await showModel(await llm(), element('model'));
  } catch (error) {
    fail(explain(error));
  }
}

function stop(): void {
  running?.abort(new DOMException('stopped', 'AbortError'));
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void ask(prompt.value.trim());
});
prompt.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
addEventListener('keydown', (event) => {
  if (event.key === 'Escape') stop();
});
stopButton.addEventListener('click', stop);
element('examples').addEventListener('click', ({ target }) => {
  if (!(target instanceof HTMLButtonElement)) return;
  prompt.value = target.textContent!;
  void ask(prompt.value);
});

void model();
