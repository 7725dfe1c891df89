/** Polls until the predicate gives something truthy and returns it; past the deadline it throws. */
import { setTimeout as delay } from 'node:timers/promises';

/** Pause between polls. A poll may be a query or a request; more frequent ones would slow the awaited work down. */
const POLL_MS = 20;
/** Factor on deadlines, as a busy machine may take this many times as long. */
const BUSY_FACTOR = 6;

/** @param deadlineMs deadline that is ample on an idle machine */
export async function waitUntil<T>(
  predicate: () => T | Promise<T>,
  deadlineMs: number,
  what = 'the condition',
): Promise<NonNullable<T>> {
  const end = performance.now() + BUSY_FACTOR * deadlineMs;
  for (;;) {
    const value = await predicate();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > end)
      throw new Error(`waited ${BUSY_FACTOR} x ${deadlineMs} ms for ${what}`);
    await delay(POLL_MS);
  }
}
