/**
 * The page in Chromium, at the replica's gateway, which checks its certificate: drawn on with the mouse and with a
 * finger. Skipped, with a message, without Chromium.
 */
import { spawnSync } from 'node:child_process';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page, type Request } from 'playwright-core';
import { type Server, serve } from 'stepwise-replica/http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samples } from '../page/samples.ts';
import { install } from './canister.ts';

const program = ['chromium', 'chromium-browser', 'google-chrome']
  .map((name) => spawnSync('which', [name]).stdout.toString().trim())
  .find((path) => path !== '');
if (!program) console.warn('page.test.ts: skipped, as there is no Chromium');

describe.skipIf(!program)('the page', { timeout: 120_000 }, () => {
  let canister: Awaited<ReturnType<typeof install>>;
  let server: Server;
  let browser: Browser;
  let home = '';
  const errors: string[] = [];

  beforeAll(async () => {
    canister = await install();
    server = await serve(canister.replica, { port: 0 });
    home = `http://${canister.canisterId.toText()}.localhost:${server.port}/`;
    // as root, in containers, there is no sandbox to be had
    browser = await chromium.launch({ executablePath: program!, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    canister?.replica.close();
  });

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 900, height: 800 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
    page.on('pageerror', (error) => void errors.push(String(error)));
    await page.goto(home);
    return page;
  }

  const box = async (page: Page) => (await page.locator('#drawing').boundingBox())!;
  const said = (page: Page, text: string | RegExp) => page.locator('#said', { hasText: text }).waitFor();
  const shares = (page: Page) => page.locator('#bars .share').allInnerTexts();
  const violations = async (page: Page) => {
    await page.evaluate(axe.source);
    return await page.evaluate(async () => {
      const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    });
  };

  async function drawWithMouse(page: Page, digit: number): Promise<void> {
    const { x, y, width, height } = await box(page);
    for (const stroke of samples[digit]!) {
      const points = stroke.map((p) => [x + p.x * width, y + p.y * height] as const);
      await page.mouse.move(...points[0]!);
      await page.mouse.down();
      for (const point of points) await page.mouse.move(...point);
      await page.mouse.up();
    }
  }

  /** A finger, as the browser sends touches. */
  async function drawWithFinger(page: Page, digit: number): Promise<void> {
    const { x, y, width, height } = await box(page);
    const client = await page.context().newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', points: readonly { x: number; y: number }[]) =>
      client.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: points.map((p, id) => ({ x: x + p.x * width, y: y + p.y * height, id })),
      });
    for (const stroke of samples[digit]!) {
      await touch('touchStart', [stroke[0]!]);
      for (const point of stroke.slice(1)) await touch('touchMove', [point]);
      await touch('touchEnd', []);
    }
  }

  it('is certified, and asks nobody else for anything', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const asked = new Set<string>();
    page.on('request', (request) => void asked.add(new URL(request.url()).origin));
    const response = (await page.goto(home))!;
    expect(response.status()).toBe(200);
    expect(await response.headerValue('ic-certificate')).toMatch(/^certificate=:.+:, tree=:.+:, version=2/);
    await drawWithMouse(page, 7);
    await said(page, /^This is 7/);
    expect([...asked]).toEqual([new URL(home).origin]);
    const missing = await page.evaluate(async () => {
      const response = await fetch('/other');
      return [response.status, response.headers.get('ic-certificate') !== null, await response.text()];
    });
    expect(missing).toEqual([404, true, 'expected the path /\n']);
    await context.close();
  });

  it('moves the bars while one draws with a mouse, before the button is up', async () => {
    const page = await open();
    const { x, y, width, height } = await box(page);
    expect(await shares(page)).toEqual(new Array(10).fill(''));
    await page.mouse.move(x + 0.5 * width, y + 0.2 * height);
    await page.mouse.down();
    await page.mouse.move(x + 0.5 * width, y + 0.8 * height, { steps: 10 });
    await page.locator('#bars li.likeliest').waitFor();
    expect(await page.locator('#said').innerText()).toBe('');
    await page.mouse.up();
    await said(page, /^This is 1, \d+% sure\.$/);
    await page.getByRole('button', { name: 'Clear' }).click();
    expect(await shares(page)).toEqual(new Array(10).fill(''));
    for (const digit of [2, 5]) {
      await drawWithMouse(page, digit);
      await said(page, `This is ${digit}`);
      await page.getByRole('button', { name: 'Clear' }).click();
    }
    await page.context().close();
  });

  it('asks once at a time, however fast one draws', async () => {
    const page = await open();
    let [open_, most, all] = [0, 0, 0];
    page.on('request', (request) => {
      if (!request.url().endsWith('/query')) return;
      all += 1;
      open_ += 1;
      most = Math.max(most, open_);
    });
    const ended = (request: Request): void => {
      if (request.url().endsWith('/query')) open_ -= 1;
    };
    page.on('requestfinished', ended);
    page.on('requestfailed', ended);
    await drawWithMouse(page, 8);
    await said(page, /^This is 8/);
    expect(all).toBeGreaterThan(1);
    expect(most).toBe(1);
    await page.context().close();
  });

  it('is drawn on with a finger, and does not scroll under it', async () => {
    const page = await open({ viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true });
    await drawWithFinger(page, 3);
    await said(page, /^This is 3/);
    expect(await page.evaluate(() => scrollY)).toBe(0);
    // nothing is cut off at the side
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    await page.context().close();
  });

  it('is used with the keyboard alone, and asks all nodes', async () => {
    const page = await open();
    await page.getByRole('button', { name: '6', exact: true }).focus();
    await page.keyboard.press('Enter');
    await said(page, /^This is 6/);
    await page.getByRole('button', { name: 'Ask all nodes' }).focus();
    await page.keyboard.press('Enter');
    await said(page, /^All nodes agree: this is 6, \d+% sure\.$/);
    await page.context().close();
  });

  it('says so where the canister does not answer, and goes on when it does', async () => {
    const page = await open();
    await page.route('**/query', (route) => route.abort());
    await drawWithMouse(page, 4);
    await page.locator('#notice', { hasText: 'The canister does not answer' }).waitFor();
    await page.unroute('**/query');
    await page.getByRole('button', { name: 'Clear' }).click();
    await drawWithMouse(page, 4);
    await said(page, /^This is 4/);
    expect(await page.locator('#notice').innerText()).toBe('');
    await page.context().close();
    errors.splice(0);
  });

  it.each([
    { colorScheme: 'light', width: 900 },
    { colorScheme: 'dark', width: 900 },
    { colorScheme: 'light', width: 360 },
  ] as const)('has no faults that axe finds: $colorScheme, $width wide', async ({ colorScheme, width }) => {
    const page = await open({ colorScheme, viewport: { width, height: 800 } });
    expect(await violations(page)).toEqual([]);
    await drawWithMouse(page, 9);
    await said(page, /^This is 9/);
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });

  it('had nothing to complain of', () => {
    expect(errors).toEqual([]);
  });
});
