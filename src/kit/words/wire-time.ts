/** Times on the wire: RFC 3339 with a zone, read as epoch milliseconds. */
import { z } from 'zod';

/** 0001-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: between them RFC 3339 and Postgres write times alike. */
export const WRITTEN_MS_MIN = -62_135_596_800_000;
export const WRITTEN_MS_MAX = 253_402_300_799_999;

const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** The form of `dayOrTime` in the document: of a choice of two formats generators make a class that does not compile. */
export const DAY_OR_TIME =
  /^\d{4}-\d{2}-\d{2}([Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2}))?$/;
// Fractions beyond the millisecond are accepted and cut.
const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

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

/** As every answer writes a time: the text of most clients, which need not be parsed to be compared. */
const WRITTEN = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** The text that every spelling of an instant becomes, to the millisecond; any other text stays. */
export function spellInstant(text: string): string {
  const isOther = !WRITTEN.test(text) && RFC3339.test(text) && isRealTime(text);
  return isOther ? new Date(Date.parse(text)).toISOString() : text;
}

/** Refuses 30 February and hour 24, which Date would roll over, and years outside 0001 to 9999 in UTC. */
function isRealTime(text: string): boolean {
  const ms = Date.parse(text);
  const isWritten = ms >= WRITTEN_MS_MIN && ms <= WRITTEN_MS_MAX;
  if (!isWritten || text.slice(11, 13) === '24') return false;
  const days = Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0);
  return Number(text.slice(8, 10)) <= new Date(days).getUTCDate();
}
