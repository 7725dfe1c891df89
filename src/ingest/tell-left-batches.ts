/** Tells the profiles of labels whose request ended between its commit and telling them. */
import type { LabelBatch } from '../store/label-batches.ts';
import type { TellProfiles } from './tell-profiles.ts';

export type TellLeftBatchesDependencies = {
  readonly listLabelBatches: (before: Date, limit: number) => Promise<readonly LabelBatch[]>;
  readonly deleteLabelBatch: (batchId: string) => Promise<void>;
  readonly tellProfiles: TellProfiles;
  /** A request that is younger may be at it itself. */
  readonly batchAgeMs: number;
  readonly now: () => number;
  /** Told of the age of the oldest batch that profiles were not told of; 0 when there is none. */
  readonly reportAge: (ageMs: number) => void;
};

/** Batches of one page: each holds at most 1,000 labels. */
const PAGE_BATCHES = 20;

export async function tellLeftBatches(
  dependencies: TellLeftBatchesDependencies,
  signal: AbortSignal,
): Promise<number> {
  const { listLabelBatches, deleteLabelBatch, tellProfiles, batchAgeMs, now, reportAge } =
    dependencies;
  let told = 0;
  for (;;) {
    const page = await listLabelBatches(new Date(now() - batchAgeMs), PAGE_BATCHES);
    const [oldest] = page;
    // Before they are told: it has to be seen while that fails.
    if (oldest !== undefined) reportAge(now() - oldest.receivedAt.getTime());
    for (const { batchId, transactionIds } of page) {
      if (signal.aborted) return told;
      await tellProfiles(transactionIds);
      await deleteLabelBatch(batchId);
      told += 1;
    }
    if (page.length < PAGE_BATCHES) {
      reportAge(0);
      return told;
    }
  }
}
