/** Reports of the watch over models: one row per run and model, kept for a while. */
import type { Query } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import type { WatchReport } from '../watch-report.ts';

const insert = rowsOf<object, [watchedAt: Date, reports: string]>(
  'insert-watch-reports',
  `insert into market.watch_reports (watched_at, model, report)
   select $1, report ->> 'model', report from jsonb_array_elements($2::jsonb) as reports(report)
   on conflict do nothing`,
);

/** Adds the reports of one run; where another worker stored them first, its rows stay. */
export const insertWatchReports = (
  query: Query,
  watchedAtMs: number,
  reports: readonly WatchReport[],
) => insert(query, new Date(watchedAtMs), JSON.stringify(reports));

const list = rowsOf<{ report: WatchReport }, [at: Date]>(
  'list-watch-reports',
  `select report from market.watch_reports
    where watched_at = (select max(watched_at) from market.watch_reports where watched_at <= $1)
    order by model`,
);

/** All reports of the last run up to a time. */
export const listWatchReports = async (query: Query, atMs: number): Promise<WatchReport[]> =>
  (await list(query, new Date(atMs))).map(({ report }) => report);
