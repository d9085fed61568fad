/**
 * The page as somebody uses it: Debian's Chromium, headless, at the replica's gateway, which checks the page's certificate. Skipped, with a message, where
 * there is no Chromium.
 */
import { readFileSync } from 'node:fs';
import { Principal } from '@dfinity/principal';
import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Server, serve } from '../../packages/replica/src/http/serve.ts';
import { browserProgram, launchBrowser } from '../../scripts/lib/browser.ts';
import { packFolder } from '../../scripts/lib/model-folder.ts';
import { change, type Installed, install, listOptions, ok, sha256Of, upload } from '../canister/llm.ts';

const { cases }: { cases: { prompt: string; ids: number[]; text: string }[] } = JSON.parse(
  readFileSync('models/little-flan/expected.json', 'utf8'),
);
const [apples] = cases as [(typeof cases)[0]];
/** Others with long answers. */
const [toStop, toCut] = cases.slice(1).filter(({ ids }) => ids.length > 40) as [(typeof cases)[0], (typeof cases)[0]];

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
  const ask = async (question: string) => {
    await page.getByLabel('Your question').fill(question);
    await page.keyboard.press('Enter');
  };
  const anonymousSessions = async () => ok(await llm.as().list([listOptions({ owner: Principal.anonymous() })[0]]));

  it('is one file of less than 150 kB, as it is sent and unpacked, and asks nobody else for anything', async () => {
    const response = (await page.goto(home))!;
    expect(response.status()).toBe(200);
    expect(Number(await response.headerValue('content-length'))).toBeLessThan(150_000);
    expect((await response.body()).length).toBeLessThan(150_000);
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

  it('says so in a browser that cannot unpack its script', async () => {
    const other = await context.newPage();
    await other.addInitScript('delete globalThis.DecompressionStream');
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
    expect(seen.spoken.at(-1)).toContain('49 tokens. The prompt is 32 tokens, read and encoded.');
    for (const said of seen.spoken.slice(1, -1)) expect(said).toMatch(/[.!?]$/);
    expect(await figure('Tokens')).toBe('49');
    expect(await figure('Calls')).toBe('49');
    expect(await figure('Instructions')).toMatch(/^\d{3}\sM$/);
    expect(await figure('Cycles')).toMatch(/^\d{3}\sM$/);
  });

  it('shows the same at once when it is asked again', async () => {
    await page.getByRole('button', { name: 'Ask again' }).click();
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
    expect(await newest().innerText()).toContain('expected a prompt of at most 8 tokens, got 32');
    ok(await llm.as().set_settings(change({ max_prompt_tokens: 512 })));
    await page.getByRole('button', { name: 'Try again' }).click();
    await newest().locator('.whole').waitFor();
  });

  it.each([
    ['light', 'light', 1000],
    ['dark', 'dark', 1000],
    ['narrow', 'light', 320],
  ] as const)('has nothing for axe to find: %s', async (_, colorScheme, width) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    await page.evaluate(axe.source);
    const violations = await page.evaluate(async () => {
      const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    });
    expect(violations).toEqual([]);
    // nothing sticks out to the side
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  });

  it('has written no error to the console, and asked its own canister only', () => {
    expect(consoleErrors).toEqual([]);
    expect([...asked]).toEqual([home]);
  });
});
