/** Chromium as it is installed on this machine, without a window; driven by Playwright. */
import { spawnSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';

/** The program's name; undefined where there is none (apt-get install chromium). */
export const browserProgram = (): string | undefined =>
  ['chromium', 'chromium-browser', 'google-chrome'].find((name) => spawnSync(name, ['--version']).status === 0);

/** @throws Error where there is no Chromium */
export async function launchBrowser(): Promise<Browser> {
  const program = browserProgram();
  if (!program) throw new Error('browser: expected chromium, got none; install it, as with apt-get install chromium');
  const executablePath = spawnSync('which', [program]).stdout.toString().trim();
  // as root, in containers, there is no sandbox to be had
  return await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
