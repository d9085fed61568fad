/**
 * The page that the canister serves: ask, see the answer come, stop it, see what it took, and find it again after a
 * reload.
 */
import { AnswerView } from './answer.ts';
import { explain, follow } from './asking.ts';
import { canisterId, llm } from './canister.ts';
import { askingOf, Conversation, RESET } from './conversation.ts';
import { showModel } from './model.ts';
import { fail } from './notice.ts';
import { PromptBox } from './prompt-box.ts';
import { Speech } from './speech.ts';
import { type Kept, newId, Store } from './store.ts';

const element = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;

const form = element<HTMLFormElement>('form');
const prompt = element<HTMLTextAreaElement>('prompt');
const askButton = element<HTMLButtonElement>('ask');
const stopButton = element<HTMLButtonElement>('stop');
const examples = element<HTMLDetailsElement>('examples');
const keptRow = element('kept');
const speech = new Speech(element('spoken'));
const box = new PromptBox(prompt, element('hint'), llm);
const conversation = new Conversation(element('conversation'), form.querySelector('label')!);
/** Keyboards that cover the half of the page: the box does not call for one by itself. */
const touched = matchMedia('(pointer: coarse)').matches;

/** The answer under way. */
let running: AbortController | undefined;
let store: Store;
const views: AnswerView[] = [];

async function ask(question: string): Promise<void> {
  if (running) return box.say('One answer at a time. “Stop” ends the one under way.', true);
  examples.open = false;
  await run(add({ id: newId(), question, text: '', conversation: conversation.id }));
}

/** The oldest first. */
const kept = (): Kept[] => views.map((view) => view.kept);

function add(kept: Kept): AnswerView {
  const view = new AnswerView(element('answers'), kept, () => void ask(kept.question));
  views.push(view);
  keptRow.hidden = false;
  return view;
}

async function run(view: AnswerView): Promise<void> {
  running = new AbortController();
  buttons();
  const asking = askingOf(view.kept, kept());
  await follow({ view, asking, store, speech, signal: running.signal, client: llm });
  running = undefined;
  conversation.show(kept());
  buttons();
  void model();
}

/**
 * One of the two buttons is there. The focus stays where it is; on a phone it leaves the box, whose keyboard would
 * cover the answer.
 */
function buttons(): void {
  const focused = document.activeElement as HTMLElement;
  askButton.hidden = running !== undefined;
  stopButton.hidden = running === undefined;
  if (touched && focused === prompt && running) stopButton.focus({ preventScroll: true });
  else if (focused.closest('[hidden]'))
    (touched ? (running ? stopButton : askButton) : prompt).focus({ preventScroll: true });
}

async function model(): Promise<void> {
  try {
    const client = await llm();
    const info = await showModel(client, element('model'));
    showExamples(info?.about[0]);
    await ready;
    conversation.learn(info?.chats[0] ?? false, kept(), newId);
    await box.learn();
  } catch (error) {
    fail(explain(error));
  }
}

/** What the model knows, and questions that it answers, as its pack has them. */
function showExamples(about: { description: string; examples: string[] } | undefined): void {
  examples.hidden = !about?.examples.length;
  element('knows').textContent = about ? `What this model knows: ${about.description}` : '';
  const list = examples.querySelector('ul')!;
  if (list.childElementCount || !about) return;
  for (const text of about.examples) {
    const [item, button] = [document.createElement('li'), document.createElement('button')];
    Object.assign(button, { type: 'button', textContent: text });
    button.addEventListener('click', () => void ask(text));
    item.append(button);
    list.append(item);
  }
}

/** Puts the answers there that this browser keeps, and goes on with one that was under way. */
async function restore(): Promise<void> {
  store = new Store(await canisterId());
  const open: AnswerView[] = [];
  for (const kept of store.all()) {
    const view = add(kept);
    if (kept.ending) continue;
    if (kept.session !== undefined) open.push(view);
    else {
      view.end('failed', kept.usage, 'The page was left before the canister had the question.');
      store.put(kept);
    }
  }
  if (views.length) examples.open = false;
  void goOn(open);
}

async function goOn(open: AnswerView[]): Promise<void> {
  for (const view of open) await run(view);
}

function stop(): void {
  running?.abort(new DOMException('stopped', 'AbortError'));
}

function clear(): void {
  for (const view of views.splice(0)) {
    if (!view.kept.ending) views.push(view);
    else {
      store.remove(view.kept.id);
      view.remove();
    }
  }
  keptRow.hidden = views.length === 0;
  conversation.show(kept());
  prompt.focus();
}

/** What is said from now on is a conversation of its own. */
function beginAnew(): void {
  conversation.begin(newId(), kept());
  box.say('A new conversation: the model has nothing in mind.');
  prompt.focus();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void submit();
});

async function submit(): Promise<void> {
  if (running) return box.say('One answer at a time. “Stop” ends the one under way.', true);
  const question = await box.take();
  if (question === undefined) return;
  if (!touched) prompt.focus();
  await ready;
  // whether it is said in a conversation
  await known;
  if (question === RESET && conversation.id !== undefined) beginAnew();
  else await ask(question);
}

prompt.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
addEventListener('keydown', (event) => {
  if (event.key === 'Escape') stop();
});
stopButton.addEventListener('click', stop);
element('clear').addEventListener('click', clear);
element('conversation').querySelector('button')!.addEventListener('click', beginAnew);

// an address that names the canister does so on the other pages too
for (const link of Array.from(document.querySelectorAll<HTMLAnchorElement>('footer a'))) link.href += location.search;

const ready = restore().catch((error) => fail(explain(error)));
const known = model();

// of too-old.ts: what goes wrong from here on is not the browser's age
window.onerror = null;
