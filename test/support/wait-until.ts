/** Polls until the predicate gives something truthy and returns it; past the deadline it throws. */
import { setTimeout as delay } from 'node:timers/promises';
import { slowness } from './processor-time.ts';

/**
 * Pauses between polls: an eighth of the time waited so far, within these bounds. A poll may be a query or a request; more
 * frequent ones slow the awaited work down, and rarer ones prolong the test.
 */
const [POLL_MS_MIN, POLL_MS_MAX] = [15, 250];
/** Factor on deadlines, as a busy machine may take this many times as long. */
const BUSY_FACTOR = 6;
/** A slow machine has more time, up to this: the test itself times out later, and says nothing of what it waited for. */
const SLOW_MS_MAX = 240_000;

/** @param deadlineMs deadline that is ample on an idle machine */
export async function waitUntil<T>(
  predicate: () => T | Promise<T>,
  deadlineMs: number,
  what = 'the condition',
): Promise<NonNullable<T>> {
  const busyMs = BUSY_FACTOR * deadlineMs;
  let untilMs = busyMs;
  const began = performance.now();
  for (;;) {
    const value = await predicate();
    if (value !== null && value !== undefined && value !== false) return value;
    const waitedMs = performance.now() - began;
    // Measured where a wait would end, as a measurement at each poll would slow down what is awaited.
    if (waitedMs > untilMs) untilMs = Math.min(busyMs * slowness(), SLOW_MS_MAX);
    if (waitedMs > untilMs) throw new Error(`waited ${Math.round(waitedMs)} ms for ${what}`);
    await delay(Math.min(POLL_MS_MAX, Math.max(POLL_MS_MIN, waitedMs / 8)));
  }
}
