/** Days and times given as options, all in UTC. */

import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { isUnavailable } from '../words/failure.ts';
import { type Month, parseMonth } from '../words/month.ts';
import { UsageError } from './command.ts';

export const DAY_MS = 86_400_000;

const RETRY_EVERY_MS = 500;

const isDate = (text: string) => z.iso.date().safeParse(text).success;
const isTime = (text: string) => z.iso.datetime({ offset: true }).safeParse(text).success;

/** Midnight, UTC, of a day that exists, as 2026-11-01. @throws UsageError */
export function dateOption(flag: string, text: string | undefined): number {
  if (text === undefined) throw new UsageError(`${flag} is missing`);
  if (isDate(text)) return Date.parse(text);
  throw new UsageError(`${flag} must be a date as 2026-11-01, not '${text}'`);
}

/** A date, which is its midnight, UTC, or an RFC 3339 time. @throws UsageError */
export function timeOption(flag: string, text: string | undefined): number {
  if (text === undefined) throw new UsageError(`${flag} is missing`);
  if (isDate(text) || isTime(text)) return Date.parse(text);
  throw new UsageError(`${flag} must be a date or an RFC 3339 time, not '${text}'`);
}

/**
 * Parts of commands on months: the word that names a month, and the wait for open database transactions.
 * @throws UsageError where the text is no month
 */
export function monthOption(flag: string, text: string | undefined): Month {
  if (text === undefined) throw new UsageError(`${flag} is missing`);
  const month = parseMonth(text);
  if (month !== undefined) return month;
  throw new UsageError(`${flag} must be a month as 2026-03, not '${text}'`);
}

/** Tries again while an open database transaction blocks the work; the last failure is the command's. */
export async function patiently<T>(
  waitSeconds: number,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const endMs = performance.now() + waitSeconds * 1000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error) || performance.now() > endMs || signal.aborted) throw error;
      await delay(RETRY_EVERY_MS);
    }
  }
}
