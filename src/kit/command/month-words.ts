/** Parts of commands on months: the word that names a month, and the wait for open database transactions. */
import { setTimeout as delay } from 'node:timers/promises';
import { isUnavailable } from '../words/failure.ts';
import { type Month, parseMonth } from '../words/month.ts';
import { UsageError } from './command.ts';

const RETRY_EVERY_MS = 500;

/** @throws UsageError where the text is no month */
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
