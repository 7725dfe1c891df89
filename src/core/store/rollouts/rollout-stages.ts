/** The stage of what is rolled out, by the log and by how it did, and the refusal of what comes before its time. */
import type { Database, Query } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Rollout } from '../../score/rollout/holding.ts';
import {
  lookAt,
  type Progress,
  progressOf,
  type StageJson,
  stageBefore,
  stageNumbered,
} from '../../score/rollout/stages.ts';
import { listCorridors } from '../transactions/corridors.ts';
import { readCounts } from './rollout-counts.ts';
import type { StoredRollout } from './rollouts.ts';

type Queries = Pick<Database, 'query'>;

async function lookAtStage(
  { query }: Queries,
  subject: string,
  { deciding, since }: Progress,
  number: number,
) {
  const stage = stageNumbered(number);
  if (stage === undefined) return undefined;
  const start = since[number] ?? null;
  const counts =
    start === null ? [] : await readCounts(query, subject, [...deciding.keys()], start);
  return lookAt(stage, start, counts, Date.now());
}

/** Null where a subject decides nothing. */
export async function readStage(
  database: Queries,
  log: readonly StoredRollout[],
  subject: string,
): Promise<StageJson | null> {
  const progress = progressOf(log, subject, await listCorridors(database));
  const since = progress.since[progress.stage];
  if (progress.stage === 0 || since == null) return null;
  const found = await lookAtStage(database, subject, progress, progress.stage);
  return {
    stage: stageNumbered(progress.stage)?.stage ?? 'all',
    since: since.toISOString(),
    ...(found ?? { ends_at: null, gates: [], refusal: null }),
  };
}

/** @throws Failure `ROLLOUT_REFUSED` where the stage before those rows was too short, or a gate of the stage does not hold */
export async function refuseEarly(
  query: Query,
  log: readonly StoredRollout[],
  rows: readonly Rollout[],
  subject: string,
): Promise<void> {
  const progress = progressOf(log, subject, await listCorridors({ query }));
  const before = stageBefore(progress, rows, subject);
  if (before === undefined) return;
  const found = await lookAtStage({ query }, subject, progress, before);
  if (found === undefined || found.refusal === null) return;
  const why = `${found.refusal}. An override with a reason, approved by another person, goes on all the same`;
  throw new Failure('conflict', 'ROLLOUT_REFUSED', why);
}
