/** Counts the rows of the tallies of days and merchants again and compares. */
import { isoTime } from '../../../core/store/partitions/month-slice.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { inSnapshot } from '../../../kit/database/snapshot.ts';
import {
  type DayRecount,
  listTalliedMonths,
  recountDays,
  recountDeadLetterDays,
  recountTotalTallies,
} from '../store/recount-days.ts';
import { listTalliedMerchants, recountTallies } from '../store/recount-tallies.ts';

/** Merchants with differing tallies that are listed; all are counted. */
const SHOWN_MAX = 10;
const PAGE_MERCHANTS = 500;

export async function verifyMerchants(query: Query, signal: AbortSignal) {
  const differing: { merchant_id: string; different: number }[] = [];
  const sum = { merchants: 0, transactions: 0, different: 0, tallies: 0, differing };
  for (let after = ''; !signal.aborted; ) {
    const page = await listTalliedMerchants(query, after, PAGE_MERCHANTS);
    for (const merchant_id of page) {
      if (signal.aborted) break;
      const { different, tallies, transactions } = await recountTallies(query, merchant_id);
      sum.merchants++;
      sum.transactions += transactions;
      sum.different += different;
      sum.tallies += tallies;
      const isShown = different > 0 && differing.length < SHOWN_MAX;
      if (isShown) differing.push({ merchant_id, different });
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_MERCHANTS) break;
    after = last;
  }
  return sum;
}

/** Reads rows and tallies in one snapshot, so that rows stored meanwhile do not matter. */
export async function verifyDays(database: Pick<Database, 'session'>, signal: AbortSignal) {
  return await inSnapshot(database, async (query) => {
    /** `days YYYY-MM`, `dead letters`, `totals`. */
    const differing: { of: string; different: number }[] = [];
    const sum = { different: 0, tallies: 0, rows: 0, differing };
    const add = (of: string, { different, tallies, rows }: DayRecount) => {
      sum.different += different;
      sum.tallies += tallies;
      sum.rows += rows;
      if (different > 0) differing.push({ of, different });
    };
    for (const month of await listTalliedMonths(query)) {
      if (signal.aborted) return sum;
      add(`days ${isoTime(month.fromMs).slice(0, 7)}`, await recountDays(query, month));
    }
    add('dead letters', await recountDeadLetterDays(query));
    add('totals', await recountTotalTallies(query));
    return sum;
  });
}
