/** `GET /v1/workers`: each worker that reports, is missing, or whose consumers still have pending entries. */
import { z } from 'zod';
import type { Api } from '../../../core/room.ts';
import { streamsOf } from '../../../core/stream/keys.ts';
import {
  type Holding,
  listHoldings,
  listReports,
  type ReportAt,
  type SeenAt,
  SILENT_MS,
} from '../../../core/stream/status/workers.ts';
import { missingWorkers } from './missing-workers.ts';

export const workerSchema = z
  .object({
    worker: z.string().meta({
      description: 'HOST-PID-START. The names of its consumers add a number.',
      example: 'worker-1-4242-9f3c1a07',
    }),
    state: z.enum(['live', 'draining', 'silent']).meta({
      description: `Silent: killed, frozen or cut off for more than ${SILENT_MS / 1000} s; without pending entries it is listed for an hour, or until a worker that starts later replaces it.`,
    }),
    started_at: z.iso.datetime().nullable(),
    seen_at: z.iso
      .datetime()
      .meta({ description: 'Its last report; of a worker that never reported its last read.' }),
    version: z.string().nullable(),
    scored_per_second: z.number().nullable().meta({ description: 'Over the last minute.' }),
    corridors: z.array(z.string()).meta({
      description:
        'Corridors of its scores of the last minute and of its pending entries. Every worker reads all corridors.',
    }),
    pending: z
      .int()
      .meta({ description: 'Entries that the worker has read and not acknowledged.' }),
    pending_by_corridor: z.array(z.object({ corridor: z.string(), entries: z.int() })),
  })
  .meta({ id: 'Worker' });
export type WorkerJson = z.infer<typeof workerSchema>;

export async function listWorkers(api: Api): Promise<WorkerJson[]> {
  const { config, redis, ingest, controls, guards } = api;
  const { RISK_MARKET: market } = config;
  return await guards.redis.run(async () => {
    const streams = streamsOf(market, ingest.corridors(), controls.layout.shardsOf);
    const [{ reports, seen, nowMs }, holdings] = await Promise.all([
      listReports(redis, market),
      listHoldings(redis, streams),
    ]);
    return toWorkers({ reports, seen, holdings, nowMs });
  });
}

type Found = {
  /** Oldest first. */
  readonly reports: readonly ReportAt[];
  readonly seen: readonly SeenAt[];
  readonly holdings: readonly Holding[];
  readonly nowMs: number;
};

export function toWorkers({ reports, seen, holdings, nowMs }: Found): WorkerJson[] {
  const reported = Map.groupBy(reports, ({ report }) => report.name);
  const lastSeen = new Map(seen.map((seenWorker) => [seenWorker.worker.name, seenWorker]));
  const holding = Map.groupBy(holdings, ({ worker }) => worker);
  const missing = new Set(missingWorkers(seen, nowMs).map(({ worker }) => worker.name));
  const names = new Set([...reported.keys(), ...lastSeen.keys(), ...holding.keys()]);
  return [...names].sort().flatMap((name) => {
    const of = {
      reports: reported.get(name) ?? [],
      seen: lastSeen.get(name),
      holdings: holding.get(name) ?? [],
    };
    const seenWorker = toWorker(name, of, nowMs);
    // Redis may keep the consumers of an ended worker for an hour.
    const isGone =
      seenWorker.state === 'draining' || (seenWorker.state === 'silent' && !missing.has(name));
    return isGone && seenWorker.pending === 0 ? [] : [seenWorker];
  });
}

type OfOne = Pick<Found, 'reports' | 'holdings'> & { readonly seen: SeenAt | undefined };

function toWorker(worker: string, { reports, seen, holdings }: OfOne, nowMs: number): WorkerJson {
  const [first, last] = [reports[0], reports.at(-1)];
  const known = last?.report ?? seen?.worker;
  const idleMs = Math.min(...holdings.map((holding) => holding.idleMs));
  // A restart of Redis begins the idle time of all consumers anew, those of dead workers among them: it says nothing of a worker that reported.
  // The stamp by which workers are missed: a report has its own some milliseconds later.
  const seenMs = seen?.atMs ?? last?.atMs ?? (Number.isFinite(idleMs) ? nowMs - idleMs : 0);
  const isSilent = known === undefined || nowMs - seenMs > SILENT_MS;
  const scored = Object.entries(last?.report.scored ?? {})
    .map(([corridor, count]) => ({
      corridor,
      count: count - (first?.report.scored[corridor] ?? 0),
    }))
    .filter(({ count }) => count > 0);
  const seconds = ((last?.atMs ?? 0) - (first?.atMs ?? 0)) / 1000;
  const scores = scored.reduce((total, { count }) => total + count, 0);
  const groups = Map.groupBy(
    holdings.filter(({ entries }) => entries > 0),
    ({ corridor }) => corridor,
  );
  const byCorridor = Array.from(groups, ([corridor, of]) => ({
    corridor,
    entries: of.reduce((total, { entries }) => total + entries, 0),
  }));
  const pending = byCorridor.reduce((total, { entries }) => total + entries, 0);
  // A silent worker that drained and left no entries has ended in good order.
  const isDraining = last?.report.isDraining === true && (pending === 0 || !isSilent);
  const corridors = new Set([...scored, ...byCorridor].map(({ corridor }) => corridor));
  return {
    worker,
    state: isDraining ? 'draining' : isSilent ? 'silent' : 'live',
    started_at: known?.startedAt ?? null,
    seen_at: new Date(seenMs).toISOString(),
    version: known?.version ?? null,
    scored_per_second: seconds > 0 && !isSilent ? Math.round((10 * scores) / seconds) / 10 : null,
    corridors: [...corridors].sort(),
    pending,
    pending_by_corridor: byCorridor,
  };
}
