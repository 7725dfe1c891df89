/** Polls until the predicate gives something truthy and returns it; past the deadline it throws. */
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Pauses between polls: an eighth of the time waited so far, within these bounds. A poll may be a query or a request; more
 * frequent ones slow the awaited work down, and rarer ones prolong the test.
 */
const [POLL_MS_MIN, POLL_MS_MAX] = [15, 250];
/** Factor on deadlines, as a busy machine may take this many times as long. */
const BUSY_FACTOR = 6;

/** @param deadlineMs deadline that is ample on an idle machine */
export async function waitUntil<T>(
  predicate: () => T | Promise<T>,
  deadlineMs: number,
  what = 'the condition',
): Promise<NonNullable<T>> {
  const began = performance.now();
  for (;;) {
    const value = await predicate();
    if (value !== null && value !== undefined && value !== false) return value;
    const waitedMs = performance.now() - began;
    if (waitedMs > BUSY_FACTOR * deadlineMs)
      throw new Error(`waited ${BUSY_FACTOR} x ${deadlineMs} ms for ${what}`);
    await delay(Math.min(POLL_MS_MAX, Math.max(POLL_MS_MIN, waitedMs / 8)));
  }
}
