/** Polls until the predicate gives something truthy and returns it; past the deadline it throws. */
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 10;

export async function waitUntil<T>(
  predicate: () => T | Promise<T>,
  deadlineMs: number,
  what = 'the condition',
): Promise<NonNullable<T>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await predicate();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await delay(POLL_MS);
  }
}
