/**
 * `GET /v1/status`: where the pipeline stands. What waits is measured at each call: batches not yet
 * appended first, then the streams, so that a transaction on its way from one to the other is counted,
 * at worst, twice, never not at all. Totals of whole tables are counted at most every
 * COUNT_SHARE_MAX-th of the time; `totals_counted_at` says when. While Postgres does not answer, what was
 * last read of it is told, and that it is old.
 */
import { z } from 'zod';
import { isUnavailable } from '../domain/failure.ts';
import { breakerOf, MODEL_OUT_LEVEL, type ModelOut } from '../domain/model-out.ts';
import type { Health } from '../runtime/guards.ts';
import type * as Totals from '../store/totals.ts';
import type { StreamLag } from '../stream/lag.ts';
import type { Databases } from './choose-database.ts';

const breakersSchema = z.array(z.string()).meta({
  description:
    'Breakers of this API process that are not closed, as NAME:STATE, and in a corridor models that do not judge there in some worker, as model:CORRIDOR:MODEL:open.',
});
const degradationSchema = z.int().min(0).max(4).meta({
  description:
    'Level of this API process, of a corridor at least 1 where a model is out; 0 is full service.',
});

const corridorSchema = z.object({
  corridor: z.string(),
  lag: z.int().meta({ description: 'Appended and not yet delivered to a worker.' }),
  pending: z.int().meta({ description: 'Delivered and not yet acknowledged.' }),
  retries_due: z.int().meta({ description: 'Waiting for their next attempt.' }),
  oldest_age_seconds: z.number().meta({ description: 'Age of the oldest unacknowledged entry.' }),
  dead_letters: z.int().meta({ description: 'Neither replayed nor purged.' }),
  breakers: breakersSchema,
  degradation: degradationSchema,
});

export const statusSchema = z
  .object({
    at: z.iso.datetime(),
    postgres: z
      .enum(['up', 'down'])
      .meta({ description: 'Down: what it holds is told as it was last read.' }),
    redis: z.enum(['up', 'down']).meta({ description: 'Down: what waits in it is unknown.' }),
    corridors: z.array(corridorSchema).nullable(),
    unappended: z.int().meta({ description: 'Stored, not yet known to be in a stream.' }),
    breakers: breakersSchema,
    degradation: degradationSchema,
    totals: z.object({
      accepted: z.int(),
      scored: z.int(),
      dead_lettered: z.int(),
      pending: z.int().nullable().meta({
        description:
          'Unappended, undelivered, unacknowledged and waiting to be tried again; exact, or null.',
      }),
    }),
    totals_counted_at: z.iso
      .datetime()
      .meta({ description: 'When accepted and scored were counted.' }),
  })
  .meta({ id: 'Status' });
export type StatusJson = z.infer<typeof statusSchema>;

export type PipelineStatusDependencies = {
  readonly databases: Databases;
  readonly readFigures: ReadFigures;
  /** All streams of the market; throws `unavailable` while Redis does not answer. */
  readonly measureStreams: () => Promise<readonly StreamLag[]>;
  /** As the workers say; throws as measureStreams. */
  readonly listModelsOut: () => Promise<readonly ModelOut[]>;
  readonly health: Health;
};

export async function readPipelineStatus(
  dependencies: PipelineStatusDependencies,
): Promise<StatusJson> {
  const { databases, health } = dependencies;
  const { readFigures, measureStreams, listModelsOut } = dependencies;
  const [stored, measured] = await readFigures(() =>
    Promise.all([measureStreams(), listModelsOut()]).catch((error: unknown) => {
      if (isUnavailable(error)) return undefined;
      throw error;
    }),
  );
  const { unappended, deadLetters, accepted, scored, countedAtMs, isOld } = stored;
  const corridors = measured === undefined ? null : toCorridors(...measured, deadLetters, health);
  const waiting = corridors?.map((row) => row.lag + row.pending + row.retries_due);
  return {
    at: new Date(databases.now()).toISOString(),
    postgres: isOld ? 'down' : 'up',
    redis: measured === undefined ? 'down' : 'up',
    corridors,
    unappended,
    breakers: health.breakers(),
    degradation: health.level(),
    totals: {
      accepted,
      scored,
      dead_lettered: deadLetters.reduce((sum, row) => sum + row.transactions, 0),
      pending: isOld
        ? null
        : (waiting?.reduce((sum, entries) => sum + entries, unappended) ?? null),
    },
    totals_counted_at: new Date(countedAtMs).toISOString(),
  };
}

/** Shards of a corridor added up. */
function toCorridors(
  lags: readonly StreamLag[],
  modelsOut: readonly ModelOut[],
  deadLetters: readonly Totals.DeadLetterCount[],
  health: Health,
): z.infer<typeof corridorSchema>[] {
  const names = new Set([
    ...lags.map((lag) => lag.stream.corridor),
    ...deadLetters.map((row) => row.corridor),
  ]);
  return [...names].sort().map((corridor) => {
    const ours = lags.filter((lag) => lag.stream.corridor === corridor);
    const sum = (value: (lag: StreamLag) => number) =>
      ours.reduce((total, lag) => total + value(lag), 0);
    const out = modelsOut.filter((one) => one.corridor === corridor);
    return {
      corridor,
      lag: sum((lag) => lag.lag),
      pending: sum((lag) => lag.pending),
      retries_due: sum((lag) => lag.retriesWaiting),
      oldest_age_seconds: Math.max(0, ...ours.map((lag) => lag.oldestAgeMs)) / 1000,
      dead_letters: deadLetters.find((row) => row.corridor === corridor)?.active ?? 0,
      breakers: [...health.breakersOf(corridor), ...out.map((one) => `${breakerOf(one)}:open`)],
      degradation: Math.max(health.levelOf(corridor), out.length > 0 ? MODEL_OUT_LEVEL : 0),
    };
  });
}

/** What Postgres holds. */
export type StoredFigures = TableTotals & {
  readonly unappended: number;
  readonly deadLetters: readonly Totals.DeadLetterCount[];
  /** True when Postgres did not answer: all of it is from the last time it did. */
  readonly isOld: boolean;
};

export type ReadFiguresDependencies = TotalsDependencies & {
  readonly countUnappended: typeof Totals.countUnappended;
  readonly countDeadLetters: typeof Totals.countDeadLetters;
};

/**
 * Reads what Postgres holds, and measures what Redis holds between what waits and what is final. Throws
 * `unavailable` only before the first time Postgres answered.
 */
export type ReadFigures = <Measured>(
  measure: () => Promise<Measured>,
) => Promise<readonly [StoredFigures, Measured]>;

export function createReadFigures(dependencies: ReadFiguresDependencies): ReadFigures {
  const { primary } = dependencies.databases;
  const countTotals = createTotals(dependencies);
  let last: StoredFigures | undefined;
  return async (measure) => {
    try {
      const unappended = await dependencies.countUnappended(primary);
      const measured = await measure();
      const deadLetters = await dependencies.countDeadLetters(primary);
      last = { ...(await countTotals()), unappended, deadLetters, isOld: false };
      return [last, measured];
    } catch (error) {
      if (last === undefined || !isUnavailable(error)) throw error;
      return [{ ...last, isOld: true }, await measure()];
    }
  };
}

export type TableTotals = {
  readonly accepted: number;
  readonly scored: number;
  readonly countedAtMs: number;
};

/** A count is believed for at least this long, and for this many times as long as it took. */
const COUNT_TTL_MS_MIN = 1000;
const COUNT_SHARE_MAX = 20;

export type TotalsDependencies = {
  readonly databases: Databases;
  readonly countRows: typeof Totals.countRows;
};

/**
 * Counts accepted and scored rows, exactly, and keeps the counts for a while that grows with their
 * cost: 20 ms of counting are repeated every second, two seconds of it (tens of millions of rows) every
 * forty. Callers that come during a count share it.
 */
export function createTotals({ databases, countRows }: TotalsDependencies) {
  let kept: TableTotals | undefined;
  let validUntilMs = Number.NEGATIVE_INFINITY;
  let running: Promise<TableTotals> | undefined;
  const database = databases.replica ?? databases.primary;
  const count = async (): Promise<TableTotals> => {
    const countedAtMs = databases.now();
    const startedAt = performance.now();
    // Scores first: no transaction is then counted as scored and not as accepted.
    const scored = await countRows(database, 'scores');
    const accepted = await countRows(database, 'transactions');
    const tookMs = performance.now() - startedAt;
    kept = { accepted, scored, countedAtMs };
    validUntilMs = performance.now() + Math.max(COUNT_TTL_MS_MIN, tookMs * COUNT_SHARE_MAX);
    return kept;
  };
  return async (): Promise<TableTotals> => {
    if (kept !== undefined && performance.now() < validUntilMs) return kept;
    running ??= count().finally(() => {
      running = undefined;
    });
    return await running;
  };
}
