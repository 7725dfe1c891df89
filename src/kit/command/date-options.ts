/** Days and times given as options, all in UTC. */
import { z } from 'zod';
import { UsageError } from './command.ts';

export const DAY_MS = 86_400_000;

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
