/** `npm run screenshots`: pictures of the page for docs/, made anew: at a replica with little-flan, in light, dark and on a phone. Wants Chromium. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { connect } from '../src/client/index.ts';
import { projectRoot } from './build/project.ts';
import { launchBrowser } from './lib/browser.ts';
import { APPLES } from './lib/find-model.ts';
import { LocalNetwork } from './lib/local-network.ts';
import { packFolder } from './lib/model-folder.ts';
import { uploadWithProgress } from './lib/upload-progress.ts';

const looks = {
  light: { colorScheme: 'light', viewport: { width: 880, height: 760 } },
  dark: { colorScheme: 'dark', viewport: { width: 880, height: 760 } },
  narrow: { colorScheme: 'light', viewport: { width: 375, height: 812 }, isMobile: true, hasTouch: true },
} as const;

const network = await LocalNetwork.start();
const browser = await launchBrowser();
try {
  const { canisterId } = await network.install('llm', { onProgress: (step) => console.log(`Building llm: ${step}`) });
  const client = await connect({ host: network.url, canisterId, identity: network.identity });
  await uploadWithProgress(client, await packFolder('models/little-flan', 'int8'));
  for (const [name, look] of Object.entries(looks)) {
    const page = await browser.newPage({ ...look, reducedMotion: 'reduce' });
    await page.goto(`http://${canisterId}.localhost:${network.server.port}/`);
    await page.getByText('signed by the subnet').waitFor();
    await ask(page, 'what is the capital of france?');
    await page.locator('.whole').waitFor();
    await ask(page, APPLES);
    // in the middle of the answer on a phone, at its end elsewhere
    if (name === 'narrow')
      await page.waitForFunction(() => document.querySelectorAll('li:first-child .steps i').length > 24);
    else await page.locator('li:first-child .whole').waitFor();
    const path = join(projectRoot, `docs/page-${name}.png`);
    await page.screenshot({ path });
    console.log(path);
    await page.close();
  }
} finally {
  await browser.close();
  await network.close();
}

async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel('Your question').fill(question);
  await page.keyboard.press('Enter');
}
