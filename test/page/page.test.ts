/**
 * The page as somebody uses it: Debian's Chromium, headless, at the replica's gateway, which checks the page's
 * certificate. Skipped, with a message, where there is no Chromium.
 */
import { readFileSync } from 'node:fs';
import { Principal } from '@dfinity/principal';
import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Server, serve } from '../../packages/replica/src/http/serve.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { browserProgram, launchBrowser } from '../../src/node/network/browser.ts';
import { llamaPack } from '../canister/llama-pack.ts';
import { change, type Installed, install, listOptions, ok, sha256Of, upload } from '../canister/llm.ts';

const { cases }: { cases: { prompt: string; prompt_ids: number[]; ids: number[]; text: string }[] } = JSON.parse(
  readFileSync('models/little-flan/expected.json', 'utf8'),
);
const [apples] = cases as [(typeof cases)[0]];
/** The longest answers beside it. */
const [toStop, toCut] = cases.slice(1).sort((a, b) => b.ids.length - a.ids.length) as [
  (typeof cases)[0],
  (typeof cases)[0],
];

/** For what comes sooner or later; milliseconds. */
const WAIT = 100_000;

const hasBrowser = browserProgram() !== undefined;
if (!hasBrowser) console.warn('page.test.ts: skipped, as there is no Chromium');

describe.skipIf(!hasBrowser)('the page', () => {
  let llm: Installed;
  let server: Server;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let modelHash = '';
  const consoleErrors: string[] = [];
  const asked = new Set<string>();
  let home = '';

  beforeAll(async () => {
    // an answer takes seconds on the fastest machine, in which it is watched, stopped and cut off
    llm = await install({ messagePause: 40 });
    const file = new Uint8Array(readFileSync((await packFolder('models/little-flan', 'int8')).path));
    modelHash = sha256Of(file);
    await upload(llm.as(), file);
    ok(await llm.as().set_settings(change({ answer_cache: true })));
    server = await serve(llm.replica, { port: 0 });
    home = `http://${llm.canisterId}.localhost:${server.port}`;
    browser = await launchBrowser();
    context = await browser.newContext({ viewport: { width: 1000, height: 800 } });
    page = await context.newPage();
    page.setDefaultTimeout(WAIT);
    page.on('console', (message) => void (message.type() === 'error' && consoleErrors.push(message.text())));
    page.on('pageerror', (error) => void consoleErrors.push(String(error)));
    page.on('request', (request) => void asked.add(new URL(request.url()).origin));
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    llm?.replica.close();
  });

  const newest = () => page.locator('#answers > li').first();
  const text = () => newest().locator('.text').innerText();
  const figure = (name: string) => newest().locator('.figures div', { hasText: name }).locator('dd').innerText();
  const tokensShown = (least: number) =>
    page.waitForFunction(
      (least) => document.querySelectorAll('#answers > li:first-child .steps i').length >= least,
      least,
    );
  const hint = () => page.locator('#hint').innerText();
  const answers = () => page.locator('#answers > li').count();
  const ask = async (question: string) => {
    await page.getByLabel('Your question').fill(question);
    await page.keyboard.press('Enter');
  };
  const violations = async () => {
    await page.evaluate(axe.source);
    return await page.evaluate(async () => {
      const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    });
  };
  const anonymousSessions = async () => ok(await llm.as().list([listOptions({ owner: Principal.anonymous() })[0]]));

  it('is one file of less than 75 kB as it is sent, and asks nobody else for anything', async () => {
    const response = (await page.goto(home))!;
    expect(response.status()).toBe(200);
    expect(Number(await response.headerValue('content-length'))).toBeLessThan(75_000);
    await page.getByText('signed by the subnet').waitFor();
    expect([...asked]).toEqual([home]);
  });

  it('opens where *.localhost is not known, with the canister in the query', async () => {
    const other = await context.newPage();
    other.setDefaultTimeout(WAIT);
    await other.goto(`${server.url}/?canisterId=${llm.canisterId}`);
    await other.getByText('signed by the subnet').waitFor();
    await other.close();
  });

  it('says so in a browser that cannot run its script', async () => {
    const other = await context.newPage();
    await other.addInitScript('delete globalThis.TextEncoder');
    await other.goto(home);
    await other.getByText('This page needs a newer browser').waitFor({ timeout: WAIT });
    await other.close();
  });

  it('says which model answers, by its hash', async () => {
    expect(await page.locator('#model').innerText()).toContain(modelHash);
    expect(await page.locator('#model').innerText()).toContain('little-flan');
  });

  it('shows the answer as it comes, what it took, and says whole sentences to a screen reader', async () => {
    await page.evaluate(() => {
      const seen = { text: new Set<string>(), spoken: new Set<string>() };
      Object.assign(globalThis, { seen });
      new MutationObserver(() => {
        seen.text.add(document.querySelector('#answers .text')?.textContent ?? '');
        seen.spoken.add(document.querySelector('#spoken')!.textContent!);
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
    });
    await ask(apples.prompt);
    await newest().locator('.whole').waitFor();
    expect(await text()).toBe(apples.text);
    const seen = await page.evaluate(() => {
      const { seen } = globalThis as unknown as { seen: { text: Set<string>; spoken: Set<string> } };
      return { text: [...seen.text], spoken: [...seen.spoken] };
    });
    const partial = seen.text.filter((some) => some !== '' && some !== apples.text);
    expect(partial.length).toBeGreaterThanOrEqual(3);
    for (const some of partial) expect(apples.text.startsWith(some)).toBe(true);
    expect(seen.spoken[0]).toBe('Writing.');
    expect(seen.spoken.at(-1)).toContain(
      `${apples.ids.length} tokens. The prompt is ${apples.prompt_ids.length} tokens, read and encoded.`,
    );
    for (const said of seen.spoken.slice(1, -1)) expect(said).toMatch(/[.!?]$/);
    expect(await figure('Tokens')).toBe(`${apples.ids.length}`);
    expect(await figure('Calls')).toBe(`${apples.ids.length}`);
    expect(await figure('Instructions')).toMatch(/^[\d.]+\s[MB]$/);
    expect(await figure('Cycles')).toMatch(/^[\d.]+\s[MB]$/);
    expect(await figure('Money')).toMatch(/^\$0\.00\d+$/);
  });

  it('leaves the box empty and focused after asking', async () => {
    const box = page.getByLabel('Your question');
    expect(await box.inputValue()).toBe('');
    expect(await box.evaluate((element) => element === document.activeElement)).toBe(true);
  });

  it('explains each figure at a tap', async () => {
    const names = newest().locator('.figures button');
    expect(await names.allInnerTexts()).toEqual(['Tokens', 'Calls', 'Instructions', 'Cycles', 'Money', 'Time']);
    const meaning = newest().locator('.meaning');
    expect(await meaning.isVisible()).toBe(false);
    for (const name of await names.all()) {
      await name.click();
      expect(await meaning.innerText()).toBe(`${await name.innerText()}: ${await name.getAttribute('title')}`);
    }
    await names.last().click();
    expect(await meaning.isVisible()).toBe(false);
  });

  it.each([
    ['nothing', ''],
    ['blanks', ' \n\t '],
  ])('does not send %s, and says what to do', async (_, question) => {
    const before = await answers();
    await ask(question);
    expect(await hint()).toBe('Type a question first.');
    expect(await answers()).toBe(before);
    await page.getByLabel('Your question').fill('w');
    expect(await hint()).toBe('');
    await page.getByLabel('Your question').fill('');
  });

  it('counts a prompt that may be too long while it is typed, cuts nothing and does not send it', async () => {
    const before = await answers();
    const long = 'apples '.repeat(100).trim();
    await page.getByLabel('Your question').fill(long);
    await page.getByText(/^\d+ tokens of 512 at most\.$/).waitFor();
    const longer = 'qz '.repeat(600).trim();
    await page.getByLabel('Your question').fill(longer);
    await page.getByText(/^[\d,]+ tokens of 512 at most: take out [\d,]+\.$/).waitFor();
    const most = 'x'.repeat(8_193);
    for (const text of [longer, most]) {
      // at once, before it can have been counted
      await ask(text);
      await page.getByText(/at most: take out/).waitFor();
      expect((await page.getByLabel('Your question').inputValue()).length).toBe(text.length);
    }
    expect(await hint()).toBe('8,193 characters of 8,192 at most: take out 1.');
    expect(await answers()).toBe(before);
    await page.getByLabel('Your question').fill('');
  });

  it('shows the same at once when it is asked again', async () => {
    await newest().getByRole('button', { name: 'Ask again' }).click();
    await newest().locator('.whole').waitFor();
    expect(await text()).toBe(apples.text);
    expect(await newest().innerText()).toContain('from the cache, at once');
    expect(await figure('Calls')).toBe('0');
  });

  it('stops half-way, and so does the canister', async () => {
    await ask(toStop.prompt);
    await tokensShown(4);
    await page.keyboard.press('Escape');
    await newest().locator('.stopped').waitFor();
    expect(await newest().innerText()).toMatch(/Stopped after \d+ tokens\./);
    expect(toStop.text.startsWith(await text())).toBe(true);
    expect((await text()).length).toBeLessThan(toStop.text.length);
    await expect
      .poll(async () => (await anonymousSessions())[0]?.state, { timeout: WAIT })
      .toEqual({ cancelled: null });
  });

  it('goes on after the network was away', async () => {
    expect(consoleErrors).toEqual([]);
    await ask(toCut.prompt);
    await tokensShown(4);
    await context.setOffline(true);
    const before = await text();
    expect(before.length).toBeLessThan(toCut.text.length);
    await expect
      .poll(async () => (await anonymousSessions())[0]?.state, { timeout: WAIT })
      .toEqual({ finished: { stop: null } });
    expect(await newest().innerText()).toContain('No network');
    expect((await text()).length).toBeLessThan(toCut.text.length);
    await context.setOffline(false);
    await newest().locator('.whole').waitFor();
    expect(await text()).toBe(toCut.text);
    // the polls that were lost, and nothing else
    for (const error of consoleErrors) expect(error).toContain('ERR_INTERNET_DISCONNECTED');
    consoleErrors.length = 0;
  });

  it('tells what the canister says to a question it does not take', async () => {
    ok(await llm.as().set_settings(change({ max_prompt_tokens: 8 })));
    await ask(apples.prompt);
    await newest().locator('.failed').waitFor();
    expect(await newest().innerText()).toContain('expected a prompt of at most 8 tokens, got more than 8');
    ok(await llm.as().set_settings(change({ max_prompt_tokens: 512 })));
    await newest().getByRole('button', { name: 'Try again' }).click();
    await newest().locator('.whole').waitFor();
  });

  it('keeps the examples of the pack within reach, says what the model knows, and answers each', async () => {
    const about = JSON.parse(readFileSync('models/little-flan/about.json', 'utf8'));
    const examples = page.locator('#examples');
    await page.getByText('Try one of these').click();
    expect(await page.locator('#knows').innerText()).toBe(`What this model knows: ${about.description}`);
    expect(await examples.locator('button').allInnerTexts()).toEqual(about.examples);
    for (const question of about.examples) {
      if (!(await examples.locator('button').first().isVisible())) await page.getByText('Try one of these').click();
      await examples.getByRole('button', { name: question, exact: true }).click();
      await newest().locator('.whole').waitFor();
      expect(await newest().locator('h2').innerText()).toBe(question);
      expect(await text()).not.toMatch(/no text|don't know/);
    }
    expect(await page.getByText('Try one of these').isVisible()).toBe(true);
  });

  it('has the answers still after a reload, and after Back', async () => {
    const before = await page.locator('#answers').innerText();
    await page.reload();
    await page.getByText('signed by the subnet').waitFor();
    expect(await page.locator('#answers').innerText()).toBe(before);
    await page.getByRole('link', { name: 'Status' }).click();
    await page.waitForURL('**/status');
    await page.goBack();
    await newest().waitFor();
    expect(await page.locator('#answers').innerText()).toBe(before);
  });

  it('goes on after a reload with an answer that was under way', async () => {
    ok(await llm.as().set_settings(change({ answer_cache: false })));
    await ask(toCut.prompt);
    await tokensShown(4);
    await page.reload();
    await newest().locator('.whole').waitFor();
    expect(await text()).toBe(toCut.text);
    ok(await llm.as().set_settings(change({ answer_cache: true })));
  });

  it('moves while nothing has come yet, and reads well at 700 ms a call, cut off in the middle', async () => {
    ok(await llm.as().set_settings(change({ answer_cache: false })));
    let cut = false;
    await context.route('**/api/**', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 700));
      await (cut ? route.abort() : route.continue());
    });
    await ask(toStop.prompt);
    const state = newest().locator('.state');
    await expect.poll(() => state.innerText(), { timeout: WAIT }).toMatch(/^Sending the question… \d seconds?$/);
    expect(await newest().locator('.empty').count()).toBe(1);
    expect(
      await newest()
        .locator('.steps')
        .evaluate((e) => getComputedStyle(e, '::after').animationName),
    ).toBe('pass');
    await tokensShown(1);
    expect(await newest().locator('.empty').count()).toBe(0);
    expect(toStop.text.startsWith(await text())).toBe(true);
    cut = true;
    await page.getByText(/^No word from the canister for \d+ seconds\. It goes on writing/).waitFor();
    cut = false;
    await newest().locator('.whole').waitFor();
    expect(await text()).toBe(toStop.text);
    await context.unrouteAll({ behavior: 'ignoreErrors' });
    ok(await llm.as().set_settings(change({ answer_cache: true })));
    for (const error of consoleErrors) expect(error).toContain('ERR_FAILED');
    consoleErrors.length = 0;
  });

  it.each([
    ['light', 'light', 1000],
    ['dark', 'dark', 1000],
    ['narrow', 'light', 320],
  ] as const)('has nothing for axe to find: %s', async (_, colorScheme, width) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    expect(await violations()).toEqual([]);
    // nothing sticks out to the side
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  });

  it('forgets the answers when it is told to', async () => {
    await page.getByRole('button', { name: 'Clear' }).click();
    expect(await answers()).toBe(0);
    await page.reload();
    await page.getByText('signed by the subnet').waitFor();
    expect(await answers()).toBe(0);
    expect(await page.getByRole('button', { name: 'Clear' }).isVisible()).toBe(false);
  });

  it.each([
    ['light', 'light', 1000],
    ['dark', 'dark', 320],
  ] as const)('has a status page in the same style, with a way back: %s', async (_, colorScheme, width) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const before = await paper();
    await page.getByRole('link', { name: 'Status' }).click();
    await page.getByText('The state of the canister').waitFor();
    expect(await paper()).toBe(before);
    expect(await page.locator('dl').innerText()).toContain(modelHash);
    expect(await violations()).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.getByRole('link', { name: 'Ask the model' }).click();
    await page.getByText('signed by the subnet').waitFor();
  });

  describe('where the model chats', () => {
    const TEMPLATE =
      '{% for m in messages %}<s>{{ m.role }}\n{{ m.content }}</s>\n{% endfor %}{% if add_generation_prompt %}<s>assistant\n{% endif %}';
    const turns: [string, string][] = [];
    const said = () => page.locator('#conversation p').innerText();
    /** Says something, and holds the answer against the canister's own to the whole conversation. */
    const say = async (message: string) => {
      await page.getByLabel('Your message').fill(message);
      await page.keyboard.press('Enter');
      await newest().locator('.whole, .length').waitFor();
      const messages = [...turns.flat(), message].map((content, i) => ({
        role: i % 2 ? { assistant: null } : { user: null },
        content,
      }));
      const shown = await text();
      expect(shown).toBe(ok(await llm.as().chat(messages, [])).text);
      turns.push([message, shown]);
    };

    beforeAll(async () => {
      await upload(llm.as(), await llamaPack('llama-a', 'int8', { template: TEMPLATE, maxNewTokens: 6 }));
      ok(await llm.as().set_settings(change({ max_prompt_tokens: 120 })));
      await page.goto(home);
      await page.getByLabel('Your message').waitFor();
    });

    it('is a conversation, in which the model knows what was said, after a reload too', async () => {
      expect(await page.locator('#conversation').isVisible()).toBe(false);
      await say('hi');
      expect(await said()).toBe('The model has 1 message of yours in mind, and its answers.');
      await say('and?');
      await page.reload();
      await page.getByLabel('Your message').waitFor();
      expect(await said()).toBe('The model has 2 messages of yours in mind, and its answers.');
      expect(await violations()).toEqual([]);
    });

    it.each([
      ['the button', () => page.getByRole('button', { name: 'New conversation' }).click()],
      [
        '/reset',
        async () => {
          await page.getByLabel('Your message').fill('/reset');
          await page.keyboard.press('Enter');
        },
      ],
    ])('begins a new one by %s', async (_, begin) => {
      if (turns.length === 0) await say('ho');
      const before = await answers();
      await begin();
      await page.getByText('A new conversation: the model has nothing in mind.').waitFor();
      expect(await page.locator('#conversation').isVisible()).toBe(false);
      expect(await answers()).toBe(before);
      turns.length = 0;
      await say('who?');
    });

    it('says what the canister says of one that is too long', async () => {
      await page.getByLabel('Your message').fill('0'.repeat(118));
      await page.keyboard.press('Enter');
      await newest().locator('.failed').waitFor();
      expect(await newest().innerText()).toContain('expected a prompt of at most 120 tokens');
      // which is no part of it
      expect(await said()).toBe('The model has 1 message of yours in mind, and its answers.');
    });
  });

  it('has written no error to the console, and asked its own canister only', () => {
    expect(consoleErrors).toEqual([]);
    expect([...asked]).toEqual([home]);
  });
});
