import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

/** Tests of the llm canister in this process: threads, so that they can share its code once it is compiled. */
const canister = ['test/canister/**/*.test.ts', 'test/client/**/*.test.ts', 'test/page/**/*.test.ts'];

export default defineConfig({
  test: {
    setupFiles: ['./test/seed.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/closing-line.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'canister', include: canister, pool: 'threads', globalSetup: './test/canister/shared-code.ts' },
      },
      {
        extends: true,
        test: {
          name: 'rest',
          include: ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...canister],
          pool: 'forks',
        },
      },
    ],
  },
});
