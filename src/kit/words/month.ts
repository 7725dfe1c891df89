/** UTC months, by which transactions, scores and labels are partitioned, and those that take no rows. */
import { Failure } from './failure.ts';

/** A UTC month as its number of months since year 0: `2026-11` is 2026 * 12 + 10. */
export type Month = number;

export function monthOf(epochMs: number): Month {
  const date = new Date(epochMs);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** First moment of a month, epoch milliseconds. */
export function monthStartMs(month: Month): number {
  return Date.UTC(Math.floor(month / 12), month % 12);
}

/** The month as commands show it: `2026-11`. */
export function monthText(month: Month): string {
  const year = String(Math.floor(month / 12)).padStart(4, '0');
  return `${year}-${String((month % 12) + 1).padStart(2, '0')}`;
}

export function parseMonth(text: string): Month | undefined {
  const [, year, month] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text) ?? [];
  return year === undefined ? undefined : Number(year) * 12 + Number(month) - 1;
}

/** Months of a request that take no rows. */
export type RefusedMonths = {
  /** Months that an operator detached, with all their rows. */
  readonly detached: ReadonlySet<Month>;
  /** All missing months, where they are more than the request may make. */
  readonly tooMany: ReadonlySet<Month>;
};

/** How many months one request may still make. */
export type NewMonths = { left: number };

export const MONTH_DETACHED = 'MONTH_DETACHED';

/** Rows of these months can neither be read nor written until an operator attaches them. */
export class MonthDetached extends Failure {
  readonly months: ReadonlySet<Month>;

  constructor(months: ReadonlySet<Month>) {
    super('permanent', MONTH_DETACHED, `${monthsAre(months)} detached`);
    this.months = months;
  }
}

/** Most months that a sentence names; a range of decades would fill a page. */
const NAMED_MONTHS_MAX = 24;

/** `2026-03 is`, or `2026-03, 2026-04 and 5 more are`. */
export function monthsAre(months: ReadonlySet<Month>): string {
  const sorted = [...months].sort((left, right) => left - right).map(monthText);
  const named = sorted.slice(0, NAMED_MONTHS_MAX).join(', ');
  const unnamed = sorted.length - NAMED_MONTHS_MAX;
  return `${named}${unnamed > 0 ? ` and ${unnamed} more` : ''} ${sorted.length === 1 ? 'is' : 'are'}`;
}
