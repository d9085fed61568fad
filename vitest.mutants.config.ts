/**
 * The tests that `npm run mutants` runs again and again: those of the mutated rooms, without the ones that take the
 * canister.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/service/**/*.test.ts', 'test/model/generation/**/*.test.ts', 'test/text/**/*.test.ts'],
    exclude: ['test/service/prices.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
