/**
 * `GET /v1/status`: the state of the pipeline. The backlog is measured at each call: what is open and what is not yet
 * appended, then the streams, then what is final, so that a transaction on its way from one to the other is counted once or
 * twice, never not at all. Totals are sums of tallies that are kept with the rows they count; `totals_counted_at` says
 * until when they are complete. While Postgres does not answer, the last figures read from it are shown and
 * marked as old.
 */
import { z } from 'zod';
import { type Controls, stopOf } from '../../../core/domain/control.ts';
import { DEFAULT_SETTINGS, regionOf } from '../../../core/domain/corridor.ts';
import type { Outcome } from '../../../core/domain/day-tally.ts';
import { VERDICTS } from '../../../core/domain/score-record.ts';
import type { Api } from '../../../core/room.ts';
import type { Total } from '../../../core/store/tallies/day-tallies.ts';
import { joinLags } from '../../../core/stream/kafka/lag.ts';
import type { ReadKafka } from '../../../core/stream/kafka/watch-kafka.ts';
import { streamsOf } from '../../../core/stream/keys.ts';
import { measureStreams, reportStreams, type StreamLag } from '../../../core/stream/status/lag.ts';
import { listReports } from '../../../core/stream/status/workers.ts';
import type { Health } from '../../../kit/breakers/guards.ts';
import { isUnavailable } from '../../../kit/words/failure.ts';
import { replicaStatusSchema } from '../../../kit/words/replica-status.ts';
import type { Latencies } from '../store/latency-sample.ts';
import { createReadLatency, type LatencyJson, latencyFields, latencyJson } from './latency.ts';
import { countWorkers, workerCountsSchema } from './missing-workers.ts';
import { createReadFigures, type StoredFigures } from './stored-figures.ts';

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
  region: z.string(),
  lag: z.int().meta({ description: 'Appended and not yet delivered to a worker.' }),
  pending: z.int().meta({
    description:
      'Delivered to a worker and not yet acknowledged: one part of the pending ones of `totals`, which also wait in lag, as retries, on hold and unappended.',
  }),
  retries_due: z.int().meta({ description: 'Waiting for their next attempt.' }),
  oldest_age_seconds: z.number().meta({ description: 'Age of the oldest unacknowledged entry.' }),
  dead_letters: z.int().meta({ description: 'Neither replayed nor purged.' }),
  ...latencyFields,
  breakers: breakersSchema,
  degradation: degradationSchema,
  stopped: z.string().nullable().meta({
    description: 'The scope that stops the corridor: `all`, `market` or its own; null: none does.',
  }),
});

export const statusSchema = z
  .object({
    at: z.iso.datetime(),
    postgres: z
      .enum(['up', 'down'])
      .meta({ description: 'Down: its figures are those that were last read.' }),
    replica: replicaStatusSchema,
    redis: z.enum(['up', 'down']).meta({ description: 'Down: what waits in it is unknown.' }),
    kafka: z.enum(['up', 'down']).nullable().meta({
      description: 'Down: what waits in it is unknown. Null: no corridor ever had it as a log.',
    }),
    workers: workerCountsSchema.nullable().meta({ description: 'Null while Redis is down.' }),
    corridors: z.array(corridorSchema).nullable(),
    unappended: z.int().nullable().meta({
      description: 'Pending, and known not to be in a stream; null while Postgres is down.',
    }),
    breakers: breakersSchema,
    degradation: degradationSchema,
    ...latencyFields,
    totals: z.object({
      accepted: z.int(),
      scored: z.int(),
      dead_lettered: z.int(),
      pending: z.int().nullable().meta({
        description:
          'Accepted, with neither a score nor a dead letter, wherever they wait; exact, or null while Postgres is down.',
      }),
      on_hold: z.int().nullable().meta({
        description:
          'Of the pending ones, those that wait in Postgres until a control has ended; null while Postgres is down.',
      }),
    }),
    totals_counted_at: z.iso.datetime().meta({
      description:
        'What was stored before it is in the totals and dead letters. Before `at` only where no worker has merged tallies for long.',
    }),
  })
  .meta({ id: 'Status' });
export type StatusJson = z.infer<typeof statusSchema>;

export function createReadStatus(api: Api): () => Promise<StatusJson> {
  const { databases, redis, guards, ingest, controls, readKafka, metrics } = api;
  const { RISK_MARKET: market } = api.config;
  const { shardsOf, logOf } = controls.layout;
  const readFigures = createReadFigures(databases);
  const readLatency = createReadLatency(databases);
  const measure = async () => {
    const streams = async () => {
      const known = streamsOf(market, ingest.corridors(), shardsOf);
      const measured = joinLags(await measureStreams(redis, known), readKafka()?.lags ?? [], logOf);
      // The metrics show what waits where no worker does.
      reportStreams(metrics, measured);
      return measured;
    };
    try {
      return await Promise.all([
        guards.redis.run(streams),
        guards.redis.run(async () => {
          const { seen, nowMs } = await listReports(redis, market);
          return countWorkers(seen, nowMs);
        }),
      ]);
    } catch (error) {
      if (isUnavailable(error)) return undefined;
      throw error;
    }
  };
  return async () => {
    const [[figures, measured], latencies] = await Promise.all([
      readFigures(measure),
      readLatency(),
    ]);
    const kafka = toState(readKafka());
    const replica = databases.replica?.status() ?? null;
    const now = { at: new Date(databases.now()).toISOString(), replica, kafka };
    const process = { health: guards.health, controls: controls.current() };
    return toStatus(now, figures, measured, latencies, process);
  };
}

type Measured = readonly [readonly StreamLag[], StatusJson['workers']];

/** State that this API process knows by itself. */
type ProcessState = { readonly health: Health; readonly controls: Controls };

function toStatus(
  { at, replica, kafka }: Pick<StatusJson, 'at' | 'replica' | 'kafka'>,
  { unappended, pending, onHold, totals, countedAtMs, isOld }: StoredFigures,
  measured: Measured | undefined,
  latencies: Latencies,
  process: ProcessState,
): StatusJson {
  const { health } = process;
  const [lags, workers = null] = measured ?? [];
  const corridors =
    lags === undefined
      ? null
      : toCorridors(lags, totals, process).map((row) => ({
          ...row,
          ...latencyJson(latencies.byCorridor.get(row.corridor)),
        }));
  return {
    at,
    postgres: isOld ? 'down' : 'up',
    replica,
    redis: measured === undefined ? 'down' : 'up',
    kafka,
    workers,
    corridors,
    unappended: isOld ? null : unappended,
    breakers: health.breakers(),
    degradation: health.level(),
    ...latencyJson(latencies.all),
    totals: {
      accepted: sumOf(totals, ['accepted']),
      scored: sumOf(totals, VERDICTS),
      dead_lettered: sumOf(totals, ['dead_lettered']),
      pending: isOld ? null : pending,
      on_hold: isOld ? null : onHold,
    },
    totals_counted_at: new Date(countedAtMs).toISOString(),
  };
}

const toState = (state: ReturnType<ReadKafka>): StatusJson['kafka'] =>
  state && (state.isDown ? 'down' : 'up');

function sumOf(totals: readonly Total[], outcomes: readonly Outcome[]): number {
  return totals.reduce(
    (sum, { outcome, count }) => sum + (outcomes.includes(outcome) ? count : 0),
    0,
  );
}

/** Sums of a corridor over its shards. */
function toCorridors(
  lags: readonly StreamLag[],
  totals: readonly Total[],
  { health, controls }: ProcessState,
): Omit<z.infer<typeof corridorSchema>, keyof LatencyJson>[] {
  const deadLetters = totals.filter(({ outcome, count }) => outcome === 'dead_letter' && count > 0);
  const names = new Set([
    ...lags.map((lag) => lag.stream.corridor),
    ...deadLetters.map((row) => row.corridor),
  ]);
  return [...names].sort().map((corridor) => {
    const ours = lags.filter((lag) => lag.stream.corridor === corridor);
    const sum = (value: (lag: StreamLag) => number) =>
      ours.reduce((total, lag) => total + value(lag), 0);
    return {
      corridor,
      region: regionOf(corridor, controls.settings.get(corridor) ?? DEFAULT_SETTINGS),
      lag: sum((lag) => lag.lag),
      pending: sum((lag) => lag.pending),
      retries_due: sum((lag) => lag.retriesWaiting),
      oldest_age_seconds: Math.max(0, ...ours.map((lag) => lag.oldestAgeMs)) / 1000,
      dead_letters: deadLetters.find((row) => row.corridor === corridor)?.count ?? 0,
      breakers: health.breakersOf(corridor),
      degradation: health.levelOf(corridor),
      stopped: stopOf(controls, corridor)?.scope ?? null,
    };
  });
}
