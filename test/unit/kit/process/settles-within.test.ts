/** A deadline of an answer, in a process that is late itself. */
import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { settlesWithin } from '../../../../src/kit/process/settles-within.ts';

function block(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

test('an answer that arrived while the process stood still is in time', async () => {
  const inTime = settlesWithin(stat('.'), 20);
  block(100);
  expect(await inTime).toBe(true);
});

test('an answer that never comes is late', async () => {
  expect(await settlesWithin(new Promise(() => undefined), 1)).toBe(false);
});
