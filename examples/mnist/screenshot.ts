/**
 * `npm run screenshot -- FILE…`: the page with a digit drawn by mouse, light, then dark, then narrow, one picture for
 * each file that is named. Wants Chromium.
 */
import { spawnSync } from 'node:child_process';
import { type BrowserContextOptions, chromium } from 'playwright-core';
import { serve } from 'stepwise-replica/http';
import { samples } from './page/samples.ts';
import { install } from './test/canister.ts';

const looks: { digit: number; options: BrowserContextOptions }[] = [
  { digit: 5, options: { colorScheme: 'light', viewport: { width: 860, height: 690 } } },
  { digit: 3, options: { colorScheme: 'dark', viewport: { width: 860, height: 690 } } },
  { digit: 2, options: { colorScheme: 'light', viewport: { width: 375, height: 1080 } } },
];

const { replica, canisterId } = await install();
const server = await serve(replica, { port: 0 });
const executablePath = spawnSync('which', ['chromium']).stdout.toString().trim();
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
for (const [i, path] of process.argv.slice(2).entries()) {
  const { digit, options } = looks[i % looks.length]!;
  const page = await browser.newPage(options);
  await page.goto(`http://${canisterId.toText()}.localhost:${server.port}/`);
  const { x, y, width, height } = (await page.locator('#drawing').boundingBox())!;
  for (const stroke of samples[digit]!) {
    // a hand trembles
    const points = stroke.map((p, k) => [x + (p.x + 0.006 * Math.sin(5 * k)) * width, y + p.y * height] as const);
    await page.mouse.move(...points[0]!);
    await page.mouse.down();
    for (const point of points) await page.mouse.move(...point, { steps: 4 });
    await page.mouse.up();
  }
  await page.locator('#said', { hasText: 'This is' }).waitFor();
  await page.waitForTimeout(300);
  await page.screenshot({ path });
  await page.close();
}
await browser.close();
await server.close();
replica.close();
