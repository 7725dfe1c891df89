/** Rows of backtests. A run writes only while its row is open, so a cancelled one stays as it is. */
import { anyOf, firstOf, onlyOf, rowsOf, timeText } from '../../../kit/database/statement.ts';
import type { StoredBacktest } from '../backtest.ts';

const COLUMNS = `backtest_id, state, question, cursor, rows_read::float8, problem, requested_by, ${timeText('requested_at')} as requested_at,
  ${timeText('ended_at')} as ended_at, cancelled_by, report_sha256`;
const OPEN = `state in ('queued', 'running')`;

export const insertBacktest = onlyOf<
  StoredBacktest,
  [question: string, sources: string, by: string, key: string]
>(
  'insert-backtest',
  `insert into market.backtests (question, sources, requested_by, requested_by_key) values ($1, $2, $3, $4)
   returning ${COLUMNS}`,
);
/** Requests wait for each other, so that their number is exact. */
export const lockBacktests = rowsOf(
  'lock-backtests',
  'lock table market.backtests in share row exclusive mode',
);
export const countOpen = onlyOf<{ open: number }>(
  'count-open-backtests',
  `select count(*)::int as open from market.backtests where ${OPEN}`,
);
export const listBacktests = rowsOf<StoredBacktest, [rowsMax: number]>(
  'list-backtests',
  `select ${COLUMNS} from market.backtests b order by b.requested_at desc, backtest_id limit $1`,
);
export const findBacktest = firstOf<
  StoredBacktest & { readonly sources: string; readonly report: string | null },
  [id: string]
>(
  'find-backtest',
  `select ${COLUMNS}, sources, report from market.backtests where backtest_id = $1`,
);
/** Undefined where it has ended. */
export const cancelBacktest = firstOf<StoredBacktest, [id: string, by: string]>(
  'cancel-backtest',
  `update market.backtests set state = 'cancelled', ended_at = now(), cancelled_by = $2
    where backtest_id = $1 and ${OPEN} returning ${COLUMNS}`,
);
/** Goes on behind what was counted, or from the start where nothing is. Undefined where it waits, runs or is done. */
export const resumeBacktest = firstOf<StoredBacktest, [id: string]>(
  'resume-backtest',
  `update market.backtests
      set state = 'queued', ended_at = null, cancelled_by = null, problem = null,
          cursor = case when counts is not null then cursor end, rows_read = case when counts is null then 0 else rows_read end
    where backtest_id = $1 and state in ('cancelled', 'failed')
   returning ${COLUMNS}`,
);

export const hasOpen = anyOf('has-open-backtest', `from market.backtests where ${OPEN}`);
export type NextBacktest = {
  readonly id: string;
  readonly question: string;
  readonly sources: string;
  readonly cursor: string | null;
  readonly rowsRead: string;
  readonly counts: string | null;
};
/** The oldest open backtest, which may have begun. */
export const findNext = firstOf<NextBacktest>(
  'find-next-backtest',
  `select backtest_id as id, question, sources, cursor, counts, rows_read as "rowsRead" from market.backtests
    where ${OPEN} order by requested_at, backtest_id limit 1`,
);

type Kept = { readonly id: string };
/** Undefined where it was cancelled; so for the other two. */
export const storeCounts = firstOf<
  Kept,
  [id: string, cursor: string, counts: string, rows: number, days: string]
>(
  'store-backtest-counts',
  `with open as (
     update market.backtests set state = 'running', cursor = $2, counts = $3, rows_read = $4
      where backtest_id = $1 and ${OPEN} returning backtest_id),
   counted as (
     insert into market.backtest_days (backtest_id, day, counts)
     select open.backtest_id, d.day, d.counts from open, json_to_recordset($5) as d (day date, counts text)
         on conflict (backtest_id, day) do update set counts = excluded.counts)
   select backtest_id as id from open`,
);
export const endBacktest = firstOf<
  Kept,
  [id: string, rows: number, report: string, sha256: string]
>(
  'end-backtest',
  `update market.backtests set state = 'done', counts = null, rows_read = $2, report = $3, report_sha256 = $4,
     ended_at = now() where backtest_id = $1 and ${OPEN} returning backtest_id as id`,
);
const PROBLEM_CHARS_MAX = 500;
export const failBacktest = firstOf<Kept, [id: string, problem: string]>(
  'fail-backtest',
  `update market.backtests set state = 'failed', counts = null, problem = left($2, ${PROBLEM_CHARS_MAX}), ended_at = now()
    where backtest_id = $1 and ${OPEN} returning backtest_id as id`,
);
