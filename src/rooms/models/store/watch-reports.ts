/** Reports of the watch over models: one row per run and model, kept for a while. */
import type { Query, Statement } from '../../../kit/database/pool.ts';
import type { WatchReport } from '../watch-report.ts';

const insertStatement: Statement = {
  name: 'insert-watch-reports',
  text: `insert into market.watch_reports (watched_at, model, report)
         select $1, report ->> 'model', report from jsonb_array_elements($2::jsonb) as reports(report)
         on conflict do nothing`,
};

/** Adds the reports of one run; where another worker stored them first, its rows stay. */
export async function insertWatchReports(
  query: Query,
  watchedAtMs: number,
  reports: readonly WatchReport[],
): Promise<void> {
  await query(insertStatement, [new Date(watchedAtMs), JSON.stringify(reports)]);
}

const listStatement: Statement = {
  name: 'list-watch-reports',
  text: `select report from market.watch_reports
          where watched_at = (select max(watched_at) from market.watch_reports where watched_at <= $1)
          order by model`,
};

/** All reports of the last run up to a time. */
export async function listWatchReports(query: Query, atMs: number): Promise<WatchReport[]> {
  const rows = await query<{ report: WatchReport }>(listStatement, [new Date(atMs)]);
  return rows.map(({ report }) => report);
}
