/**
 * The workers of a market, stamped by Redis' clock: the reports of the last minute, who reported within the last hour and has
 * not ended in good order, and the pending entries of each worker's consumers.
 */
import { type RedisClient, throwRedisFailure } from '../../../kit/redis/connection.ts';
import { listConsumers } from '../group/consumer-group.ts';
import { marketKeys, type StreamKeys } from '../keys.ts';
import { loadScript, runScript } from '../scripts.ts';

/** Longer: rates lag behind the traffic. Shorter: a rate comes from few reports. */
const REPORTS_KEPT_MS = 60_000;
/** Longer: a worker that was taken away by force is missed for longer. Shorter: a frozen worker leaves the list before anybody sees it. */
const SEEN_MS = 60 * 60 * 1000;
/** Three reports and a second. Larger: a dead worker is shown as live for longer; smaller: a busy worker is shown as silent. */
export const SILENT_MS = 10_000;

type WorkerReport = {
  readonly name: string;
  readonly startedAt: string;
  readonly version: string;
  /** New scores since the start of the worker, by corridor. */
  readonly scored: Readonly<Record<string, number>>;
  readonly isDraining: boolean;
  /** Processor time since its start. */
  readonly processorSeconds: number;
};

const script = loadScript('announce-1');

/** @throws Failure */
export async function reportWorker(
  redis: RedisClient,
  market: string,
  report: WorkerReport,
): Promise<void> {
  const { name, startedAt, version, isDraining } = report;
  const seen = JSON.stringify({ name, startedAt, version } satisfies SeenWorker);
  // First, so that a worker which dies between the two is missed once somebody has read its report.
  if (isDraining) await redis.zrem(marketKeys(market).workersSeen, seen).catch(throwRedisFailure);
  else
    await runScript(redis, script, {
      keys: [marketKeys(market).workersSeen],
      args: [seen, SEEN_MS],
    });
  const keys = [marketKeys(market).workers];
  await runScript(redis, script, { keys, args: [JSON.stringify(report), REPORTS_KEPT_MS] });
}

type SeenWorker = Pick<WorkerReport, 'name' | 'startedAt' | 'version'>;
export type SeenAt = { readonly worker: SeenWorker; readonly atMs: number };

export type ReportAt = { readonly report: WorkerReport; readonly atMs: number };

/** Reports of the last minute, oldest first, workers seen within the hour, the longest silent first, and the time by Redis' clock. @throws Failure */
export async function listReports(redis: RedisClient, market: string) {
  const [reports, seen, [seconds, micros]] = await Promise.all([
    announced<WorkerReport>(redis, marketKeys(market).workers),
    announced<SeenWorker>(redis, marketKeys(market).workersSeen),
    redis.time().catch(throwRedisFailure),
  ]);
  return {
    reports: reports.map(({ value, atMs }) => ({ report: value, atMs })),
    seen: seen.map(({ value, atMs }) => ({ worker: value, atMs })),
    nowMs: Number(seconds) * 1000 + Math.floor(Number(micros) / 1000),
  };
}

async function announced<T>(redis: RedisClient, key: string) {
  const flat = await redis.zrange(key, '0', '-1', 'WITHSCORES').catch(throwRedisFailure);
  const found: { readonly value: T; readonly atMs: number }[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2)
    found.push({ value: JSON.parse(flat[i] ?? ''), atMs: Number(flat[i + 1]) });
  return found;
}

export type Holding = {
  readonly worker: string;
  readonly corridor: string;
  readonly entries: number;
  /** Time since the consumer last read or claimed. */
  readonly idleMs: number;
};

/** Pending entries by worker, consumer and stream. @throws Failure */
export async function listHoldings(
  redis: RedisClient,
  streams: readonly StreamKeys[],
): Promise<Holding[]> {
  const listed = await Promise.all(
    streams.map(async ({ corridor, transactions }) =>
      (await listConsumers(redis, transactions)).map(({ name, pending, idleMs }) => ({
        worker: name.replace(/-\d+$/, ''),
        corridor,
        entries: pending,
        idleMs,
      })),
    ),
  );
  return listed.flat();
}
