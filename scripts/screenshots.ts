/**
 * `npm run screenshots`: pictures of the page for docs/, made anew: at a replica with little-flan, in light, dark, on a
 * phone, and where each call takes 700 ms more. Wants Chromium.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { connect } from '../src/client/index.ts';
import { projectRoot } from '../src/node/build/project.ts';
import { APPLES } from '../src/node/model/find-model.ts';
import { packFolder } from '../src/node/model/model-folder.ts';
import { uploadWithProgress } from '../src/node/model/upload-progress.ts';
import { answerFromCache } from '../src/node/network/answer-cache.ts';
import { launchBrowser } from '../src/node/network/browser.ts';
import { LocalNetwork } from '../src/node/network/local-network.ts';
import { runCommand } from '../src/node/terminal/command.ts';

const wide = { viewport: { width: 880, height: 900 } };
const phone = { viewport: { width: 375, height: 812 }, isMobile: true, hasTouch: true };
/** A name, how the browser looks, and what is done at the page before the picture is taken. */
const pictures: [string, BrowserContextOptions, (page: Page) => Promise<unknown>][] = [
  ['light', { ...wide, colorScheme: 'light' }, askTwice],
  ['dark', { ...wide, colorScheme: 'dark' }, stopHalfWay],
  ['narrow', { ...phone, colorScheme: 'light' }, loseTheNetwork],
  ['slow', { ...wide, colorScheme: 'light' }, loseTheCanister],
];
/** What it answers at some length beside the apples. */
const ANOTHER: string = JSON.parse(readFileSync(join(projectRoot, 'models/little-flan/expected.json'), 'utf8'))
  .cases.slice(1)
  .sort((a: { ids: number[] }, b: { ids: number[] }) => b.ids.length - a.ids.length)[0].prompt;

async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel('Your question').fill(question);
  await page.keyboard.press('Enter');
}
const newest = (page: Page, selector: string) => page.locator('#answers > li').first().locator(selector).first();
const tokens = (page: Page, least: number) => newest(page, `.steps i:nth-child(${least})`).waitFor();

async function askTwice(page: Page): Promise<void> {
  await ask(page, APPLES);
  await newest(page, '.whole').waitFor();
  await newest(page, '.again').click();
  await newest(page, '.whole').waitFor();
  await newest(page, '.figures button').click();
}

async function stopHalfWay(page: Page): Promise<void> {
  await ask(page, 'What is the capital of France?');
  await newest(page, '.whole').waitFor();
  await ask(page, ANOTHER);
  await tokens(page, 10);
  await page.keyboard.press('Escape');
  await newest(page, '.stopped').waitFor();
}

async function loseTheNetwork(page: Page): Promise<void> {
  await ask(page, ANOTHER);
  await tokens(page, 10);
  await page.context().setOffline(true);
  await page.getByText('No network').waitFor();
}

async function loseTheCanister(page: Page): Promise<void> {
  let cut = false;
  await page.route('**/api/**', async (route) => {
    await sleep(700);
    // the page may be closed by then
    await (cut ? route.abort() : route.continue()).catch(() => {});
  });
  await ask(page, ANOTHER);
  await tokens(page, 10);
  cut = true;
  await page.getByText('No word from the canister').waitFor();
}

async function takePictures(): Promise<void> {
  // slow enough to be stopped and cut off half-way
  const network = await LocalNetwork.start(undefined, { messagePause: 100 });
  const browser = await launchBrowser();
  try {
    const { canisterId } = await network.install('llm', { onProgress: (step) => console.log(`Building llm: ${step}`) });
    const client = await connect({ host: network.url, canisterId, identity: network.identity });
    await uploadWithProgress(client, await packFolder('models/little-flan', 'int8'));
    await answerFromCache(client);
    for (const [name, look, prepare] of pictures) {
      const page = await browser.newPage({ ...look, reducedMotion: 'reduce' });
      page.setDefaultTimeout(120_000);
      await page.goto(`http://${canisterId}.localhost:${network.server.port}/`);
      await page.getByText('signed by the subnet').waitFor();
      await prepare(page);
      const path = join(projectRoot, `docs/page-${name}.png`);
      const { width, height } = page.viewportSize()!;
      // the last rows of a window without a frame are not always painted
      await page.screenshot({ path, clip: { x: 0, y: 0, width, height: height - 10 } });
      console.log(path);
      await page.close();
    }
  } finally {
    await browser.close();
    await network.close();
  }
}

const program = new Command('npm run screenshots --')
  .description('Takes the pictures of the page anew, into docs/. Wants Chromium.')
  .action(takePictures);

await runCommand(program);
