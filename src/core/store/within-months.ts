/**
 * Keeps statements to the months that they read. Postgres locks each month that a plan may read, with all its indexes, before it skips
 * any: a time that comes from an array or a join comes too late. So each table of months has bounds of its own, as parameters of a
 * statement that is planned for its values (market-schema.ts), or in the text of a statement whose plan is kept.
 */
import { timestampArray } from '../../kit/database/binary-array.ts';
import type { Statement } from '../../kit/database/pool.ts';
import { type Month, monthOf, monthStartMs } from '../../kit/words/month.ts';
import { DAY_MS } from '../../kit/words/range.ts';
import { WRITTEN_MS_MAX } from '../../kit/words/wire-time.ts';
import { TRANSACTION_LIMITS } from '../domain/transaction.ts';

const isoTime = (epochMs: number) => new Date(epochMs).toISOString();

export const { createdAtMsMin: FIRST_MS } = TRANSACTION_LIMITS;
/** Rows are at most a day ahead of the clock of an API; more, as clocks differ. */
export const AHEAD_MS = 2 * DAY_MS;

export type TimeValues = [times: Buffer, least: string, greatest: string];

/** Values of three parameters. A time before all months counts for none of them: an id that names no time has no row. */
export function timeValues(times: readonly number[]): TimeValues {
  const known = times.filter((ms) => ms >= FIRST_MS);
  const [least, greatest] = [Math.min(...known, WRITTEN_MS_MAX), Math.max(...known, FIRST_MS)];
  return [timestampArray(times), isoTime(least), isoTime(greatest)];
}

/** A window begins and ends with a quarter of a year, so that a connection prepares a statement for few windows. */
const WINDOW_MONTHS = 3;
/** A plan is kept for a window that ends within so long of now: each takes memory of every connection for good. */
const KEPT_MS = 730 * DAY_MS;

type Range = { readonly fromMs: number; readonly toMs: number };

/** The window of rows that were created from a time to another. It has all later rows where it ends after AHEAD_MS from now. */
export function windowOf(fromMs: number, toMs: number): Range {
  const quarterOf = (month: Month) => month - (month % WINDOW_MONTHS);
  const first = quarterOf(monthOf(Math.max(fromMs, FIRST_MS)));
  const last = quarterOf(monthOf(Math.min(toMs, Date.now() + AHEAD_MS)));
  return { fromMs: monthStartMs(first), toMs: monthStartMs(last + WINDOW_MONTHS) };
}

/** SQL that keeps a table, by its alias, to a window. */
export type Within = (alias: string) => string;

/** A statement that is prepared for each window: to plan it for its values would take Postgres 1 to 2 ms a call. */
export function ofMonths(name: string, textOf: (within: Within, from: string) => string) {
  return (times: Range): Statement => {
    const { fromMs, toMs } = windowOf(times.fromMs, times.toMs);
    const [from, to] = [`timestamptz '${isoTime(fromMs)}'`, `timestamptz '${isoTime(toMs)}'`];
    const within: Within = (alias) =>
      `${alias}.created_at >= ${from} and ${alias}.created_at < ${to}`;
    const isKept = Math.abs(Date.now() - toMs) < KEPT_MS;
    const named = { name: `${name}-${monthOf(fromMs)}-${monthOf(toMs)}`, hasMonths: true };
    return { text: textOf(within, from), ...(isKept && named) };
  };
}
