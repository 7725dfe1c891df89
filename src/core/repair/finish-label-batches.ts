/** Invalidates the profiles of labels whose request ended between its commit and that step. */
import type { InvalidateLabelled } from '../accept/invalidate-labelled.ts';
import type { LabelBatch } from '../store/labels/label-batches.ts';

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

/**
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
