/**
 * The workers of a market: the reports of the last minute, stamped by Redis' clock, and the pending entries of each worker's
 * consumers. Entries that wait for another version belong to no worker.
 */
import { type RedisClient, throwRedisFailure } from '../../../kit/redis/connection.ts';
import { listConsumers } from '../group/consumer-group.ts';
import { versionOfConsumer } from '../group/versions.ts';
import { type StreamKeys, workersKey } from '../keys.ts';
import { loadScript, runScript } from '../scripts.ts';

/** Longer: rates lag behind the traffic. Shorter: a killed worker without entries leaves the list before anybody sees it. */
const REPORTS_KEPT_MS = 60_000;

export type WorkerReport = {
  readonly name: string;
  readonly startedAt: string;
  readonly version: string;
  /** New scores since the start of the worker, by corridor. */
  readonly scored: Readonly<Record<string, number>>;
  readonly isDraining: boolean;
};

const script = loadScript('announce-1');

/** @throws Failure */
export async function reportWorker(
  redis: RedisClient,
  market: string,
  report: WorkerReport,
): Promise<void> {
  const keys = [workersKey(market)];
  await runScript(redis, script, { keys, args: [JSON.stringify(report), REPORTS_KEPT_MS] });
}

export type ReportAt = { readonly report: WorkerReport; readonly atMs: number };

/** Reports of the last minute, oldest first, and the time by Redis' clock. @throws Failure */
export async function listReports(redis: RedisClient, market: string) {
  const [flat, [seconds, micros]] = await Promise.all([
    redis.zrange(workersKey(market), '0', '-1', 'WITHSCORES'),
    redis.time(),
  ]).catch(throwRedisFailure);
  const reports: ReportAt[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2)
    reports.push({ report: JSON.parse(flat[i] ?? ''), atMs: Number(flat[i + 1]) });
  return { reports, nowMs: Number(seconds) * 1000 + Math.floor(Number(micros) / 1000) };
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
    streams.map(async ({ corridor, transactions }) => {
      const consumers = await listConsumers(redis, transactions);
      return consumers.map(({ name, pending, idleMs }) => ({
        name,
        corridor,
        entries: pending,
        idleMs,
      }));
    }),
  );
  return listed
    .flat()
    .filter(({ name }) => versionOfConsumer(name) === undefined)
    .map(({ name, ...others }) => ({ worker: name.replace(/-\d+$/, ''), ...others }));
}
