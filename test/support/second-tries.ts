/** A reporter of vitest that prints the tests that passed when they were tried again, and why the first try failed. */
import type { Reporter, TestCase } from 'vitest/node';

export default class SecondTries implements Reporter {
  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky !== true) return;
    const [first] = test.result().errors ?? [];
    const line = first?.stacks?.[0]?.line ?? '?';
    const [message = ''] = first?.message.split('\n') ?? [];
    process.stdout.write(
      `tried again: ${test.module.relativeModuleId}:${line} > ${test.fullName}: ${message}\n`,
    );
  }
}
