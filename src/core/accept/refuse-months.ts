/**
 * Refuses rows whose month takes none: it is detached, or the request names more months than it may create. A
 * row whose key is held is answered by its key, whatever its month: it is not stored again.
 */
import { Failure } from '../../kit/words/failure.ts';
import {
  type Month,
  monthOf,
  monthsAre,
  monthText,
  type RefusedMonths,
} from '../../kit/words/month.ts';
import type { NewTransaction } from '../store/transactions/transactions.ts';
import type { InputError, Prepared } from './prepare-transactions.ts';

export const MONTH_PROBLEMS = ['month-detached', 'too-many-new-months'] as const;
export type MonthProblem = (typeof MONTH_PROBLEMS)[number];

/** More: one request locks tables for longer; fewer: a backfill of a year asks for `risk partitions create` first. */
export const NEW_MONTHS_PER_REQUEST_MAX = 12;

export type RefusedRow = {
  readonly problem: MonthProblem;
  readonly field: 'created_at';
  readonly detail: string;
};

/** The rows of a request that cannot be stored; nearly always none. */
export type RefusedRows = ReadonlyMap<NewTransaction, RefusedRow>;

export function refuseRows(
  rows: readonly NewTransaction[],
  { detached, tooMany }: RefusedMonths,
): RefusedRows {
  const refused = new Map<NewTransaction, RefusedRow>();
  if (detached.size === 0 && tooMany.size === 0) return refused;
  for (const row of rows) {
    const month = monthOf(row.createdAtMs);
    if (detached.has(month)) refused.set(row, inDetached(month));
    else if (tooMany.has(month)) refused.set(row, inNew(month, tooMany));
  }
  return refused;
}

function inDetached(month: Month): RefusedRow {
  const detail = `is in ${monthText(month)}, which is detached: bin/risk ${attachCommand(month)} brings it back`;
  return { problem: 'month-detached', field: 'created_at', detail };
}

function inNew(month: Month, tooMany: ReadonlySet<Month>): RefusedRow {
  const detail = `is in ${monthText(month)}, one of ${tooMany.size} new months: bin/risk ${createCommand(tooMany)} makes them ahead`;
  return { problem: 'too-many-new-months', field: 'created_at', detail };
}

/** Refuses a whole request. Thrown before anything is stored. */
export class MonthsRefused extends Failure {
  readonly problem: MonthProblem;
  readonly rows: RefusedRows;

  constructor({ detached, tooMany }: RefusedMonths, rows: RefusedRows) {
    const problem = detached.size > 0 ? 'month-detached' : 'too-many-new-months';
    super('conflict', problem, detached.size > 0 ? sayDetached(detached) : sayTooMany(tooMany));
    this.problem = problem;
    this.rows = rows;
  }

  errors({ rowOf }: Prepared): InputError[] {
    return rowOf.flatMap((row, index) => {
      const refused = this.rows.get(row);
      return refused === undefined ? [] : [{ index, field: refused.field, detail: refused.detail }];
    });
  }
}

function sayDetached(months: ReadonlySet<Month>): string {
  return `${monthsAre(months)} detached; nothing was stored. An operator brings them back: bin/risk ${attachCommand(Math.min(...months))}`;
}

function sayTooMany(months: ReadonlySet<Month>): string {
  return `${monthsAre(months)} new, and one request may make ${NEW_MONTHS_PER_REQUEST_MAX}; nothing was stored. An operator makes them ahead: bin/risk ${createCommand(months)}`;
}

function attachCommand(month: Month): string {
  return `partitions attach ${monthText(month)}`;
}

function createCommand(months: ReadonlySet<Month>): string {
  const [from, to] = [Math.min(...months), Math.max(...months)].map(monthText);
  return `partitions create --from ${from} --to ${to}`;
}
