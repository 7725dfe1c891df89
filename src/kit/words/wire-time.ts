/** Times on the wire: RFC 3339 with a zone, read as epoch milliseconds. */
import { z } from 'zod';

/** 0001-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: between them RFC 3339 and Postgres write times alike. */
export const WRITTEN_MS_MIN = -62_135_596_800_000;
export const WRITTEN_MS_MAX = 253_402_300_799_999;

const DAY = /^\d{4}-\d{2}-\d{2}$/;
// Fractions beyond the millisecond are accepted and cut.
const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;
/** The last day that every month has: no calendar check is needed up to it. */
const DAYS_IN_EVERY_MONTH = 28;

/** @param error says what is allowed */
const realTime = (error: string | ((issue: { readonly input?: unknown }) => string)) =>
  z
    .string({ error })
    .regex(RFC3339, { error, abort: true })
    .refine(isRealTime, 'must be a time that exists');

const PLUS_AS_SPACE = /^[^ ]+T[^ ]+ \d{2}:\d{2}$/i;

/** Accepts a day as its first instant in UTC, and gives the text of a time. Of a query, which reads a bare `+` as a space. */
export const dayOrTime = z
  .string()
  .transform((text) => (DAY.test(text) ? `${text}T00:00:00.000Z` : text))
  .pipe(
    realTime(({ input }) =>
      PLUS_AS_SPACE.test(String(input))
        ? 'must have the + of its zone encoded as %2B'
        : 'must be a day, as 2026-11-20, or an RFC 3339 time with a zone, as 2026-11-20T09:30:00.000Z',
    ),
  );

/** A time with a zone, as every time on the wire. Leap seconds and 30 February are refused. */
export const wireTime = realTime(
  'must be an RFC 3339 time with a zone, as 2026-11-20T09:30:00.000Z',
).meta({ format: 'date-time', example: '2026-11-20T09:30:00.000Z' });

/** Refuses 30 February and hour 24, which Date would roll over, and years outside 0001 to 9999 in UTC. */
function isRealTime(text: string): boolean {
  const ms = parseWireTime(text);
  const isWritten = ms >= WRITTEN_MS_MIN && ms <= WRITTEN_MS_MAX;
  if (!isWritten || digits(text, 11, 13) === 24) return false;
  const day = digits(text, 8, 10);
  if (day <= DAYS_IN_EVERY_MONTH) return true;
  const days = Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0);
  return day <= new Date(days).getUTCDate();
}

/** The usual form: `2026-11-20T09:30:00.000Z`. */
const USUAL_CHARS = 24;
const HYPHEN = 0x2d;
const POINT = 0x2e;
const COLON = 0x3a;
const T = 0x54;
const Z = 0x5a;
/** Date.UTC reads earlier years as years of the 20th century. */
const USUAL_YEAR_MIN = 100;

/** Epoch milliseconds by `Date.parse`, with a faster way for the usual form (a third of its time). */
export function parseWireTime(text: string): number {
  return parseUsual(text) ?? Date.parse(text);
}

function parseUsual(text: string): number | undefined {
  if (text.length !== USUAL_CHARS || !hasMarks(text)) return undefined;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  const hour = digits(text, 11, 13);
  const minute = digits(text, 14, 16);
  const second = digits(text, 17, 19);
  const ms = digits(text, 20, 23);
  const isDate = year >= USUAL_YEAR_MIN && month >= 1 && month <= 12 && day >= 1;
  const isUsual = isDate && day <= DAYS_IN_EVERY_MONTH && hour <= 23 && minute <= 59;
  if (!isUsual || second > 59 || Number.isNaN(hour + minute + second + ms)) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, second, ms);
}

function hasMarks(text: string): boolean {
  return (
    text.charCodeAt(4) === HYPHEN &&
    text.charCodeAt(7) === HYPHEN &&
    text.charCodeAt(10) === T &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON &&
    text.charCodeAt(19) === POINT &&
    text.charCodeAt(23) === Z
  );
}

/** NaN for text with anything but digits. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}
