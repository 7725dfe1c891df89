/** Sealing in a worker: one worker of a market seals waiting rows and signs checkpoints. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Worker, WorkerRoom } from '../../../core/room.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { createReport } from '../../../kit/outbox/outbox.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { readHead, signCheckpoint } from '../log/checkpoint.ts';
import type { Edge } from '../log/tree.ts';
import { createEvidenceMetrics } from '../metrics.ts';
import { originOf, publishedFile, signingKeys } from '../settings.ts';
import {
  type LogRow,
  lookAtLog,
  readNewestLog,
  storeCheckpoint,
  storeRefusal,
  tileReader,
} from '../store/evidence-log.ts';
import { addUnsealed, unsealed } from '../store/unsealed.ts';
import { type CheckpointBucket, openCheckpointBucket } from './bucket.ts';
import { contradiction, publish, readPublished } from './published.ts';
import { sealStep, TILES_DIFFER } from './seal.ts';

/** Time between two runs. Longer: scores wait longer for their leaf; shorter: more commits under little load. */
const SEAL_EVERY_MS = 1000;
/** Pause between steps, so that sealing a backlog does not slow new scores. */
const STEP_EVERY_MS = 20;

type LookedAt = NonNullable<Awaited<ReturnType<typeof lookAtLog>>>;

type SealerOptions = {
  readonly database: Pick<Database, 'query' | 'transaction'>;
  readonly origin: string;
  readonly keys: Parameters<typeof signCheckpoint>[1];
  readonly path: string;
  readonly bucket?: CheckpointBucket | undefined;
  readonly checkpointMs: number;
  readonly log: Pick<Log, 'error' | 'warn'>;
};

export type SealerRun = {
  readonly scores: number;
  readonly missing: number;
  readonly isRefused: boolean;
  /** For how long a checkpoint is overdue. */
  readonly overdueSeconds: number;
  readonly mayHaveMore: boolean;
};

export async function openEvidence(worker: Worker): Promise<WorkerRoom> {
  const { config, log, database, leadership, metrics } = worker;
  // Every worker adds the ids of its scores to the outbox, even a worker that seals nothing.
  const hasKeys = config.RISK_EVIDENCE_KEYS !== undefined;
  const onScored = addUnsealed(hasKeys);
  if (!hasKeys) return { onScored, duties: [] };
  const lead = leadership.of('care');
  const counts = createEvidenceMetrics(metrics.make);
  const sealer = createSealer({
    database: { query: database.query, transaction: lead.writes.transaction },
    origin: originOf(config),
    keys: signingKeys(config),
    path: publishedFile(config),
    bucket: openCheckpointBucket(config),
    checkpointMs: config.RISK_EVIDENCE_CHECKPOINT_SECONDS * 1000,
    log,
  });
  let sealedMs = Date.now();
  const report = createReport(metrics, unsealed);
  const sealAll = async (signal: AbortSignal) => {
    await report(database.query);
    for (;;) {
      const done = await sealer.run(Date.now());
      sealedMs = Date.now();
      counts.sealed.inc(done.scores);
      counts.missing.inc(done.missing);
      counts.refused.set(done.isRefused ? 1 : 0);
      counts.late.set(done.overdueSeconds);
      if (!done.mayHaveMore || signal.aborted) return;
      await delay(STEP_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  };
  const run = async (signal: AbortSignal) => {
    try {
      if (await lead.run(() => sealAll(signal))) return;
      await report(null);
      sealedMs = Date.now();
      counts.refused.set(0);
      counts.late.set(0);
    } catch (error) {
      counts.late.set((Date.now() - sealedMs) / 1000);
      throw error;
    }
  };
  return {
    onScored,
    duties: [{ name: 'seal-evidence', everyMs: SEAL_EVERY_MS, run }],
  };
}

/**
 * Seals step by step, and signs checkpoints, each of which continues the published checkpoints.
 * @returns `run`, which seals a step, and signs a checkpoint where one is due
 */
export function createSealer(options: SealerOptions) {
  const { database, path, bucket, origin, keys, checkpointMs, log } = options;
  let edge: Edge | undefined;
  let signedMs = Number.NEGATIVE_INFINITY;
  /** Size at which the log last continued its checkpoints; undefined before a comparison, or after a contradiction. */
  let agreed: number | undefined;
  let unsignedMs: number | undefined;

  const refuse = async (of: LogRow, why: string): Promise<SealerRun> => {
    if (of.refused !== why) log.error({ origin }, `evidence is not sealed: ${why}`);
    await storeRefusal(database.query, of.logId, why);
    agreed = undefined;
    return { scores: 0, missing: 0, isRefused: true, overdueSeconds: 0, mayHaveMore: false };
  };
  const sign = async (of: LogRow, nowMs: number): Promise<string | undefined> => {
    const why = await contradicted(options, of);
    if (why !== undefined) return why;
    const note = signCheckpoint(of, keys, nowMs);
    // The bucket comes first, as each try that it refuses would add a line to the file.
    await bucket?.write(note);
    await publish(path, note, new Date(nowMs));
    await database.transaction((query) => storeCheckpoint(query, of, note, nowMs));
    signedMs = nowMs;
    unsignedMs = undefined;
    agreed = of.size;
    return undefined;
  };

  /** @returns why the log may not grow; compares until the log continues its checkpoints once */
  const compareOnce = async (of: LogRow): Promise<string | undefined> => {
    if (agreed !== undefined) return undefined;
    const why = await contradicted(options, of);
    if (why !== undefined) return why;
    if (of.refused !== null) await storeRefusal(database.query, of.logId, null);
    agreed = of.size;
    return undefined;
  };
  const step = async (before: LookedAt | undefined, nowMs: number) => {
    const hasNothing = before?.origin === origin && !before.hasWork;
    if (hasNothing) return { log: before, scores: 0, missing: 0, mayHaveMore: false };
    const { edge: after, ...sealed } = await sealStep(database, origin, edge, nowMs);
    edge = after;
    return sealed;
  };
  const signDue = async (of: LogRow, nowMs: number): Promise<string | undefined> => {
    if (of.size === 0 || readHead(of.checkpoint ?? '')?.size === of.size) return undefined;
    unsignedMs ??= nowMs;
    return nowMs - signedMs >= checkpointMs ? await sign(of, nowMs) : undefined;
  };
  const seal = async (nowMs: number): Promise<SealerRun> => {
    const before = await lookAtLog(database.query);
    // Another process appended, or somebody restored a backup while this process ran.
    if (edge !== undefined && before?.size !== edge.size) agreed = undefined;
    const refusal = before?.origin === origin ? await compareOnce(before) : undefined;
    if (before !== undefined && refusal !== undefined) return await refuse(before, refusal);
    const { log: now, scores, missing, mayHaveMore } = await step(before, nowMs);
    if (missing > 0) log.warn({ missing }, 'scores were gone before they were sealed');
    const why = await signDue(now, nowMs);
    if (why !== undefined) return await refuse(now, why);
    const overdueMs = unsignedMs === undefined ? 0 : nowMs - unsignedMs - checkpointMs;
    const overdueSeconds = Math.max(0, overdueMs / 1000);
    return { scores, missing, isRefused: false, overdueSeconds, mayHaveMore };
  };
  return {
    run: async (nowMs: number): Promise<SealerRun> => {
      try {
        return await seal(nowMs);
      } catch (error) {
        edge = undefined;
        const newest = await readNewestLog(database.query);
        const isTampered = error instanceof Failure && error.code === TILES_DIFFER;
        if (!isTampered || newest === undefined) throw error;
        return await refuse(newest, error.message);
      }
    },
  };
}

/** Compares the log with the checkpoints in the file, in the bucket and in the row. */
async function contradicted({ database, path, bucket, log }: SealerOptions, of: LogRow) {
  const read = tileReader(database.query, of.logId);
  const inBucket = bucket && { [bucket.name]: await bucket.read() };
  const published = { [path]: await readPublished(path), ...inBucket };
  for (const [where, note] of Object.entries(published)) {
    if (note === undefined && of.checkpoint !== null)
      log.warn({ path: where }, 'published checkpoints are gone: others begin there');
    const why = await contradiction(of, note, read);
    if (why !== undefined) return why;
  }
  return await contradiction(of, of.checkpoint ?? undefined, read);
}
