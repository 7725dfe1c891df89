/** A deadline of an answer, in a process that is late itself. */
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { settlesWithin } from '../../../../src/kit/process/settles-within.ts';

function block(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

test('an answer that arrived while the process stood still is in time', async () => {
  // A message has arrived once it is posted, whereas a file would be read by another thread, which may be late.
  const { port1: sender, port2: receiver } = new MessageChannel();
  const inTime = settlesWithin(once(receiver, 'message'), 20);
  sender.postMessage('answer');
  block(100);
  expect(await inTime).toBe(true);
  sender.close();
});

test('an answer that never comes is late', async () => {
  expect(await settlesWithin(new Promise(() => undefined), 1)).toBe(false);
});
