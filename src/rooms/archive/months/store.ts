/** The rows of market.archived_months. */
import type { Query } from '../../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { type Manifest, manifestSchema } from './manifest.ts';

const MONTH_STEPS = ['export', 'verify', 'seal', 'drop', 'cold', 'ended'] as const;
export type MonthStep = (typeof MONTH_STEPS)[number];

export type ArchivedMonth = {
  readonly step: MonthStep;
  readonly location: string;
  readonly manifest: Manifest;
};

const findOpenRow = firstOf<ArchivedMonth, [month: string]>(
  'find-archived-month',
  `select step, location, manifest from market.archived_months where month = $1 and step <> 'ended'`,
);

/** The archive of a month, begun or cold. */
export async function findOpen(query: Query, month: string): Promise<ArchivedMonth | undefined> {
  const found = await findOpenRow(query, month);
  return found && { ...found, manifest: manifestSchema.parse(found.manifest) };
}

/** The newest checkpoint of the log of evidence. */
export const readCheckpoint = firstOf<{ checkpoint: string | null }>(
  'read-checkpoint',
  'select checkpoint from market.evidence_logs order by log_id desc limit 1',
);

/** Number of the next archive of a month. */
export const nextNumber = onlyOf<{ number: number }, [month: string]>(
  'number-archived-month',
  'select coalesce(max(number), 0) + 1 as number from market.archived_months where month = $1',
);

const insert = rowsOf<object, [month: string, number: number, location: string, manifest: string]>(
  'insert-archived-month',
  `insert into market.archived_months (month, number, step, location, manifest) values ($1, $2, 'export', $3, $4)`,
);

const update = rowsOf<
  object,
  [month: string, number: number, step: MonthStep, manifest: string, from: MonthStep]
>(
  'update-archived-month',
  `update market.archived_months set step = $3, manifest = $4 where month = $1 and number = $2 and step = $5 returning month`,
);

export async function insertMonth(
  query: Query,
  { location, manifest }: ArchivedMonth,
): Promise<void> {
  const { month, number } = manifest;
  await insert(query, month, number, location, JSON.stringify(manifest));
}

/**
 * Saves a step, and takes none back that another command has taken meanwhile: a month whose tables are dropped would be lost.
 * @param from the step as this command knows it @throws Failure where the archive is at another step
 */
export async function saveMonth(
  query: Query,
  { step, manifest }: ArchivedMonth,
  from: MonthStep,
): Promise<void> {
  const { month, number } = manifest;
  const saved = await update(query, month, number, step, JSON.stringify(manifest), from);
  if (saved.length > 0) return;
  const why = `another command has taken the archive ${number} of ${month} beyond its step ${from}: risk archive list shows the step`;
  throw new Failure('conflict', 'ANOTHER_COMMAND', why);
}

export const listArchived = rowsOf<{
  month: string;
  number: number;
  step: MonthStep;
  location: string;
  begun_at: string;
  rows: number;
  bytes: number;
}>(
  'list-archived-months',
  `select month, number, step, location, to_char(begun_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as begun_at,
          (select coalesce(sum((t ->> 'rows')::float8), 0) from jsonb_array_elements(manifest -> 'tables') t) as rows,
          (select coalesce(sum((p ->> 'bytes')::float8), 0)
             from jsonb_array_elements(manifest -> 'tables') t, jsonb_array_elements(t -> 'parts') p) as bytes
     from market.archived_months order by month, number`,
);
