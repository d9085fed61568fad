/**
 * The order of the test files: those that take longest come first, or the last of them would keep one worker busy
 * while the others have nothing left to do. The order by size, which vitest takes, knows nothing of what a test starts.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Over 25 seconds each, the longest first. */
export const LONG: readonly string[] = [
  'test/page/page.test.ts',
  'test/examples/mnist.test.ts',
  'test/docs.test.ts',
  'test/model/smollm2-choices.test.ts',
  'test/canister/completions.test.ts',
  'test/scripts/ask.test.ts',
  'test/model/smollm2.test.ts',
  'test/scripts/start.test.ts',
  'test/node/build/canister.test.ts',
  'test/scripts/local.test.ts',
  'test/node/build/two-folders.test.ts',
  'test/scripts/chat.test.ts',
  'test/tensor/network.test.ts',
  'test/canister/ic-llm.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = LONG.findIndex((file) => moduleId.endsWith(`/${file}`));
      return found < 0 ? LONG.length : found;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
