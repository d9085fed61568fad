/**
 * The last line of a test run, for whoever reads only that: `N passed, N failed`, and `, N skipped` where some were.
 */
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const count = (test: TestCase): void => {
      const { state } = test.result();
      if (state !== 'pending') counts[state] += 1;
    };
    for (const module of modules) {
      for (const test of module.children.allTests()) count(test);
      // a file that could not even be loaded has no tests to fail
      if (module.state() === 'failed' && counts.failed === 0) counts.failed += module.errors().length;
    }
    const { passed, failed, skipped } = counts;
    // after the other reporters' summaries
    setTimeout(() => console.log(`\n${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`), 0);
  }
}
