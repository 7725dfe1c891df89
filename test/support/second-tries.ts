/** A reporter of vitest that prints the tests that passed when they were tried again. */
import type { Reporter, TestCase } from 'vitest/node';

export default class SecondTries implements Reporter {
  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky === true) {
      process.stdout.write(`tried again: ${test.module.relativeModuleId} > ${test.fullName}\n`);
    }
  }
}
