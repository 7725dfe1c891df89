/** Completes label requests that were interrupted before they invalidated profiles, as a duty of one worker. */
import { type InvalidateLabelled, openInvalidateLabelled } from '../accept/invalidate-labelled.ts';
import type { Worker } from '../room.ts';
import {
  deleteLabelBatches,
  type LabelBatch,
  listLabelBatches,
} from '../store/labels/label-batches.ts';

const FINISH_EVERY_MS = 1000;

/** The simulation has stand-ins for them. */
type Steps = {
  readonly listLabelBatches: (
    agedMs: number,
    transactionsMax: number,
  ) => Promise<readonly LabelBatch[]>;
  readonly deleteLabelBatches: (batchIds: readonly string[]) => Promise<void>;
  readonly invalidateLabelled: InvalidateLabelled;
};

/**
 * Batches of a page, whose profiles are invalidated together: single labels arrive by the thousand a second.
 */
const PAGE_TRANSACTIONS = 1000;

/** A worker's duty that does nothing while another worker leads. */
export function bindLabelDuty({ config, database, redis, guards, metrics, leadership }: Worker) {
  const { RISK_MARKET: market, RISK_RECONCILE_AGE_MS: ageMs } = config;
  const { labelsUntold } = metrics;
  const lead = leadership.of('repair');
  const steps = {
    listLabelBatches: (agedMs: number, max: number) =>
      listLabelBatches(database.query, agedMs, max),
    deleteLabelBatches: (ids: readonly string[]) => deleteLabelBatches(lead.writes, ids),
    invalidateLabelled: openInvalidateLabelled(database, redis, market, guards.redis.run),
  };
  const report = (oldestMs: number) => labelsUntold.set(oldestMs / 1000);
  return {
    name: 'finish-label-batches',
    everyMs: FINISH_EVERY_MS,
    run: async (signal: AbortSignal) => {
      const leads = await lead.run(
        async () => void (await finishLabelBatches(steps, ageMs, report, signal)),
      );
      // The worker that leads reports these gauges; what this process saw last is out of date.
      if (!leads) labelsUntold.set(0);
    },
  };
}

/**
 * Invalidates the profiles of labels whose request ended between its commit and that step.
 * @param batchAgeMs a younger request may still invalidate them itself
 * @param reportAge called with the age of the oldest batch whose profiles are not invalidated; 0 when there is none
 */
export async function finishLabelBatches(
  { listLabelBatches, deleteLabelBatches, invalidateLabelled }: Steps,
  batchAgeMs: number,
  reportAge: (ageMs: number) => void,
  signal: AbortSignal,
): Promise<number> {
  let finished = 0;
  while (!signal.aborted) {
    const page = await listLabelBatches(batchAgeMs, PAGE_TRANSACTIONS);
    const [oldest] = page;
    // The age is reported before the work, so that it shows while the work fails.
    reportAge(oldest?.ageMs ?? 0);
    if (oldest === undefined) break;
    await invalidateLabelled(page.flatMap(({ transactionIds }) => transactionIds));
    await deleteLabelBatches(page.map(({ batchId }) => batchId));
    finished += page.length;
  }
  return finished;
}
