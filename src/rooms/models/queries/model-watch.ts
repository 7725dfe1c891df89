/** `GET /v1/models/watch`: the latest reports of the watch over models, or those at a time. */
import { z } from 'zod';
import { type Databases, readFrom } from '../../../kit/database/replica/choose-database.ts';
import { shown, timeParameter } from '../../../kit/words/list-parameters.ts';
import { listWatchReports } from '../store/watch-reports.ts';
import type { WatchReport } from '../watch-report.ts';

export const modelWatchParameters = z.strictObject({
  at: timeParameter
    .optional()
    .meta(shown('2026-11-20T10:00:00.000Z', 'The last report up to then; default now.')),
  model: z
    .string()
    .min(1)
    .max(127)
    .optional()
    .meta({ description: '`name@version`, or `rules`; default all.' }),
});
export type ModelWatchParameters = z.output<typeof modelWatchParameters>;

export async function readModelWatch(
  databases: Databases,
  { at = databases.now(), model }: ModelWatchParameters,
): Promise<WatchReport[]> {
  const reports = await readFrom(databases, at, ({ query }) => listWatchReports(query, at));
  return model === undefined ? reports : reports.filter((report) => report.model === model);
}
