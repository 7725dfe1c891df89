/** Sealing in a worker: one worker of a market seals waiting rows and signs checkpoints. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Worker, WorkerRoom } from '../../../core/room.ts';
import { createEvidenceMetrics } from '../metrics.ts';
import { originOf, publishedFile, signingKeys } from '../settings.ts';
import { addUnsealed } from '../store/unsealed.ts';
import { openCheckpointBucket } from './bucket.ts';
import { createSealer } from './sealer.ts';

/** Time between two runs. Longer: scores wait longer for their leaf; shorter: more commits under little load. */
const SEAL_EVERY_MS = 1000;
/** Pause between steps, so that sealing a backlog does not slow new scores. */
const STEP_EVERY_MS = 20;

export async function openEvidence(worker: Worker): Promise<WorkerRoom> {
  const { config, log, database, leadership, metrics } = worker;
  // Every worker adds the ids of its scores to the intake, even a worker that seals nothing.
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
  const sealAll = async (signal: AbortSignal) => {
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
